"""What was read back of a pair is judged by what its forward stage has shown."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.commands import pair_notes
from harness.pairs import notes
from harness.pairs.file import DeclaredSide, PairFile
from harness.pairs.inference import Inference
from harness.pairs.workload import Inferred
from harness.plan import Request
from harness.results.model import StageRow
from harness.results.series import Compared
from tests.harness.pairs import scenes

PAIR = PairFile(Path("/folder/mine.py"), (DeclaredSide("tf2", "a", 1),) * 2, "data")
SHOWS = "read back: hidden: padding is valid in plain, same in turned; shows at forward"
WITHOUT = SHOWS.replace("shows at forward", "without effect here: forward agrees there")
OTHER = "another line"


def request() -> Request:
    """A request of a pair whose sides pad otherwise."""
    made, _ = scenes.inferred()
    own = _padded(made, "valid")
    other = dataclasses.replace(made.others[0], side=_padded_side(made.others[0].side, "same"))
    made = dataclasses.replace(own, others=(other,))
    sides = ("tf2", "torch")
    workload = Inferred(PAIR, sides, made)
    assert SHOWS in notes.sentences(made)
    lines = (*notes.sentences(made), OTHER)
    return Request(
        workloads=(workload,),
        sides=(),
        precisions=("fp64",),
        stages=(),
        preset=None,
        device="cpu",
        execution="default",
        seeds=(0,),
        threads=1,
        fidelity_threads=1,
        left_out=lines,
    )


def _padded(made: Inference, padding: str) -> Inference:
    return dataclasses.replace(made, first=_padded_side(made.first, padding))


def _padded_side(side, padding):
    first, *rest = side.survey.layers
    first = dataclasses.replace(first, attributes={**first.attributes, "padding": padding})
    survey = dataclasses.replace(side.survey, layers=(first, *rest))
    return dataclasses.replace(side, survey=survey)


def row(verdict: str, precision: str = "fp64", departing: str = "", **more) -> StageRow:
    names = tuple(f"{mode}/{name}" for mode in ("training", "inference") for name in LAYERS)
    verdicts = tuple("FAIL" if departing and departing in name else "PASS" for name in names)
    numbers = (0.0,) * len(names)
    compared = Compared(names, verdicts, numbers, numbers, numbers)
    judged = {"precision": precision, "stage": "forward", "verdict": verdict, "reason": ""}
    return StageRow("mine", "tf2", "torch", compared=compared, **judged, **more)


LAYERS = ("hidden", "relu", "classes")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((row("PASS"),), WITHOUT),
        ((row("PASS"), row("PASS", "fp32")), WITHOUT),
        ((row("PASS"), row("FAIL", "fp32", "hidden")), SHOWS),
        ((row("FAIL", departing="classes"),), WITHOUT),
        ((row("FAIL", departing="hidden"),), SHOWS),
        ((row("PASS", accepted=True),), SHOWS),
        ((dataclasses.replace(row("INCONCLUSIVE"), compared=None),), SHOWS),
        ((dataclasses.replace(row("PASS"), stage="update"),), SHOWS),
        ((dataclasses.replace(row("PASS"), workload="other"),), SHOWS),
        ((), SHOWS),
    ],
)
def test_what_was_to_show_in_the_forward_stage(rows: tuple[StageRow, ...], expected: str):
    """It is without effect where that passes, as a whole or of that layer, in every precision and
    without anything accepted; all other lines stay."""
    lines = pair_notes.after(request(), rows)
    assert expected in lines and OTHER in lines and len(lines) == len(request().left_out)
