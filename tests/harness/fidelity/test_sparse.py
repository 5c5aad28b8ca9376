"""Which rows of a matrix depart in an update, and what that tells of an optimizer that gets
sparse gradients."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness.fidelity import sparse
from harness.fidelity.evidence import TensorEntry
from harness.fidelity.judge import judge_stage

BEFORE = np.arange(1.0, 21.0).reshape(5, 4)
STEP = 0.01 * np.ones((5, 4))
NAME = "step 1/train/parameter/emb"


@dataclasses.dataclass
class Side:
    """One side: stage -> name -> array."""

    tensors: dict
    digested: bool = False

    def entries(self, stage):
        return [
            TensorEntry(
                stage,
                name,
                value.shape,
                "float64",
                0.01 if "parameter/" in name else 0.0,
                float(np.abs(value).max()),
            )
            for name, value in self.tensors.get(stage, {}).items()
        ]

    def read(self, stage, name):
        return self.tensors[stage][name]

    def noise(self, stage, name):
        return {"ulp": [1e-15], "weights": [1e-15], "reorder": [1e-15], "repeat": [0.0]}


def side(step, gradient=None, **more):
    tensors = {"weights": {"emb": BEFORE}, "update": {NAME: BEFORE + step}}
    if gradient is not None:
        tensors["gradients"] = {"train/emb": gradient}
    return Side(tensors, **more)


def rows(*factors):
    """Return the step with each row times a factor."""
    return STEP * np.array(factors, np.float64)[:, None]


def said(a, b):
    verdict = judge_stage(a, b, "update", "fp64")
    assert "FAIL" == verdict.verdict
    return sparse.note(a, b, verdict)


def test_rows_that_come_more_than_once():
    """Squares that are summed too late move whole rows otherwise; rows that come once agree, and
    the gradients do."""
    text = said(side(rows(2, 1, 1, 0, 1), STEP), side(rows(1, 1, 1, 0, 1), STEP))
    assert "departs in 1 of the 4 rows that move" in text and "tf.IndexedSlices" in text


def test_rows_that_only_one_side_moves():
    """A lazy optimizer leaves alone what the batch does not hold."""
    text = said(side(rows(1, 1, 1, 1, 1)), side(rows(1, 0, 1, 0, 1)))
    assert "side b leaves 2 rows alone that side a moves" in text
    assert "side a leaves 2 rows alone that side b moves" in said(
        side(rows(1, 0, 1, 0, 1)), side(rows(1, 1, 1, 1, 1))
    )


def test_the_step_before_is_the_one_that_is_shown():
    """In the second step a row has moved if it is not where the first has left it."""
    a, b = side(rows(1, 1, 1, 0, 0)), side(rows(1, 1, 1, 0, 0))
    second = NAME.replace("1", "2")
    a.tensors["update"][second] = BEFORE + rows(2, 2, 1.5, 1, 1)
    b.tensors["update"][second] = BEFORE + rows(1, 2, 1, 1, 1)
    assert "side b leaves 2 rows alone that side a moves" in said(a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (side(rows(2, 2, 2, 2, 2)), side(STEP)),  # another rate: every row
        (
            side(np.where(np.eye(5, 4) > 0, 2.0, 1.0) * STEP),
            side(STEP),
        ),  # single values, as clipping makes them
        (
            side(rows(2, 1, 1, 0, 1), STEP),
            side(rows(1, 1, 1, 0, 1), 2.0 * STEP),
        ),  # the fault lies in the gradient
        (
            Side({"update": {NAME: BEFORE + rows(2, 1, 1, 0, 1)}}),
            side(rows(1, 1, 1, 0, 1)),
        ),  # where it began is not shown
        (
            Side({"weights": {"emb": BEFORE[0]}, "update": {NAME: BEFORE[0] + STEP[0]}}),
            Side({"weights": {"emb": BEFORE[0]}, "update": {NAME: BEFORE[0] + 2 * STEP[0]}}),
        ),  # no matrix
    ],
    ids=["every row", "single values", "gradients", "no weights", "vector"],
)
def test_nothing_is_said_where_rows_tell_nothing(a, b):
    """Of other faults."""
    assert "" == said(a, b)


def test_nothing_is_said_of_a_pass_and_of_digests():
    """Nor of another stage."""
    good, bad = side(STEP), side(rows(2, 1, 1, 1, 1))
    assert "" == sparse.note(good, good, judge_stage(good, good, "update", "fp64"))
    failed = judge_stage(bad, good, "update", "fp64")
    assert sparse.note(bad, good, failed) and "" == sparse.note(
        bad, dataclasses.replace(good, digested=True), failed
    )
    assert "" == sparse.note(bad, good, dataclasses.replace(failed, stage="gradients"))


def test_nothing_is_said_of_values_that_agree():
    """It fails because rows in another order move one side alone."""
    good = side(STEP)

    class Moved(Side):
        def noise(self, stage, name):
            return {**Side.noise(self, stage, name), "reorder": [1e-3]}

    moved = Moved(good.tensors)
    assert (
        "" == said(moved, good)
        and "depends on the order of rows" in judge_stage(moved, good, "update", "fp64").reason
    )
