"""What a teacher-forced run has shown reaches the row, and every reader of the report."""

from __future__ import annotations

import dataclasses
import io

import pytest
from rich.console import Console

from harness.experiments import wrong_layers
from harness.fidelity.layers import find
from harness.fidelity.measure import TensorDifference
from harness.fidelity.verdict import TensorVerdict
from harness.report import html, json_format, junit, markdown, terminal
from harness.results.model import Report, StageRow
from harness.results.verdicts import Fidelity

DIFFERENCE = TensorDifference(0.5, (0, 3), 1.5, 2.0, 0.3, 0.9, finite=True, same_mask=True)
NAMES = ("training/conv1", "training/conv2", "training/dense2")
READ = {"training/conv2": ["training/conv1"], "training/dense2": ["training/conv2"]}


def row(worst: str = "training/conv2") -> StageRow:
    """Return the row of a forward pass that failed."""
    return StageRow(
        "cnn",
        "tf2",
        "torch",
        "fp64",
        "forward",
        Fidelity.FAIL,
        "2 of 3 tensors depart",
        worst,
        1.0,
        0.1,
        0.2,
        1.0,
        2.0,
        "[1]",
        seed=0,
    )


def layers(*wrong: str):
    """Return what a teacher-forced run shows if these layers depart."""
    verdicts = [
        TensorVerdict(
            name, Fidelity.FAIL if name in wrong else Fidelity.PASS, "", 0.5, 0.01, 0.02, DIFFERENCE
        )
        for name in NAMES
    ]
    return find(verdicts, READ, {})


def text(report: Report) -> str:
    """Return what a wide terminal shows."""
    page = io.StringIO()
    Console(file=page, width=200).print(terminal.render(report))
    return page.getvalue()


@pytest.mark.parametrize(
    "render", [text, markdown.render, html.render, junit.render, json_format.to_json]
)
def test_every_format_names_the_wrong_layers(render):
    """The row's reason says it, wherever the row is shown."""
    named = wrong_layers.named(row(), layers("training/conv2", "training/dense2"))
    report = Report("", "", "", "", Fidelity.FAIL, "", (named,), (), (), (), {})
    assert "wrong layers, each given the right input: conv2, dense2" in render(report)
    assert NAMES[1:] == named.wrong_layers


def test_the_first_wrong_layer_stands_for_the_stage():
    """With its own numbers, where it is another one than departs first; else the row's numbers
    stay."""
    same = wrong_layers.named(row(), layers("training/conv2"))
    assert dataclasses.replace(row(), reason=same.reason, wrong_layers=("training/conv2",)) == same
    other = wrong_layers.named(row(), layers("training/conv1"))
    assert ("training/conv1", 0.5, 0.01, 0.02) == (
        other.worst,
        other.error,
        other.floor,
        other.threshold,
    )
    assert (DIFFERENCE.value_a, DIFFERENCE.value_b, "[0, 3]") == (
        other.value_a,
        other.value_b,
        other.place,
    )


@pytest.mark.parametrize("said", ["the layers cannot be told apart: why", layers()])
def test_without_a_wrong_layer_the_naming_stays(said):
    """The reason says why there is none."""
    found = wrong_layers.named(row(), said)
    assert dataclasses.replace(row(), reason=f"2 of 3 tensors depart; {said}") == found
