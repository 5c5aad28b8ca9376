"""What a stage's verdict is named after."""

from __future__ import annotations

import pytest

from harness.fidelity.verdict import TensorVerdict, sum_up
from harness.results.verdicts import Fidelity

PHASES = ("warm/up", "warm/up/more", "main")


def verdicts(*failed: str) -> list[TensorVerdict]:
    """Return the gradients of three layers in each phase, those named wrong."""
    names = [
        f"{phase}/{layer}/kernel" for phase in PHASES for layer in ("input", "middle", "output")
    ]
    assert set(failed) <= set(names)
    return [
        TensorVerdict(name, Fidelity.FAIL if name in failed else Fidelity.PASS, "", 1.0, 0.1, 0.1)
        for name in names
    ]


@pytest.mark.parametrize(
    ("failed", "named"),
    [
        (("main/input/kernel",), "main/input/kernel"),
        (("main/input/kernel", "main/middle/kernel"), "main/middle/kernel"),
        (("main/input/kernel", "main/middle/kernel", "main/output/kernel"), "main/output/kernel"),
        (("warm/up/input/kernel", "main/output/kernel"), "warm/up/input/kernel"),
        (
            ("warm/up/more/input/kernel", "warm/up/more/middle/kernel", "main/input/kernel"),
            "warm/up/more/middle/kernel",
        ),
    ],
)
def test_a_wrong_gradient_is_the_first_one_on_the_way_back_from_the_loss(failed, named):
    """Backward passes run from the last layer to the first; an error made in the middle reaches
    all layers before it."""
    found = sum_up("gradients", verdicts(*failed), PHASES)
    assert (Fidelity.FAIL, named) == (found.verdict, found.worst.name)
    assert found.reason.startswith(f"{len(failed)} of 9 tensors depart, {named} first")


def test_other_stages_run_forwards():
    """There the first tensor in order is the one nearest to the fault."""
    found = sum_up("update", verdicts("main/input/kernel", "main/middle/kernel"), PHASES)
    assert "main/input/kernel" == found.worst.name
