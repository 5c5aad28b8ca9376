"""Which build is wrong is said where the pairs say it, and nowhere else."""

from __future__ import annotations

import dataclasses

import pytest

from harness.report.matrix import matrix
from harness.report.suspects import suspects
from tests.harness.report.sample_builds import REPORT

CNN = [row for row in REPORT.stages if row.workload == "cnn" and row.precision == "fp64"]


def said(rows) -> tuple[str, ...]:
    return suspects(matrix(rows).lines)


def changed(rows, verdict, *pairs):
    """Return rows with another verdict of the last stage of some pairs."""
    return [
        dataclasses.replace(row, verdict=verdict)
        if (row.a, row.b) in pairs and row.stage == "trajectory"
        else row
        for row in rows
    ]


def test_one_build_against_all_others():
    """Every pair with it fails, every other one passes."""
    others = "which agree with each other"
    assert (f"cnn: torch departs from all 4 others, {others}, first at gradients.",) == said(CNN)


@pytest.mark.parametrize(
    ("verdict", "pair"),
    [("FAIL", ("tf1", "tf2")), ("INCONCLUSIVE", ("tf1", "tf2"))],
)
def test_nobody_is_named_where_others_do_not_agree(verdict, pair):
    """Two of the others differ, or nobody knows whether they do."""
    (text,) = said(changed(CNN, verdict, pair))
    assert "torch departs" not in text and "of 10 pairs depart" in text


def test_nobody_is_named_where_a_pair_is_missing():
    """It may be the one that would not agree."""
    (text,) = said([row for row in CNN if (row.a, row.b) != ("tf1", "tf2")])
    assert "4 of 9 pairs depart" in text


def test_two_builds_cannot_say_which_is_wrong():
    """They differ, and that is all; where nothing fails nothing is said."""
    pair = [row for row in CNN if (row.a, row.b) == ("tf1", "torch")]
    assert ("cnn: tf1 and torch differ, first at gradients.",) == said(pair)
    assert () == said([row for row in CNN if "torch" not in (row.a, row.b)])
