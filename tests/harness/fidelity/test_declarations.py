"""What a port tells of itself, and what follows for a verdict."""

from __future__ import annotations

import numpy as np
import pytest

from harness.fidelity.declarations import COUNT, Declarations, counted, notes, raised, unseen
from harness.fidelity.evidence import Restricted
from harness.fidelity.judge import judge_stage
from harness.fidelity.verdict import StageVerdict


def test_what_a_port_cannot_show_is_not_looked_at_but_its_output_always_is(memory):
    """Inner layers of a fused operation are left out where the port has said so; a layer it has
    not named, and its last one, are not."""
    whole = memory(
        {f"training/{name}": np.ones(3) for name in ("lstm/0", "lstm/1", "dense", "logits")}
    )
    fused = memory({f"training/{name}": np.ones(3) for name in ("dense", "logits")})
    names = unseen(whole, fused, Declarations(not_shown=("lstm/*",)), "forward")
    assert ("training/lstm/0", "training/lstm/1") == names
    assert "FAIL" == judge_stage(whole, fused, "forward", "fp64").verdict
    assert (
        "PASS"
        == judge_stage(
            Restricted(whole, (), frozenset(f"forward/{name}" for name in names)),
            fused,
            "forward",
            "fp64",
        ).verdict
    )
    silent = memory({"training/dense": np.ones(3)})
    assert () == unseen(
        memory({"training/dense": np.ones(3), "training/logits": np.ones(3)}),
        silent,
        Declarations(not_shown=("*",)),
        "forward",
    )
    assert () == unseen(whole, fused, Declarations(not_shown=("lstm/*",)), "gradients")


def test_another_number_of_trainable_values_fails_the_weights():
    """A layer that one side forgot to share; where one side does not tell, nothing is said."""
    good = StageVerdict("weights", "PASS", "4 tensors, all equal", None, ())
    found = counted(
        good,
        ("tf2", Declarations(trainable_values=10)),
        ("torch", Declarations(trainable_values=14)),
    )
    assert ("FAIL", COUNT) == (
        found.verdict,
        found.worst.name,
    ) and "10 on tf2, 14 on torch" in found.reason
    assert good is counted(
        good,
        ("tf2", Declarations(trainable_values=10)),
        ("torch", Declarations(trainable_values=10)),
    )
    silent = counted(good, ("tf2", Declarations()), ("torch", Declarations(trainable_values=10)))
    assert (
        "PASS" == silent.verdict
        and "not looked at: how many values train, which the port of tf2 does not tell"
        in silent.reason
    )
    assert good is counted(good, ("tf2", Declarations()), ("torch", Declarations()))
    bad = StageVerdict("weights", "FAIL", "1 of 4 tensors depart", None, ())
    assert (
        "10 on tf2"
        in counted(
            bad,
            ("tf2", Declarations(trainable_values=10)),
            ("torch", Declarations(trainable_values=14)),
        ).reason
    )


def test_a_stage_in_which_a_port_raised_is_undecided_and_says_what():
    """The others are judged."""
    sides = {"tf2": Declarations(), "torch": Declarations({"gradients": "ValueError: no"})}
    found = raised("gradients", sides)
    assert ("INCONCLUSIVE", "torch raised in this stage: ValueError: no") == (
        found.verdict,
        found.reason,
    )
    assert raised("loss", sides) is None


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (
            (True, False),
            "the updates of torch are the harness's own loop (adam of the specification)",
        ),
        ((False, False), "no training loop of a port was judged"),
        ((True, True), ""),
        ((None, None), ""),
    ],
)
def test_it_is_said_whose_training_was_judged(own, words):
    """A base class trains by the specification, whatever loop stands in the port's file."""
    sides = {
        label: Declarations(own_training=declarations)
        for label, declarations in zip(("tf2", "torch"), own, strict=True)
    }
    assert words in "".join(notes("update", sides, "adam"))
    assert bool(words) is bool(notes("trajectory", sides, "adam")) and [] == notes(
        "loss", sides, "adam"
    )


def test_state_that_nobody_declared_is_named():
    """Where it moves: in the forward pass and in the update."""
    sides = {"tf2": Declarations(), "torch": Declarations(undeclared=("hid.u",))}
    assert "torch has state that the workload does not declare and nobody compares: hid.u" in notes(
        "forward", sides, "sgd"
    )
