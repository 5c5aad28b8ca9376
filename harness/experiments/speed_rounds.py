"""Run the rounds of all speed jobs under the machine's lock, and turn them into rows.

Rounds are added until every pair of every job has its answer for whole steps (`contract.ACTIONS`),
or the time is used up; single phases are measured in the same rounds and ask for none. Looks happen
only where `harness.speed.schedule` allows them, because each look costs some of the error rate.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from backends.contract import ACTIONS
from harness.errors import JobFailed
from harness.evaluation import circumstances, settings_parity, speed_rows
from harness.evaluation.speed_rows import Timed
from harness.execution import rounds, runner, turns
from harness.execution.progress import Step
from harness.plan import SpeedJob, describe
from harness.records import store
from harness.speed import estimate, forecast, schedule, verdict


def run_speed(
    bench: runner.Bench, jobs: Sequence[SpeedJob], budget_s: float, say: Callable[[str], None]
) -> list[Timed]:
    """Run rounds of every job: five each, whatever they take; then more, the job with the fewest
    first, while all rounds together, those of an interrupted run too, fit into `budget_s` seconds,
    until `verdict.settled` ends a job's. Rounds of long steps (`forecast.LONG_STEP_S`), and those
    in place of disturbed ones, run only as far as they fit, the first five too.
    """
    timed = [Timed(job, [side.label for side in job.sides]) for job in jobs]
    spent_s = 0.0
    while todo := [one for one in timed if len(one.labels) >= 2 and not _settled(one)]:
        one = min(todo, key=lambda item: len(item.records))
        if not _owed(one) and spent_s + _promised(one, todo) > budget_s:
            one.final = True
            continue
        if (
            one.records
            and _long(one)
            and (usual_s := statistics.median(record.duration_s for record in one.records))
            > budget_s - spent_s
        ):
            one.final = True
            if len(one.records) < schedule.MIN_ROUNDS:
                one.lacking = forecast.lacking(
                    forecast.TooLong(f"{len(one.records)} fit into it", usual_s), budget_s
                )
            continue
        started, before = time.monotonic(), len(one.records)
        _add_round(
            bench,
            one,
            _counting(say, *_rest(timed, todo, budget_s - spent_s)),
            budget_s,
            budget_s - spent_s,
        )
        had_s = one.records[-1].duration_s if len(one.records) > before else 0.0
        spent_s += max(time.monotonic() - started, had_s)  # the second where it was taken from disk
    return timed


def _owed(one: Timed) -> bool:
    """Whether the next round runs whatever is left of the budget: the first ones do, until the
    machine has made one of them worthless."""
    return len(one.records) < schedule.MIN_ROUNDS and len(one.counted) == len(one.records)


def _counting(
    say: Callable[[str], None], done: int, total: int | None, left_s: float | None
) -> Callable[[str], None]:
    """Return what adds these numbers, of all rounds together, to the steps it is told of."""
    return lambda line: say(line.counted(done, total, left_s) if isinstance(line, Step) else line)


def _rest(
    timed: Sequence[Timed], todo: Sequence[Timed], left_s: float
) -> tuple[int, int | None, float | None]:
    """Return how many rounds have run, how many there will be, if that is known, and about how long
    the rest takes, seconds.

    Until each job has the least number of rounds, that is what is counted; the ones beyond it end
    with the budget, or before.
    """
    done = sum(len(one.records) for one in timed)
    missing = {id(one): schedule.MIN_ROUNDS - len(one.records) for one in todo}
    if all(number <= 0 for number in missing.values()):
        return done, None, max(0.0, left_s)
    known = [record.duration_s for one in timed for record in one.records]
    total = done + sum(max(0, number) for number in missing.values())
    if not known:
        return done, total, None
    usual_s = statistics.median(known)
    return (
        done,
        total,
        sum(
            max(0, missing[id(one)])
            * (
                statistics.median(record.duration_s for record in one.records)
                if one.records
                else usual_s
            )
            for one in todo
        ),
    )


def _settled(one: Timed) -> bool:
    """Whether all pairs have an answer for whole steps, or the run has ended; looked at only where
    a look is allowed."""
    if one.final:
        return True
    if one.records and all(
        settings_parity.refusal(one.job, one.records, action, a, b)
        for action in ACTIONS
        for a, b in speed_rows.pairs(one)
    ):
        return True  # more rounds would not make the settings equal
    number = len(one.counted)
    if number < schedule.MIN_ROUNDS or number not in schedule.looks(number):
        return False
    return all(
        verdict.settled(estimate.estimate(speed_rows.measured_rounds(one, action), a, b))
        or settings_parity.refusal(one.job, one.records, action, a, b)
        for action in ACTIONS
        for a, b in speed_rows.pairs(one)
    )


def _promised(one: Timed, todo: Sequence[Timed]) -> float:
    """Return how long the rounds up to the next look of one job take, and of the others that are on
    their way to a look, seconds."""
    numbers = [(item, len(item.counted)) for item in todo]
    return sum(
        _until_look(item)
        for item, number in numbers
        if item is one or (number > schedule.MIN_ROUNDS and number not in schedule.looks(number))
    )


def _until_look(one: Timed) -> float:
    """Return how long the rounds up to the next look take, seconds: rounds without a look at their
    end are wasted. Where a busy machine has spoilt some of the first five it is one round: nobody
    knows how many it takes, and they are shorter when it calms down.
    """
    number = len(one.counted)
    missing = schedule.next_look(number) - number if number >= schedule.MIN_ROUNDS else 1
    return missing * statistics.median(record.duration_s for record in one.records)


def _long(one: Timed) -> bool:
    return any(
        forecast.long(told["prepared"])
        for told in one.records[-1].result["actions"].values()
        if "prepared" in told
    )


def _add_round(
    bench: runner.Bench, one: Timed, say: Callable[[str], None], budget_s: float, left_s: float
) -> None:
    """Run the next round, or take it from disk if an interrupted run left it; a side that fails
    leaves the job."""
    number = len(one.records)
    folder = rounds.round_folder(bench, one.job, one.labels, number)
    done = runner.existing(folder)
    if done is not None and done.ok and done.job.get("labels") == one.labels:
        one.records.append(done)
        return
    what = f"{one.job.workload} {one.job.precision}"
    say(
        Step(
            f"{what}: round {number + 1} of {' '.join(one.labels)}",
            f"timing {what}",
            passing=number > 0,
        )
    )
    try:
        files = runner.inputs(bench, one.job.workload, one.job.preset, one.job.seed, 1)
        terms = rounds.Terms(left_s, one.job.warmup, circumstances.learned(one.records))
        record = rounds.run_round(bench, one.job, one.labels, number, files, terms)
        if record.ok:
            one.records.append(record)
        else:  # no side's fault (a full disk, say): there is no point in going on
            one.failed.append(record)
            one.labels = []
    except JobFailed as failure:
        one.failed.append(
            store.Record(
                folder,
                {**describe(one.job), "labels": one.labels},
                failure.status,
                failure.reason,
                {},
                0.0,
            )
        )
        one.labels = []
    except forecast.TooLong as error:
        one.final, one.lacking = True, forecast.lacking(error, budget_s)
    except turns.SideFailed as failure:
        say(f"{one.job.workload} {one.job.precision}: {failure}")
        told = {
            "side": failure.side,
            "workload": one.job.workload,
            "precision": one.job.precision_of(failure.side),
            "seed": one.job.seed,
        }
        one.failed.append(store.Record(folder, told, failure.status, failure.reason, {}, 0.0))
        if len(one.records) >= schedule.MIN_ROUNDS:
            one.final = (
                True  # what has been measured of all sides is worth more than more rounds of fewer
            )
            return
        # Rounds of fewer sides are other rounds: start again without the one that cannot take part.
        one.labels = [label for label in one.labels if label != failure.side]
        one.records = []
