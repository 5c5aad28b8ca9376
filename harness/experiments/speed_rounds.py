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
from harness.execution.progress import ProgressStep
from harness.plan import SpeedJob
from harness.records import store
from harness.speed import estimate, forecast, schedule, verdict


def run_speed(
    run_context: runner.RunContext,
    jobs: Sequence[SpeedJob],
    budget_s: float,
    say: Callable[[str], None],
) -> list[Timed]:
    """Run rounds of every job: five each, whatever they take; then more, the job with the fewest
    first, while all rounds together, those of an interrupted run too, fit into `budget_s` seconds,
    until `verdict.settled` ends a job's. Rounds of long steps (`forecast.LONG_STEP_S`), and those
    in place of disturbed ones, run only as far as they fit, the first five too. The caller holds
    the machine's lock.

    Args:
        run_context: of the run; rounds that lie in its folder are not run again.
        jobs: in the order of what is returned.
        budget_s: for all jobs together. say: told of each round, and of sides that failed.

    Raises:
        NewerSchema: a newer harness has left a round in the folder.
    """
    all_timed = [Timed(job, _labels(job)) for job in jobs]
    spent_s = 0.0
    while todo := [*filter(_goes_on, all_timed)]:
        timed = min(todo, key=lambda item: len(item.records))
        if not _owed(timed) and spent_s + _promised(timed, todo) > budget_s:
            timed.final = True
            continue
        if timed.records and _long(timed) and _usual_s(timed) > budget_s - spent_s:
            timed.final = True
            if len(timed.records) < schedule.MIN_ROUNDS:
                reason = f"{len(timed.records)} fit into it"
                too_long = forecast.TooLong(reason, _usual_s(timed))
                timed.shortage = forecast.shortage(too_long, budget_s)
            continue
        started, before = time.monotonic(), len(timed.records)
        _add_round(
            run_context,
            timed,
            _counting(say, *_rest(all_timed, todo, budget_s - spent_s)),
            budget_s,
            budget_s - spent_s,
        )
        had_s = timed.records[-1].duration_s if len(timed.records) > before else 0.0
        spent_s += max(time.monotonic() - started, had_s)  # the second where it was taken from disk
    return all_timed


def _labels(job: SpeedJob) -> list[str]:
    return [side.label for side in job.sides]


def _goes_on(timed: Timed) -> bool:
    """Whether there is still a pair whose answer more rounds may give."""
    return len(timed.labels) >= 2 and not _settled(timed)


def _usual_s(timed: Timed) -> float:
    """Return what a round of a job takes, seconds."""
    return statistics.median(record.duration_s for record in timed.records)


def _owed(timed: Timed) -> bool:
    """Whether the next round runs whatever is left of the budget: the first ones do, until the
    machine has made one of them worthless."""
    return len(timed.records) < schedule.MIN_ROUNDS and len(timed.counted) == len(timed.records)


def _counting(
    say: Callable[[str], None], done: int, total: int | None, left_s: float | None
) -> Callable[[str], None]:
    """Return what adds these numbers, of all rounds together, to the steps it is told of."""
    return lambda line: say(
        line.counted(done, total, left_s) if isinstance(line, ProgressStep) else line
    )


def _rest(
    all_timed: Sequence[Timed], todo: Sequence[Timed], left_s: float
) -> tuple[int, int | None, float | None]:
    """Return how many rounds have run, how many there will be, if that is known, and about how long
    the rest takes, seconds.

    Until each job has the least number of rounds, that is what is counted; the ones beyond it end
    with the budget, or before.
    """
    done = sum(len(job.records) for job in all_timed)
    missing = {id(job): schedule.MIN_ROUNDS - len(job.records) for job in todo}
    if all(number <= 0 for number in missing.values()):
        return done, None, max(0.0, left_s)
    known = [record.duration_s for job in all_timed for record in job.records]
    total = done + sum(max(0, number) for number in missing.values())
    if not known:
        return done, total, None
    rest_s = 0.0
    for job in todo:
        own = [record.duration_s for record in job.records]
        rest_s += max(0, missing[id(job)]) * statistics.median(own or known)
    return done, total, rest_s


def _settled(timed: Timed) -> bool:
    """Whether all pairs have an answer for whole steps, or the run has ended; looked at only where
    a look is allowed."""
    if timed.final:
        return True
    if timed.records and all(
        settings_parity.refusal(timed.job, timed.records, action, a, b)
        for action in ACTIONS
        for a, b in speed_rows.pairs(timed)
    ):
        return True  # more rounds would not make the settings equal
    number = len(timed.counted)
    if number < schedule.MIN_ROUNDS or number not in schedule.looks(number):
        return False
    return all(
        verdict.settled(estimate.estimate(speed_rows.counted_rounds(timed, action), a, b))
        or settings_parity.refusal(timed.job, timed.records, action, a, b)
        for action in ACTIONS
        for a, b in speed_rows.pairs(timed)
    )


def _promised(timed: Timed, todo: Sequence[Timed]) -> float:
    """Return how long the rounds up to the next look of one job take, and of the others that are on
    their way to a look, seconds."""
    numbers = [(item, len(item.counted)) for item in todo]
    return sum(
        _until_look(item)
        for item, number in numbers
        if item is timed or (number > schedule.MIN_ROUNDS and number not in schedule.looks(number))
    )


def _until_look(timed: Timed) -> float:
    """Return how long the rounds up to the next look take, seconds: rounds without a look at their
    end are wasted. Where a busy machine has spoilt some of the first five it is one round: nobody
    knows how many it takes, and they are shorter when it calms down.
    """
    number = len(timed.counted)
    missing = schedule.next_look(number) - number if number >= schedule.MIN_ROUNDS else 1
    return missing * _usual_s(timed)


def _long(timed: Timed) -> bool:
    actions = timed.records[-1].round.actions.values()
    sides = [side for measured in actions for side in measured.prepared.values()]
    return any(side.step_s >= forecast.LONG_STEP_S for side in sides)


def _add_round(
    run_context: runner.RunContext,
    timed: Timed,
    say: Callable[[str], None],
    budget_s: float,
    left_s: float,
) -> None:
    """Run the next round, or take it from disk if an interrupted run left it; a side that fails
    leaves the job."""
    number = len(timed.records)
    folder = rounds.round_folder(run_context, timed.job, timed.labels, number)
    done = runner.existing(folder, rounds.describe(timed.job, timed.labels, number))
    if done is not None and done.ok:
        timed.records.append(done)
        return
    what = f"{timed.job.workload} {timed.job.precision}"
    say(
        ProgressStep(
            f"{what}: round {number + 1} of {' '.join(timed.labels)}",
            f"timing {what}",
            passing=number > 0,
        )
    )
    try:
        files = runner.inputs(run_context, timed.job.workload, timed.job.preset, timed.job.seed, 1)
        terms = rounds.Terms(left_s, timed.job.warmup, circumstances.learned(timed.records))
        record = rounds.run_round(run_context, timed.job, timed.labels, number, files, terms)
        if record.ok:
            timed.records.append(record)
        else:  # no side's fault (a full disk, say): there is no point in going on
            timed.failed.append(record)
            timed.labels = []
    except JobFailed as failure:
        timed.failed.append(
            store.Record(
                folder,
                {**timed.job.describe(), "labels": timed.labels},
                failure.status,
                failure.reason,
                {},
                0.0,
            )
        )
        timed.labels = []
    except forecast.TooLong as error:
        timed.final, timed.shortage = True, forecast.shortage(error, budget_s)
    except turns.SideFailed as failure:
        say(f"{timed.job.workload} {timed.job.precision}: {failure}")
        description = {
            "side": failure.side,
            "workload": timed.job.workload,
            "precision": timed.job.precision_of(failure.side),
            "seed": timed.job.seed,
        }
        timed.failed.append(
            store.Record(folder, description, failure.status, failure.reason, {}, 0.0)
        )
        if len(timed.records) >= schedule.MIN_ROUNDS:
            timed.final = (
                True  # what has been measured of all sides is worth more than more rounds of fewer
            )
            return
        # Rounds of fewer sides are other rounds: start again without the one that cannot take part.
        timed.labels = [label for label in timed.labels if label != failure.side]
        timed.records = []
