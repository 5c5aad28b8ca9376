"""From the rounds of a speed job to rows of a report."""

from __future__ import annotations

import dataclasses
import itertools
import statistics
from collections.abc import Sequence
from pathlib import Path

from backends.contract import ACTIONS
from harness.evaluation import circumstances, cost_rows, job_rows, settings_parity
from harness.execution import rounds
from harness.plan import SpeedJob, command
from harness.records import store
from harness.results.model import SpeedRow
from harness.results.verdicts import Speed
from harness.speed import estimate, traces, verdict


@dataclasses.dataclass
class Timed:
    """What was measured of one speed job: the sides still in it, their rounds, and the sides that
    had to leave.

    Attributes:
        final: its run has ended. lacking: why it could not go on, where steps are too long for the
            budget.
    """

    job: SpeedJob
    labels: list[str]
    records: list[store.Record] = dataclasses.field(default_factory=list)
    failed: list[store.Record] = dataclasses.field(default_factory=list)
    final: bool = False
    lacking: str = ""

    @property
    def counted(self) -> list[store.Record]:
        """The rounds that make a verdict: neither disturbed by other programs nor unsteady."""
        return circumstances.usable(self.records)


def pairs(one: Timed) -> list[tuple[str, str]]:
    """Return the pairs that are judged: all of them; of one build's precisions, each against the
    first that is left."""
    pairs = list(itertools.combinations(one.labels, 2))
    return [pair for pair in pairs if pair[0] == one.labels[0]] if one.job.precisions else pairs


def measured_rounds(one: Timed, action: str) -> list[estimate.Round]:
    """Return what the rounds that count have measured of an action."""
    return [rounds.as_round(record, action) for record in one.counted]


def rows(timed: Sequence[Timed], run: Path) -> list[SpeedRow]:
    """Return one row for every pair with the first side, then for the others, by action."""
    found = []
    for one in timed:
        if not one.records:
            found += [
                _unmeasured(one, action, a, b)
                for action, (a, b) in itertools.product(ACTIONS, pairs(one))
                if one.lacking
            ]
            continue
        measured = one.records[-1].result["actions"]
        for action, (a, b) in itertools.product(one.job.actions, pairs(one)):
            if action in measured and {a, b} <= {*measured[action]["prepared"]}:
                found.append(_row(one, action, a, b, run))
    return found


def _row(one: Timed, action: str, a: str, b: str, run: Path) -> SpeedRow:
    measured = measured_rounds(one, action)
    estimated = estimate.estimate(
        measured, a, b, one.final
    )  # what ended the run is shown as it was seen
    judged = _judged(one, estimated)
    judged = settings_parity.judge(one.job, one.records, (action, a, b), judged)
    if judged.verdict == Speed.REFUSED:
        estimated = estimate.Estimate(len(one.records))
    last = one.records[-1].result["actions"][action]
    told = measured or [
        rounds.as_round(record, action) for record in one.records
    ]  # step times are told even where they decide nothing
    step = {label: estimate.step_time(told, label) for label in (a, b)}
    count = int(one.records[-1].result["rows_a_step"])
    return SpeedRow(
        workload=one.job.workload,
        a=a,
        b=b,
        precision=one.job.spelled(a, b),
        preset=one.job.preset,
        action=action,
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
        a_warmup_s=_warmup(one, action, a),
        b_warmup_s=_warmup(one, action, b),
        segment=str(last["prepared"][a].get("segment", "")) if action == "train" else "",
        a_build_s=_build(one, a),
        b_build_s=_build(one, b),
        a_first_step_s=cost_rows.first_step(one.records, action, a),
        b_first_step_s=cost_rows.first_step(one.records, action, b),
        a_peak_bytes=_peak(one, action, a),
        b_peak_bytes=_peak(one, action, b),
        a_cost=cost_rows.cost(one.records, action, a, step[a]),
        b_cost=cost_rows.cost(one.records, action, b, step[b]),
        gain=bool(one.job.precisions),
        threads=one.job.threads,
        seed=one.job.seed,
        differences=tuple(
            str(difference) for difference in settings_parity.differences(one.records, action, a, b)
        ),
        obstacle=_obstacle(one) if judged.verdict == Speed.UNCLEAR else "",
        command=command.of_speed(one.job),
        logs=tuple(_log(run, one.records[-1], label) for label in (a, b)),
        turns=traces.turns(told, a, b) if action in ACTIONS else None,
    )


def _judged(one: Timed, estimated: estimate.Estimate) -> verdict.Verdict:
    """Judge what was measured; where too few rounds count, say what made them worthless, or too
    few."""
    judged = verdict.judge(
        estimated, round_s=statistics.median(record.duration_s for record in one.records)
    )
    if judged.verdict == Speed.UNCLEAR and (why := _obstacle(one)):
        return dataclasses.replace(judged, reason=why, more_rounds=None, more_s=None)
    return judged


def _obstacle(one: Timed) -> str:
    """Return what kept rounds from counting, or from being run; empty if nothing did."""
    return circumstances.why_too_few(one.records) or one.lacking


def _unmeasured(one: Timed, action: str, a: str, b: str) -> SpeedRow:
    """Return the row of a pair of which not even one round fits into the budget."""
    return SpeedRow(
        workload=one.job.workload,
        a=a,
        b=b,
        precision=one.job.spelled(a, b),
        preset=one.job.preset,
        action=action,
        verdict=Speed.UNCLEAR,
        reason=one.lacking,
        obstacle=one.lacking,
        gain=bool(one.job.precisions),
        threads=one.job.threads,
        seed=one.job.seed,
        command=command.of_speed(one.job),
    )


def _log(run: Path, record: store.Record, label: str) -> str:
    return job_rows.relative(run, record.folder / f"{label.replace('#', '-')}.log")


def _rate(count: int, step_s: float | None) -> float | None:
    return count / step_s if step_s else None


def _warmup(one: Timed, action: str, label: str) -> float:
    """Return what comes before steady steps: building the port and the first step, seconds, median
    over rounds in which that is timed."""
    return statistics.median(
        float(record.result["opened"][label]["build_s"])
        + float(record.result["actions"][action]["prepared"][label]["first_step_s"])
        for record in cost_rows.cold(one.records, action, label)
    )


def _build(one: Timed, label: str) -> float:
    return statistics.median(
        float(record.result["opened"][label]["build_s"]) for record in one.records
    )


def _peak(one: Timed, action: str, label: str) -> int:
    """Return the peak resident memory of a side's process tree during an action, over all rounds,
    bytes."""
    return max(
        int(record.result["actions"][action]["peak_bytes"].get(label, 0)) for record in one.records
    )
