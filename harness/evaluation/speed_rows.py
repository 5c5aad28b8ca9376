"""From the rounds of a speed job to rows of a report."""

from __future__ import annotations

import dataclasses
import itertools
import statistics
from collections.abc import Sequence
from pathlib import Path

from backends.contract import ACTIONS
from harness.evaluation import circumstances, cost_rows, job_rows, measured_rounds, settings_parity
from harness.plan import SpeedJob, command
from harness.records import store
from harness.results.model import SpeedRow
from harness.results.verdicts import Speed
from harness.speed import estimate, plot_series, verdict


@dataclasses.dataclass
class Timed:
    """What was measured of one speed job: the sides still in it, their rounds, and the sides that
    had to leave.

    Attributes:
        final: its run has ended. shortage: why it could not go on, where steps are too long for the
            budget.
    """

    job: SpeedJob
    labels: list[str]
    records: list[store.Record] = dataclasses.field(default_factory=list)
    failed: list[store.Record] = dataclasses.field(default_factory=list)
    final: bool = False
    shortage: str = ""

    @property
    def counted(self) -> list[store.Record]:
        """The rounds that make a verdict: neither disturbed by other programs nor unsteady."""
        return circumstances.usable(self.records)


def pairs(timed: Timed) -> list[tuple[str, str]]:
    """Return the pairs that are judged: all of them; of one build's precisions, each against the
    first that is left."""
    pairs = list(itertools.combinations(timed.labels, 2))
    return [pair for pair in pairs if pair[0] == timed.labels[0]] if timed.job.precisions else pairs


def counted_rounds(timed: Timed, action: str) -> list[estimate.RoundTimes]:
    """Return what the rounds that count have measured of an action.

    Args:
        timed: its rounds count unless they were disturbed or unsteady.
        action: one that all of them measured.
    """
    return [measured_rounds.as_round(record, action) for record in timed.counted]


def rows(jobs: Sequence[Timed], run: Path) -> list[SpeedRow]:
    """Return one row for every pair with the first side, then for the others, by action.

    Args:
        jobs: in the order of their rows. One without any round has rows only where steps are too
            long for the budget.
        run: the run's folder, to which the paths of logs are relative.
    """
    rows = []
    for timed in jobs:
        if not timed.records:
            rows += [
                _unmeasured(timed, action, a, b)
                for action, (a, b) in itertools.product(ACTIONS, pairs(timed))
                if timed.shortage
            ]
            continue
        measured = timed.records[-1].round.actions
        for action, (a, b) in itertools.product(timed.job.actions, pairs(timed)):
            if action in measured and {a, b} <= {*measured[action].prepared}:
                rows.append(_row(timed, action, a, b, run))
    return rows


def _row(timed: Timed, action: str, a: str, b: str, run: Path) -> SpeedRow:
    measured = counted_rounds(timed, action)
    # What ended the run is shown as it was seen.
    estimated = estimate.estimate(measured, a, b, timed.final)
    judged = _judged(timed, estimated)
    judged = settings_parity.judge(timed.job, timed.records, (action, a, b), judged)
    if judged.verdict == Speed.REFUSED:
        estimated = estimate.Estimate(len(timed.records))
    last = timed.records[-1].round.actions[action]
    # Step times are shown even where they decide nothing.
    shown = measured or [measured_rounds.as_round(record, action) for record in timed.records]
    step = {label: estimate.step_time(shown, label) for label in (a, b)}
    count = timed.records[-1].round.rows_a_step
    return dataclasses.replace(
        _bare(timed, action, a, b),
        verdict=judged.verdict,
        reason=judged.reason,
        ratio=estimated.ratio,
        low=estimated.low,
        high=estimated.high,
        material=judged.material,
        rounds=len(measured),
        more_rounds=judged.more_rounds,
        more_s=judged.more_s,
        a_step_s=step[a],
        b_step_s=step[b],
        a_rate=_rate(count, step[a]),
        b_rate=_rate(count, step[b]),
        a_warmup_s=_warmup(timed, action, a),
        b_warmup_s=_warmup(timed, action, b),
        segment=last.prepared[a].segment if action == "train" else "",
        a_build_s=_build(timed, a),
        b_build_s=_build(timed, b),
        a_first_step_s=cost_rows.first_step(timed.records, action, a),
        b_first_step_s=cost_rows.first_step(timed.records, action, b),
        a_peak_bytes=_peak(timed, action, a),
        b_peak_bytes=_peak(timed, action, b),
        a_cost=cost_rows.cost(timed.records, action, a, step[a]),
        b_cost=cost_rows.cost(timed.records, action, b, step[b]),
        differences=tuple(
            str(difference)
            for difference in settings_parity.differences(timed.records, action, a, b)
        ),
        obstacle=_obstacle(timed) if judged.verdict == Speed.UNCLEAR else "",
        logs=tuple(_log(run, timed.records[-1], label) for label in (a, b)),
        turns=plot_series.turns(shown, a, b) if action in ACTIONS else None,
    )


def _judged(timed: Timed, estimated: estimate.Estimate) -> verdict.SpeedVerdict:
    """Judge what was measured; where too few rounds count, say what made them worthless, or too
    few."""
    judged = verdict.judge(
        estimated, round_s=statistics.median(record.duration_s for record in timed.records)
    )
    if judged.verdict == Speed.UNCLEAR and (why := _obstacle(timed)):
        return dataclasses.replace(judged, reason=why, more_rounds=None, more_s=None)
    return judged


def _obstacle(timed: Timed) -> str:
    """Return what kept rounds from counting, or from being run; empty if nothing did."""
    return circumstances.why_too_few(timed.records) or timed.shortage


def _unmeasured(timed: Timed, action: str, a: str, b: str) -> SpeedRow:
    """Return the row of a pair of which not even one round fits into the budget."""
    reason = timed.shortage
    return dataclasses.replace(_bare(timed, action, a, b), reason=reason, obstacle=reason)


def _bare(timed: Timed, action: str, a: str, b: str) -> SpeedRow:
    """Return a row that says what was compared and how it ran, without a verdict."""
    job = timed.job
    return SpeedRow(
        workload=job.workload,
        a=a,
        b=b,
        precision=job.spelled(a, b),
        preset=job.preset,
        action=action,
        verdict=Speed.UNCLEAR,
        reason="",
        gain=bool(job.precisions),
        threads=job.threads,
        seed=job.seed,
        device=job.device,
        execution=job.execution,
        data=job.data,
        interpreters=_interpreters(timed, a, b),
        command=command.of_speed(job),
    )


def _interpreters(timed: Timed, a: str, b: str) -> tuple[str, ...]:
    """Return the interpreters of both sides, where the user has named one."""
    named = {side.label: side.python for side in timed.job.sides}
    return (named[a], named[b]) if named[a] or named[b] else ()


def _log(run: Path, record: store.Record, label: str) -> str:
    return job_rows.relative(run, record.folder / f"{label.replace('#', '-')}.log")


def _rate(count: int, step_s: float | None) -> float | None:
    return count / step_s if step_s else None


def _warmup(timed: Timed, action: str, label: str) -> float:
    """Return what comes before steady steps: building the port and the first step, seconds, median
    over rounds in which that is timed."""
    return statistics.median(
        record.round.opened[label].build_s
        + record.round.actions[action].prepared[label].first_step_s
        for record in cost_rows.cold(timed.records, action, label)
    )


def _build(timed: Timed, label: str) -> float:
    return statistics.median(record.round.opened[label].build_s for record in timed.records)


def _peak(timed: Timed, action: str, label: str) -> int:
    """Return the peak resident memory of a side's process tree during an action, over all rounds,
    bytes."""
    return max(record.round.actions[action].peak_bytes.get(label, 0) for record in timed.records)
