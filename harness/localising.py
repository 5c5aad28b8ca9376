"""After a trajectory has failed: replay both sides over fewer steps of the same tape, and name the first bad step.

Forward passes that failed are looked at again first, by `teaching`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from harness import judging, runner, store, teaching
from harness.fidelity.bisection import BadStep, first_bad_step
from harness.fidelity.judge import judge_stage
from harness.fidelity.verdict import FAIL, INCONCLUSIVE, StageVerdict
from harness.plan import Job, Pair, Plan
from harness.report.model import StageRow

STAGE = "trajectory"


def localise(
    bench: runner.Bench, planned: Plan, witnesses: judging.Witnesses, rows: Sequence[StageRow], say: Callable[[str], None]
) -> list[StageRow]:
    """Return the rows; those of forward passes that failed name their wrong layers, those of trajectories their first bad step.

    Jobs of replays lie in the run's folder beside the others; a side that is represented by a recorded reference cannot replay.
    """
    rows = teaching.localise(bench, planned, witnesses, rows, say)
    found = {_key(row): row for row in rows}
    for pair in planned.pairs:
        row = found.get((pair.workload, pair.a.side, pair.b.side, pair.precision, pair.seed, STAGE))
        if row is None or row.verdict != FAIL:
            continue
        if not all(witnesses[job.name].log for job in (pair.a, pair.b)):
            found[_key(row)] = dataclasses.replace(row, reason=f"{row.reason}; a recorded reference cannot be replayed to find the step")
            continue
        bad = first_bad(bench, pair, witnesses)
        say(f"{pair.workload} {pair.a.side} : {pair.b.side} {pair.precision}: {bad}")
        step = bad.bad if bad.bad == bad.good + 1 else None
        found[_key(row)] = dataclasses.replace(row, reason=f"{row.reason}; {bad}", first_bad_step=step)
    return [found[_key(row)] for row in rows]


def _key(row: StageRow) -> tuple[str, str, str, str, int, str]:
    return row.workload, row.a, row.b, row.precision, row.seed, row.stage


def first_bad(bench: runner.Bench, pair: Pair, witnesses: judging.Witnesses) -> BadStep:
    """Bisect a trajectory that has failed."""
    zero = judging.null(pair, STAGE, witnesses)
    # Float64's records looked after other steps than a replay does; what is zero after one step is zero after all.
    suffixes = None if zero is None else {name.split("/", 1)[1] for name in zero}

    def replay(steps: int) -> StageVerdict:
        jobs = [_shortened(job, steps) for job in (pair.a, pair.b)]
        records = runner.run_jobs(bench, jobs, lambda _job, _record: None, runner.run_job)
        for record in records.values():
            if not record.ok:
                return StageVerdict(STAGE, INCONCLUSIVE, f"{record.status}: {record.reason}", None, ())
        a, b = (store.RecordEvidence(records[job.name]) for job in jobs)
        null = None if suffixes is None else {f"step {step}/{suffix}" for step in range(1, steps + 1) for suffix in suffixes}
        return judge_stage(a, b, STAGE, pair.precision, null)

    return first_bad_step(judging.judge(pair, STAGE, witnesses), pair.a.steps, replay)


def _shortened(job: Job, steps: int) -> Job:
    """Return the job of a replay: fewer steps of the same tape."""
    return dataclasses.replace(job, stages=(STAGE,), steps=steps, tape_steps=job.tape_steps or job.steps)
