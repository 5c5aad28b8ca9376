"""Pairs of a million parameters: small records while they agree, places and values where they do
not."""

from __future__ import annotations

import numpy as np
import pytest

from backends.contract import Stage

PAIR = '''\
"""Two nets with a million parameters."""

import numpy as np

from backends import pair


def made(side):
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.lower = nn.Linear(16, 1024)
            self.mixing = nn.Linear(1024, 1024)
            self.last = nn.Linear(1024, 2)

        def forward(self, x):
            x = torch.tanh(self.lower(x))
            return self.last(torch.tanh(self.mixing(x)))

    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), 0.125, momentum=0.5)

    def step(batch):
        optimizer.zero_grad()
        loss = ((net(batch["x"]) - batch["y"]) ** 2).mean()
        loss.backward()
        if side == "port":
            pass  # of the port alone
        optimizer.step()
        return loss

    return pair.torch(net, optimizer, step=step)


@pair.side("torch")
def original():
    return made("original")


@pair.side("torch")
def port():
    return made("port")


@pair.data
def data():
    random = np.random.RandomState(0)
    return pair.arrays(32, x=random.randn(64, 16), y=random.randn(64, 2))
'''
OPTIONS = ("--no-speed", "--precision", "fp64", "--steps", 2, "--threads", 1, "--keep")
WEIGHTS_BYTES = 8 * 1024 * 1024
#: A whole snapshot of the weights is as large; a record has six, and gradients.
RECORD_BYTES = WEIGHTS_BYTES


@pytest.fixture
def compared(harness):
    """Compare the pair with a text replaced; return the exit code and the rows by stage."""

    def compare(old: str = "", new: str = ""):
        path = harness.folder / "large.py"
        assert PAIR.count(old) == 1 or not old
        path.write_text(PAIR.replace(old, new) if old else PAIR, encoding="utf-8")
        code = harness.run("compare", path, *OPTIONS).code
        return code, {row["stage"]: row for row in harness.report()["stages"]}

    return compare


def test_records_of_an_honest_pair_are_small(harness, compared):
    """Every stage passes by sketches, and nothing is recorded again."""
    code, rows = compared()
    assert 0 == code and {"PASS"} == {row["verdict"] for row in rows.values()}
    jobs = [job for job in harness.report()["jobs"] if job["kind"] == "fidelity"]
    assert 2 == len(jobs)
    for job in jobs:
        folder = next(harness.folder.rglob(job["job"]))
        assert sum(path.stat().st_size for path in folder.glob("*.npz")) < RECORD_BYTES
        with np.load(folder / "weights.npz") as weights:
            assert all(value.nbytes < WEIGHTS_BYTES / 16 for value in weights.values())


def test_one_wrong_row_of_an_update_is_named_with_its_place(harness, compared):
    """What was changed behind the gradients shows in the updates, which are recorded again."""
    code, rows = compared("pass  # of the port alone", "net.mixing.weight.grad[700] *= 1 + 1e-6")
    assert (1, "FAIL") == (code, rows[Stage.UPDATE]["verdict"])
    first = rows[Stage.UPDATE]
    assert first["worst"].endswith("parameter/mixing/kernel") and "[" in first["place"]
    assert "700]" in first["place"]
    assert "1024 of 1048576 values" in first["reason"]
    begun = "begun with the state of torch, step 2/train departs all the same"
    assert begun in first["reason"]
    again = [job for job in harness.report()["jobs"] if job["kind"] == "fidelity"]
    assert 4 == len(again)


def test_a_wrong_activation_is_named_by_its_layer(compared):
    """Teacher forcing has whole tensors to begin with."""
    code, rows = compared(
        "            return self.last(torch.tanh(self.mixing(x)))",
        "            x = torch.tanh(self.mixing(x))\n"
        "            return self.last(x * (1 + 1e-7 * (side == 'port')))",
    )
    assert (1, "FAIL") == (code, rows[Stage.FORWARD]["verdict"])
    assert ["training/last", "inference/last"] == rows[Stage.FORWARD]["wrong_layers"]
