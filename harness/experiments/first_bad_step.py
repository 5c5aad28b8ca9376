"""After a trajectory has failed: replay both sides over fewer steps of the same tape, and name the
first bad step.

Forward passes that failed are looked at again first, by `teaching`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from harness.evaluation import stage_rows
from harness.execution import runner
from harness.experiments import wrong_layers
from harness.fidelity.bisection import BadStep, first_bad_step
from harness.fidelity.judge import judge_stage
from harness.fidelity.steps import Distances, place
from harness.fidelity.verdict import StageVerdict
from harness.plan import Job, Pair, Plan
from harness.records import store
from harness.results.model import StageRow
from harness.results.verdicts import Fidelity

STAGE, FORWARD = "trajectory", "forward"


def localise(
    bench: runner.Bench,
    planned: Plan,
    witnesses: stage_rows.Witnesses,
    rows: Sequence[StageRow],
    say: Callable[[str], None],
) -> list[StageRow]:
    """Return the rows; those of forward passes that failed name their wrong layers, those of
    trajectories their first bad step.

    Jobs of replays lie in the run's folder beside the others; a side that is represented by a
    recorded reference cannot replay.
    """
    rows = wrong_layers.localise(bench, planned, witnesses, rows, say)
    found = {_key(row): row for row in rows}
    for pair in planned.pairs:
        forward = found.get(
            (pair.workload, pair.a.side, pair.b.side, pair.precision, pair.seed, FORWARD)
        )
        if forward is not None and forward.verdict == Fidelity.FAIL and not forward.wrong_layers:
            found[_key(forward)] = in_time(forward, pair, witnesses)
    for pair in planned.pairs:
        row = found.get((pair.workload, pair.a.side, pair.b.side, pair.precision, pair.seed, STAGE))
        if row is None or row.verdict != Fidelity.FAIL:
            continue
        if not all(witnesses[job.name].log for job in (pair.a, pair.b)):
            found[_key(row)] = dataclasses.replace(
                row,
                reason=f"{row.reason}; a recorded reference cannot be replayed to find the step",
            )
            continue
        bad = first_bad(bench, pair, witnesses)
        say(f"{pair.workload} {pair.a.side} : {pair.b.side} {pair.precision}: {bad}")
        step = bad.bad if bad.bad == bad.good + 1 else None
        found[_key(row)] = dataclasses.replace(
            row, reason=f"{row.reason}; {bad}", first_bad_step=step
        )
    return [found[_key(row)] for row in rows]


def in_time(row: StageRow, pair: Pair, witnesses: stage_rows.Witnesses) -> StageRow:
    """Return the row of a forward pass whose wrong layers are not known, with the first departing
    time step as its place."""
    a, b = witnesses[pair.a.name].evidence, witnesses[pair.b.name].evidence
    if a is None or b is None or a.digested or b.digested:
        return row
    verdict = stage_rows.judge(pair, FORWARD, witnesses)
    judged = {item.name: item for item in verdict.tensors}

    def read(name: str) -> tuple[Distances, float]:
        item, (one, two) = judged[name], (side.read(FORWARD, name) for side in (a, b))
        apart = np.abs(np.asarray(one, np.complex128) - np.asarray(two, np.complex128))
        found = item.difference
        return apart, (
            (item.threshold or 0.0) * found.apart / item.error if found and item.error else 0.0
        )

    placed = place(verdict.tensors, read)
    if placed is None or placed[1].name == row.worst:
        return row
    step, first = placed
    values = first.difference
    return dataclasses.replace(
        row,
        worst=first.name,
        error=first.error,
        floor=first.floor,
        threshold=first.threshold,
        value_a=values.value_a if values else None,
        value_b=values.value_b if values else None,
        place=str(list(values.place)) if values else None,
        reason=(
            f"{row.reason}; {first.name} is the first of the first departing time step, {step}"
            " counted from 0"
        ),
    )


def _key(row: StageRow) -> tuple[str, str, str, str, int, str]:
    return row.workload, row.a, row.b, row.precision, row.seed, row.stage


def first_bad(bench: runner.Bench, pair: Pair, witnesses: stage_rows.Witnesses) -> BadStep:
    """Bisect a trajectory that has failed."""
    whole = stage_rows.judge(pair, STAGE, witnesses)
    zero, base = stage_rows.null(pair, STAGE, witnesses), stage_rows.base(pair, witnesses)
    # A replay looks after other steps, and records no gradients by which a zero is told; what is
    # zero after one step is zero after all.
    suffixes = {name.split("/", 1)[1] for name in (whole.null if zero is None else zero)}

    def replay(steps: int) -> StageVerdict:
        jobs = [_shortened(job, steps) for job in (pair.a, pair.b)]
        records = runner.run_jobs(bench, jobs, lambda _job, _record: None, runner.run_job)
        for record in records.values():
            if not record.ok:
                return StageVerdict(
                    STAGE,
                    Fidelity.INCONCLUSIVE,
                    f"{record.status}: {record.reason}",
                    None,
                    (),
                )
        a, b = (store.RecordEvidence(records[job.name]) for job in jobs)
        null = {f"step {step}/{suffix}" for step in range(1, steps + 1) for suffix in suffixes}
        return judge_stage(a, b, STAGE, pair.precision, null, base)

    return first_bad_step(whole, pair.a.steps, replay)


def _shortened(job: Job, steps: int) -> Job:
    """Return the job of a replay: fewer steps of the same tape."""
    return dataclasses.replace(
        job, stages=(STAGE,), steps=steps, tape_steps=job.tape_steps or job.steps
    )
