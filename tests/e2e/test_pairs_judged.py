"""What is said of pairs of models that somebody already has: real builds, small models."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest

from harness.pairs.known_differences import NAMES

FORWARD = ("--no-speed", "--precision", "fp64", "--stages", "F", "--threads", 1)
BRIEF = ("--no-speed", "--precision", "fp64", "--stages", "W", "F", "L", "G", "U", "--threads", 1)
STACKS = '''"""A stack that is one layer, and one of two layers."""

import numpy as np

from backends import pair


def made(stacked):
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            if stacked:
                self.rnn = nn.LSTM(3, 4, 2, batch_first=True)
            else:
                self.lower = nn.LSTM(3, 4, batch_first=True)
                self.upper = nn.LSTM(4, 4, batch_first=True)
            self.out = nn.Linear(4, 1)

        def forward(self, x):
            states = self.rnn(x)[0] if stacked else self.upper(self.lower(x)[0])[0]
            return self.out(states[:, -1])

    torch.manual_seed(int(stacked))
    net = Net().RESTING
    optimizer = torch.optim.SGD(net.parameters(), 0.125)

    def step(batch):
        optimizer.zero_grad()
        x = nn.functional.dropout(batch["x"], 0.5, net.training)
        loss = (net(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    return pair.torch(net, optimizer, step=step)


@pair.side("torch")
def original():
    return made(True)


@pair.side("torch")
def port():
    return made(False)


@pair.data
def data():
    return pair.arrays(batch=6, x=np.random.RandomState(0).normal(size=(18, 5, 3)))
'''
SHARED = '''\
"""Two nets with a shared layer."""

import numpy as np

from backends import pair


def made(sign):
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.mixing = nn.Linear(6, 6)
            self.between = nn.LayerNorm(6)
            self.last = nn.Linear(6, 2)

        def forward(self, x):
            x = self.between(torch.tanh(self.mixing(x)))
            return self.last(self.mixing(sign * x))

    net = Net()
    loss = lambda out, batch: ((out - batch["y"]) ** 2).mean()
    return pair.torch(net, torch.optim.SGD(net.parameters(), 0.125), loss=loss)


@pair.side("torch")
def original():
    return made(1.0)


@pair.side("torch")
def port():
    return made(-1.0)


@pair.data
def data():
    random = np.random.RandomState(0)
    return pair.arrays(16, x=random.randn(64, 6), y=random.randn(64, 2))
'''
#: What differs between them.
FIVE = (
    "adam-epsilon-place",
    "adam-epsilon-value",
    "bn-unbiased-variance",
    "lstm-two-biases",
    "float32-constants",
)
DEFAULTS = Path(__file__).with_name("pair_of_defaults.py")
#: Dropout in inference too, hour by hour and of all hours at once.
ALWAYS_DROPPED = '''"""The same net twice."""

import numpy as np

from backends import pair


def made(dropped):
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = torch.nn.LSTM(2, 5, batch_first=True)
            self.upper = torch.nn.Linear(5, 5)
            self.out = torch.nn.Linear(5, 1)

        def forward(self, x):
            x = dropped(self.rnn(x)[0])
            x = torch.nn.functional.dropout(torch.relu(self.upper(x)), 0.5, True)
            return self.out(x)

    net = Net()
    loss = lambda out, batch: (out**2).mean()
    return pair.torch(net, torch.optim.SGD(net.parameters(), 0.125), loss=loss)


@pair.side("torch")
def hourly():
    import torch

    drop = torch.nn.functional.dropout
    return made(lambda x: torch.stack([drop(hour, 0.5, True) for hour in x.unbind(1)], 1))


@pair.side("torch")
def whole():
    import torch

    return made(lambda x: torch.nn.functional.dropout(x, 0.5, True))


@pair.data
def data():
    return pair.arrays(batch=6, x=np.random.RandomState(0).normal(size=(18, 4, 2)))
'''


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("sign * x", "sign * x", "mixing/call 2"),
        ("nn.LayerNorm(6)", "nn.LayerNorm(6, 1e-3 if sign < 0 else 1e-5)", "between"),
    ],
)
def test_every_call_of_a_shared_layer_is_looked_at(harness, old: str, new: str, place: str):
    """A fault behind its first call is named there, and one between its calls is not taken for
    theirs."""
    path = harness.folder / "shared.py"
    text = SHARED if place != "between" else SHARED.replace("sign * x", "x")
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert 1 == harness.run("compare", path, *FORWARD).code
    (row,) = harness.report()["stages"]
    assert f"training/{place}" == row["worst"]
    assert row["reason"].endswith(f"wrong layers, each given the right input: {place}")


def test_calls_of_a_shared_layer_agree_in_an_honest_pair(harness):
    """Its net lies in a folder of the user's; the command that gives a row again finds it too."""
    code = harness.folder / "code"
    code.mkdir()
    nets, _, sides = SHARED.replace("-1.0", "1.0").partition("\n\n@pair.side")
    (code / "nets.py").write_text(nets, encoding="utf-8")
    path = harness.folder / "shared.py"
    head = "import numpy as np\n\nfrom backends import pair\n\n\n@pair.side"
    sides = sides.replace("    return made", "    from nets import made\n\n    return made")
    path.write_text(head + sides, encoding="utf-8")
    assert 0 == harness.run("compare", path, "--path", "code", *FORWARD).code
    (row,) = harness.report()["stages"]
    assert any("mixing/call 2" in name for name in row["compared"]["names"])
    shutil.rmtree(harness.folder / "reports")
    assert 0 == harness.run(*shlex.split(row["command"])[1:]).code


def test_a_port_with_its_framework_s_defaults_ends_green_by_naming_them(harness):
    """Keras' and torch's own Adam, batch normalisation and LSTM; each difference is read back, all
    of them accepted pass, and none of them is left out unseen."""
    path = harness.folder / "defaults.py"
    shutil.copy(DEFAULTS, path)
    brief = (*FORWARD[:4], "U", *FORWARD[5:])
    accepted = harness.run("compare", path, *brief, "--accept", *FIVE)
    assert 0 == accepted.code, accepted.out + accepted.err
    (row,) = harness.report()["stages"]
    assert row["accepted"] and sorted(FIVE) == row["excuse"].split(", ")
    assert row["command"].endswith("--accept " + " ".join(sorted(FIVE)))
    shutil.rmtree(harness.folder / "reports")
    without = harness.run("compare", path, *brief, "--accept", *FIVE[1:])
    assert 1 == without.code
    refused = harness.run("compare", "--accept", NAMES[0])
    assert 2 == refused.code and f"--accept {NAMES[0]}: is for pair files" in refused.err
    listed = harness.run("list", "differences")
    assert 0 == listed.code and all(name in listed.out for name in NAMES)


def test_a_checkpoint_that_was_moved_wrongly_is_named(harness):
    """Both sides bring their weights: they are compared as they are, by parameter."""
    assert 0 == harness.run("init", "mine", "--sides", "torch", "torch").code
    path = harness.folder / "mine.py"
    text = path.read_text(encoding="utf-8")
    begun = "from torch import nn\n\n    torch.manual_seed(0)"
    text = text.replace("from torch import nn", begun)
    text = text.replace("step=step)", "step=step, weights=pair.OWN)")
    path.write_text(text, encoding="utf-8")
    options = ("--no-speed", "--precision", "fp64", "--stages", "W", "F", "--threads", 1)
    same = harness.run("compare", path, *options)
    assert 0 == same.code, same.out + same.err
    shutil.rmtree(harness.folder / "reports")
    head, port = text.split("def port")
    moved = "with torch.no_grad():\n        net.hidden.weight[3, 2] += 0.001\n\n    def step"
    path.write_text(f"{head}def port{port.replace('def step', moved)}", encoding="utf-8")
    assert 1 == harness.run("compare", path, *options).code
    stages = {row["stage"]: row for row in harness.report()["stages"]}
    assert ("FAIL", "hidden/kernel") == tuple(
        stages["weights"][key] for key in ("verdict", "worst")
    )
    assert "PASS" == stages["forward"]["verdict"]


def test_what_is_dropped_in_inference_too_is_the_same_drawn_hour_by_hour(harness):
    """No tape is asked then: the numbers follow from what belongs together, all that is drawn
    behind it included."""
    path = harness.folder / "mine.py"
    path.write_text(ALWAYS_DROPPED, encoding="utf-8")
    compared = harness.run("compare", path, *BRIEF)
    assert 0 == compared.code, compared.err
    report = harness.report()
    (row,) = (row for row in report["stages"] if row["stage"] == "forward")
    assert {"inference/upper", "inference/product"} < {*row["compared"]["names"]}
    assert not any("none in torch" in note for note in report["notes"])


def test_a_stack_of_layers_is_that_many_layers(harness):
    """Each floor beside a layer, whatever both began with; and a port that is left in inference
    mode, as `from_pretrained` leaves it, trains without dropout."""
    path = harness.folder / "stacks.py"
    path.write_text(STACKS.replace(".RESTING", ""), encoding="utf-8")
    options = ("--no-speed", "--precision", "fp64", "--stages", "F", "L", "U", "--threads", 1)
    compared = harness.run("compare", path, *options)
    assert 0 == compared.code, compared.out + compared.err
    report = harness.report()
    assert not any("parameter is" in note for note in report["notes"])
    shutil.rmtree(harness.folder / "reports")
    path.write_text(STACKS.replace("RESTING", "train(stacked)"), encoding="utf-8")
    assert 1 == harness.run("compare", path, *options).code
    report = harness.report()
    verdicts = {row["stage"]: row["verdict"] for row in report["stages"]}
    assert ("PASS", "FAIL") == (verdicts["forward"], verdicts["loss"])
    assert any("is in inference mode when it is built" in note for note in report["notes"])
