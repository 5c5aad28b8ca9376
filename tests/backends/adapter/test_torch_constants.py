"""Which hyper-parameters of torch's optimizers would make another run if float32 held them: those
that it holds are proved to move nothing."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from backends import pair
from backends.adapter.draws import Draws
from backends.contract import Setting

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]
ROWS = {"x": np.random.RandomState(1).normal(size=(8, 4))}
EXACT, NOT = 2.0**-6, 1e-3


def trained_by(kind, **words):
    """A side with a small net and one of torch's optimizers."""
    import torch

    torch.manual_seed(0)
    net = torch.nn.Linear(4, 3).double()
    optimizer = getattr(torch.optim, kind)(net.parameters(), **words)
    declared = pair.torch(net, optimizer, loss=lambda out, batch: (out**2).mean())
    sides = importlib.import_module("backends.torch.adapter")
    return sides.Side(lambda: declared, Setting(precision="fp64", threads=1))


@pytest.mark.parametrize(
    ("kind", "words", "moving"),
    [
        ("SGD", {"lr": EXACT, "momentum": 0.75}, ""),
        ("SGD", {"lr": NOT}, "rates"),
        ("SGD", {"lr": EXACT, "momentum": 0.9}, "others"),
        ("SGD", {"lr": EXACT, "weight_decay": 0.1}, "others"),
        ("RMSprop", {"lr": EXACT, "alpha": 0.875}, ""),
        ("RMSprop", {"lr": NOT, "alpha": 0.99}, "rates others"),
        ("Adam", {"lr": EXACT, "betas": (0.75, 0.875)}, "powers"),
        ("Adam", {"lr": EXACT, "betas": (0.9, 0.875)}, "others powers"),
        ("Adamax", {"lr": EXACT, "betas": (0.75, 0.875)}, "powers"),
        ("Adagrad", {"lr": EXACT}, "others"),
    ],
)
def test_what_float32_holds_is_proved_to_move_nothing(kit, kind, words, moving):
    """By the numbers of every update that was made: and a run with them rounded is the same run."""
    made = trained_by(kind, **words)
    which = ("rates", "others", "powers")
    # Nothing is known before the first update.
    assert [True] * 3 == [made.constants_may_move(each) for each in which]
    kept, ends = made.snapshot(), {}
    for rounded in ("", *which):
        made.round_constants(rounded)
        made.step("train", ROWS, Draws("train"))
        ends[rounded] = made.parameters()
        made.restore(kept)
    made.round_constants("")
    assert moving.split() == [each for each in which if made.constants_may_move(each)]
    for each in {*which} - {*moving.split()}:
        assert all(np.array_equal(value, ends[""][key]) for key, value in ends[each].items())


def test_a_number_that_a_schedule_comes_to_is_seen(kit):
    """And what is no plain number may be anything: it is never taken for proved."""
    import torch

    made = trained_by("SGD", lr=EXACT)
    (optimizer,) = made.optimizers.values()
    made.step("train", ROWS, Draws("train"))
    assert not made.constants_may_move("rates")
    for group in optimizer.param_groups:
        group["lr"] = EXACT * 0.9
    made.step("train", ROWS, Draws("train"))
    optimizer.param_groups[0]["lr"] = EXACT
    made.step("train", ROWS, Draws("train"))
    assert made.constants_may_move("rates") and not made.constants_may_move("others")
    optimizer.param_groups[0]["more"] = torch.tensor(0.5)
    made.step("train", ROWS, Draws("train"))
    assert made.constants_may_move("others")
