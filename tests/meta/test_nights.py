"""The simulation behind docs/changes.md, a small part of it: it finds a rule that cries wolf,
and the rule as shipped is none."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness.changes import detector, welch
from harness.speed.replay import bound
from tests.evaluation.nights import pairs, series


def test_two_nights_of_identical_processes_are_not_told_apart():
    """Recorded rounds, as the sequential rule ends them; what is large is found."""
    found = pairs.simulate(pairs.POINTS[0], 40)
    assert found.false <= bound(0.01, 40) and found.power[-1] > 0.9


def test_a_rule_without_a_shared_error_rate_is_seen(monkeypatch: pytest.MonkeyPatch):
    """Planted: each row at 10 % by itself and no margin; nearly every night has a false alarm."""
    judge = welch.judge
    monkeypatch.setattr(
        pairs.welch, "judge", lambda rows: [judge([row], 0.1, 0.0)[0] for row in rows]
    )
    assert pairs.simulate(dataclasses.replace(pairs.POINTS[0], known=True), 10).false > 0.3


def test_nights_that_differ_need_to_be_known(monkeypatch: pytest.MonkeyPatch):
    """Two per cent beside the rounds: known, they are no alarm."""
    known = dataclasses.replace(pairs.POINTS[-1], most=10)
    assert known.promised and pairs.simulate(known, 20).false <= bound(0.01, 20)
    assert not dataclasses.replace(known, known=False).promised


@pytest.mark.parametrize("kind", series.KINDS, ids=lambda kind: kind.name)
def test_a_series_without_a_change_has_no_step(kind: series.Kind):
    """As far as nights are exchangeable."""
    if kind.promised:
        assert series.simulate(kind, 40).found <= bound(0.01, 40)


def test_a_threshold_for_one_night_is_seen(monkeypatch: pytest.MonkeyPatch):
    """Planted: a detector that calls every night a step which lies 3 % off the mean of those
    before."""

    def threshold(values: np.ndarray, errors: np.ndarray) -> tuple[int, ...]:
        return tuple(
            place
            for place in range(6, len(values))
            if abs(values[place] - values[:place].mean()) > 0.03
        )

    monkeypatch.setattr(
        series,
        "steps",
        lambda values, errors: tuple(
            detector.LevelStep(place, 0.0, 0.0, 0.0, 0.0, 1.0, False, False)
            for place in threshold(values, errors)
        ),
    )
    assert series.simulate(series.KINDS[1], 40).found > 0.3


def test_five_per_cent_are_found_within_a_few_nights():
    """On the usual machine, at its place."""
    found = series.power(series.KINDS[1], 0.05, 20)
    assert found.found[series.AFTER.index(5)] > 0.8


def test_the_tables_have_a_row_for_each_kind_of_noise():
    """Markdown, every row with as many cells as the header."""
    quiet = [series.simulate(kind, 2) for kind in series.KINDS]
    for text in (
        series.null_table(quiet, quiet),
        pairs.table([pairs.simulate(pairs.POINTS[0], 1)]),
    ):
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert {rows[0].count("|")} == {line.count("|") for line in rows}
