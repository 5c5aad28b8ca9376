"""From real rounds to rows: intervals by what ended the run, and what the first step took."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import pytest

from harness.evaluation import speed_rows
from harness.execution import runner
from harness.experiments import speed_rounds
from harness.report import costs
from harness.speed import schedule
from tests.harness import short_rounds
from tests.harness.short_rounds import planned


@pytest.fixture
def run_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> runner.RunContext:
    return short_rounds.run_context(tmp_path, monkeypatch)


def test_what_ended_a_run_is_shown_as_it_was_seen(
    run_context: runner.RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that its budget ends spends all that is left of the error rate on its last look; one
    that a look ends shows that look's own, wider interval: else a finding that did not end it could
    appear after it."""
    monkeypatch.setattr(schedule, "MIN_ROUNDS", 5)
    (one,) = speed_rounds.run_speed(run_context, (planned("", ""),), 0.0, lambda _: None)
    one.final = True
    narrow = speed_rows.rows([one], run_context.run)[0]
    one.final = False
    wide = speed_rows.rows([one], run_context.run)[0]
    assert (
        narrow.low is not None
        and narrow.high is not None
        and wide.low is not None
        and wide.high is not None
    )
    assert wide.low < narrow.low <= narrow.high < wide.high


@pytest.mark.parametrize(("execution", "expected"), [("compiled", 30.0), ("eager", 0.5)])
def test_what_compiling_takes_is_part_of_the_first_step(
    run_context: runner.RunContext, execution: str, expected: float
) -> None:
    """Both come from the same rounds, and so does the warm-up that holds them: of what is
    compiled, from the one with no cache."""
    (one,) = speed_rounds.run_speed(run_context, (planned("", ""),), 0.0, lambda _: None)
    one.records = [*one.records, *copy.deepcopy(one.records)][:3]
    for number, record in enumerate(one.records):
        for label, side in record.result["actions"]["train"]["prepared"].items():
            side["first_step_s"] = 30.0 if number == 0 else 0.5
            side["effective"]["execution"] = execution
            record.result["opened"][label]["build_s"] = 0.25
    one.records = [dataclasses.replace(record) for record in one.records]
    row = speed_rows.rows([one], run_context.run)[0]
    assert (expected + 0.25, expected + 0.25) == (
        row.a_warmup_s,
        row.b_warmup_s,
    ) and row.a_step_s is not None
    for line, step_s in zip(costs.lines([row]), (row.a_step_s, row.b_step_s), strict=True):
        assert line.first_s == expected and line.cost.trace_s == pytest.approx(expected - step_s)
