"""After a trajectory has failed: replay both sides over fewer steps of the same tape, and name the
first bad step.

Forward passes that failed are looked at again first, by `wrong_layers`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from backends.contract import Stage
from harness.evaluation import pair_evidence, stage_rows
from harness.execution import runner
from harness.experiments import wrong_layers
from harness.fidelity import averages
from harness.fidelity.bisection import BadStep, first_bad_step
from harness.fidelity.judge import judge_stage
from harness.fidelity.steps import Distances, first_departure
from harness.fidelity.verdict import StageVerdict
from harness.plan import Job, Pair, Plan
from harness.records import tensors
from harness.results.model import StageRow
from harness.results.verdicts import Fidelity

STAGE, FORWARD = Stage.TRAJECTORY, Stage.FORWARD


def localise(
    run_context: runner.RunContext,
    planned: Plan,
    evidences: pair_evidence.JobEvidences,
    rows: Sequence[StageRow],
    say: Callable[[str], None],
) -> list[StageRow]:
    """Return the rows; those of forward passes that failed name their wrong layers, those of
    trajectories their first bad step.

    Jobs of replays lie in the run's folder beside the others; a side that is represented by a
    recorded reference cannot replay.

    Args:
        run_context: of the run. planned: its pairs are those of the rows.
        evidences: of all jobs, by name.
        rows: of all stages; their order is kept. say: told of each pair that was looked at.
    """
    rows = wrong_layers.localise(run_context, planned, evidences, rows, say)
    named = {_key(row): row for row in rows}
    for pair in planned.pairs:
        forward = named.get(
            (pair.workload, pair.a.side, pair.b.side, pair.precision, pair.seed, FORWARD)
        )
        if forward is not None and forward.verdict == Fidelity.FAIL and not forward.wrong_layers:
            named[_key(forward)] = in_time(forward, pair, evidences)
    for pair in planned.pairs:
        row = named.get((pair.workload, pair.a.side, pair.b.side, pair.precision, pair.seed, STAGE))
        if row is None or row.verdict != Fidelity.FAIL:
            continue
        if not all(evidences[job.name].log for job in (pair.a, pair.b)):
            named[_key(row)] = dataclasses.replace(
                row,
                reason=f"{row.reason}; a recorded reference cannot be replayed to find the step",
            )
            continue
        bad = first_bad(run_context, pair, evidences)
        say(f"{pair.workload} {pair.a.side} : {pair.b.side} {pair.precision}: {bad}")
        step = bad.bad if bad.bad == bad.good + 1 else None
        named[_key(row)] = dataclasses.replace(
            row, reason=f"{row.reason}; {bad}", first_bad_step=step
        )
    return [named[_key(row)] for row in rows]


def in_time(row: StageRow, pair: Pair, evidences: pair_evidence.JobEvidences) -> StageRow:
    """Return the row of a forward pass whose wrong layers are not known, with the first departing
    time step as its place."""
    a, b = evidences[pair.a.name].evidence, evidences[pair.b.name].evidence
    if a is None or b is None or a.digested or b.digested:
        return row
    if wrong_layers.sketches(a, FORWARD) or wrong_layers.sketches(b, FORWARD):
        return row
    verdict = stage_rows.judge(pair, FORWARD, evidences)
    judged = {item.name: item for item in verdict.tensors}

    def read(name: str) -> tuple[Distances, float]:
        value_a, value_b = (np.asarray(side.read(FORWARD, name), np.complex128) for side in (a, b))
        item = judged[name]
        scale = item.difference.apart / item.error if item.difference and item.error else 0.0
        return np.abs(value_a - value_b), (item.threshold or 0.0) * scale

    placed = first_departure(verdict.tensors, read)
    if placed is None or placed[1].name == row.worst:
        return row
    step, first = placed
    reason = (
        f"{row.reason}; {first.name} is the first of the first departing time step, {step} counted"
        " from 0"
    )
    return dataclasses.replace(stage_rows.at_tensor(row, first), reason=reason)


def _key(row: StageRow) -> tuple[str, str, str, str, int, str]:
    return row.workload, row.a, row.b, row.precision, row.seed, row.stage


def first_bad(
    run_context: runner.RunContext, pair: Pair, evidences: pair_evidence.JobEvidences
) -> BadStep:
    """Bisect a trajectory that has failed."""
    whole = stage_rows.judge(pair, STAGE, evidences)
    zero, base = pair_evidence.null(pair, STAGE, evidences), pair_evidence.base(pair, evidences)
    # A replay looks after other steps, and records no gradients by which a zero is told; what is
    # zero after one step is zero after all.
    suffixes = {name.split("/", 1)[1] for name in (whole.null if zero is None else zero)}

    def replay(steps: int) -> StageVerdict:
        jobs = [_shortened(job, steps) for job in (pair.a, pair.b)]
        records = runner.run_jobs(run_context, jobs, lambda _job, _record: None, runner.run_job)
        for record in records.values():
            if not record.ok:
                return StageVerdict(
                    STAGE,
                    Fidelity.INCONCLUSIVE,
                    f"{record.status}: {record.reason}",
                    None,
                    (),
                )
        a, b = (
            tensors.RecordEvidence(records[job.name].folder, records[job.name].tensors)
            for job in jobs
        )
        null = {f"step {step}/{suffix}" for step in range(1, steps + 1) for suffix in suffixes}
        shown = averages.shared(a, b, STAGE, averages.one_sided(a, b, STAGE))
        return judge_stage(*shown, STAGE, pair.precision, null, base)

    return first_bad_step(whole, pair.a.steps, replay)


def _shortened(job: Job, steps: int) -> Job:
    """Return the job of a replay: fewer steps of the same tape."""
    return dataclasses.replace(
        job, stages=(STAGE,), steps=steps, tape_steps=job.tape_steps or job.steps
    )
