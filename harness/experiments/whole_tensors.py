"""Where sketches do not agree: the stages that matter are recorded again, with whole tensors, and
judged by those.

Records of a large pair hold sketches of its large tensors. A sketch that agrees is enough; one that
does not shows neither the place nor the values, and teacher forcing cannot begin with it. The
second recording is a job like any other, beside the first in the run's folder: of the first stage
that is not a PASS, of a forward pass that failed, and of weights, gradients and updates where
updates failed. What departs later stays judged by its sketches.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from backends.contract import Stage
from harness.evaluation import pair_evidence, stage_rows
from harness.execution import runner
from harness.experiments.wrong_layers import sketches
from harness.fidelity.evidence import Replayed
from harness.plan import LOCKSTEP_STAGES, Job, Pair, Plan
from harness.records import store, tensors
from harness.results.model import StageRow
from harness.results.verdicts import Fidelity

#: Verdicts that whole tensors may change, or explain.
OPEN = (Fidelity.FAIL, Fidelity.INCONCLUSIVE)


@dataclasses.dataclass(frozen=True)
class Judged:
    """What is known once whole tensors have been looked at where that was needed.

    Attributes:
        plan: whose pairs are of the jobs that ran again. evidences: of those, too.
        rows: of all pairs. again: the jobs that ran again, and what they left.
    """

    plan: Plan
    evidences: Mapping[str, pair_evidence.JobEvidence]
    rows: list[StageRow]
    again: tuple[tuple[Job, store.Record], ...] = ()


def judged(
    run_context: runner.RunContext,
    planned: Plan,
    evidences: pair_evidence.JobEvidences,
    say: Callable[[str], None],
) -> Judged:
    """Judge all pairs, by whole tensors where their sketches do not agree.

    Args:
        run_context: of the run. planned: its plan. evidences: of its jobs. say: tells of jobs.
    """
    rows = stage_rows.stage_rows(planned, evidences)
    wanted = {pair: stages for pair in planned.pairs if (stages := _wanted(pair, rows, evidences))}
    if not wanted:
        return Judged(planned, evidences, rows)
    for pair, stages in wanted.items():
        say(
            f"{pair.workload} {pair.a.side} : {pair.b.side} {pair.precision}: {', '.join(stages)}"
            " again, with whole tensors"
        )
    again = _jobs(wanted)
    records = runner.run_jobs(
        run_context, list(again.values()), lambda _job, _record: None, runner.run_job
    )
    whole = {name: job for name, job in again.items() if records[job.name].ok}
    known = dict(evidences)
    for name, job in whole.items():
        ordinary, record = evidences[name], records[job.name]
        assert ordinary.evidence is not None  # it has been judged
        left = tensors.RecordEvidence(record.folder, record.recorded)
        known[job.name] = dataclasses.replace(
            ordinary, evidence=Replayed(ordinary.evidence, left, frozenset(job.stages))
        )
    pairs = tuple(
        dataclasses.replace(pair, a=whole[pair.a.name], b=whole[pair.b.name])
        if pair in wanted and {pair.a.name, pair.b.name} <= whole.keys()
        else pair
        for pair in planned.pairs
    )
    plan = dataclasses.replace(planned, jobs=(*planned.jobs, *whole.values()), pairs=pairs)
    ran = tuple((job, records[job.name]) for job in again.values())
    return Judged(plan, known, stage_rows.stage_rows(plan, known), ran)


def _wanted(
    pair: Pair, rows: Sequence[StageRow], evidences: pair_evidence.JobEvidences
) -> tuple[Stage, ...]:
    """Return the stages of a pair that have to be recorded again."""
    own = [
        row.stage
        for row in rows
        if (row.workload, row.a, row.b) == (pair.workload, pair.a.side, pair.b.side)
        and (row.precision, row.seed) == (pair.precision, pair.seed)
        and row.stage in LOCKSTEP_STAGES
        and row.verdict in OPEN
    ]
    stages = {*own[:1]}
    if Stage.FORWARD in own:
        stages.add(Stage.FORWARD)
    if Stage.UPDATE in own:
        stages |= {Stage.WEIGHTS, Stage.GRADIENTS, Stage.UPDATE}
    sides = [evidences[job.name].evidence for job in (pair.a, pair.b)]
    recorded = {*pair.a.stages} & {*pair.b.stages}
    wanted = tuple(Stage(item) for item in LOCKSTEP_STAGES if item in stages & recorded)
    return wanted if any(sketches(side, stage) for side in sides for stage in wanted) else ()


def _jobs(wanted: Mapping[Pair, Sequence[Stage]]) -> dict[str, Job]:
    """Return the jobs that run again, by the names of the ordinary ones: each once, whatever pairs
    it is part of."""
    jobs: dict[str, Job] = {}
    for pair, stages in wanted.items():
        for job in (pair.a, pair.b):
            others = jobs[job.name].stages if job.name in jobs else ()
            own = tuple(stage for stage in LOCKSTEP_STAGES if stage in {*stages, *others})
            jobs[job.name] = dataclasses.replace(job, stages=own, sketch_from=0)
    return jobs
