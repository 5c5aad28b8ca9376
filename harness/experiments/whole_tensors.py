"""Where sketches do not agree: the stages that matter are recorded again, with whole tensors, and
judged by those.

Records of a large pair hold sketches of its large tensors. A sketch that agrees is enough; one that
does not shows neither the place nor the values, and teacher forcing cannot begin with it. The
second recording is a job like any other, beside the first in the run's folder: of every stage that
is not a PASS, with weights and gradients where updates failed. A trajectory, which takes longest,
is recorded again only where it departs first.
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
    known = Judged(planned, evidences, stage_rows.stage_rows(planned, evidences))
    whole: dict[Pair, frozenset[Stage]] = {}
    # What whole tensors have cleared may leave a later stage as the first that departs.
    while wanted := _wanted(planned, known, whole):
        for pair, stages in wanted.items():
            names = ", ".join(stage for stage in LOCKSTEP_STAGES if stage in stages)
            say(f"{_sides(pair)} {pair.precision}: {names} again, with whole tensors")
        whole.update(wanted)
        known = _again(run_context, planned, evidences, whole, known.again)
    return known


def _sides(pair: Pair) -> str:
    return f"{pair.workload} {pair.a.side} : {pair.b.side}"


def _again(
    run_context: runner.RunContext,
    planned: Plan,
    evidences: pair_evidence.JobEvidences,
    whole: Mapping[Pair, frozenset[Stage]],
    before: tuple[tuple[Job, store.Record], ...],
) -> Judged:
    """Record the stages of some pairs again and judge all by what there is then.

    Args:
        whole: the pairs and the stages. before: the jobs that have run again already.
    """
    jobs = _jobs(whole)
    records = runner.run_jobs(
        run_context, list(jobs.values()), lambda _job, _record: None, runner.run_job
    )
    left = {name: job for name, job in jobs.items() if records[job.name].ok}
    known = dict(evidences)
    for name, job in left.items():
        ordinary, record = evidences[name], records[job.name]
        assert ordinary.evidence is not None  # only of such is anything wanted
        again = tensors.RecordEvidence(record.folder, record.recorded)
        known[job.name] = dataclasses.replace(
            ordinary, evidence=Replayed(ordinary.evidence, again, frozenset(job.stages))
        )
    pairs = tuple(
        dataclasses.replace(pair, a=left[pair.a.name], b=left[pair.b.name])
        if pair in whole and {pair.a.name, pair.b.name} <= left.keys()
        else pair
        for pair in planned.pairs
    )
    plan = dataclasses.replace(planned, jobs=(*planned.jobs, *left.values()), pairs=pairs)
    ran = {job.name: (job, records[job.name]) for job in jobs.values()}
    ran = {job.name: (job, record) for job, record in before} | ran
    return Judged(plan, known, stage_rows.stage_rows(plan, known), tuple(ran.values()))


def _wanted(
    planned: Plan, known: Judged, whole: Mapping[Pair, frozenset[Stage]]
) -> dict[Pair, frozenset[Stage]]:
    """Return the pairs of which more has to be recorded again, and all stages that have to be."""
    wanted: dict[Pair, frozenset[Stage]] = {}
    for pair, current in zip(planned.pairs, known.plan.pairs, strict=True):
        stages = _open(pair, known.rows)
        before = stages - {Stage.TRAJECTORY}
        stages = before or stages
        if Stage.UPDATE in stages:
            stages |= {Stage.WEIGHTS, Stage.GRADIENTS}
        stages &= _sketched(current, known.evidences)
        if stages:
            wanted[pair] = stages
            low = _in_float32(planned, pair)
            if low is not None and not _open(low, known.rows):
                # Whether float32 is all that they differ by is told by the same tensors in both.
                wanted[low] = stages & _sketched(low, known.evidences)
    more = {pair: stages | whole.get(pair, frozenset()) for pair, stages in wanted.items()}
    return {pair: stages for pair, stages in more.items() if stages != whole.get(pair, frozenset())}


def _open(pair: Pair, rows: Sequence[StageRow]) -> frozenset[Stage]:
    """Return the stages of a pair that whole tensors may change, or explain."""
    own = [
        row
        for row in rows
        if (row.workload, row.a, row.b) == (pair.workload, pair.a.side, pair.b.side)
        and (row.precision, row.seed) == (pair.precision, pair.seed)
    ]
    opened = {row.stage for row in own if row.verdict in OPEN}
    return frozenset(Stage(stage) for stage in LOCKSTEP_STAGES if stage in opened)


def _in_float32(planned: Plan, pair: Pair) -> Pair | None:
    """Return the float32 pair of the same sides; None for any but a float64 pair."""
    if pair.precision != "fp64":
        return None
    own = (pair.workload, pair.a.side, pair.b.side, pair.seed)
    for other in planned.pairs:
        same = own == (other.workload, other.a.side, other.b.side, other.seed)
        if same and other.precision == "fp32":
            return other
    return None


def _sketched(pair: Pair, evidences: pair_evidence.JobEvidences) -> frozenset[Stage]:
    """Return the stages that both sides have recorded and one has sketches of."""
    a, b = (evidences[job.name].evidence for job in (pair.a, pair.b))
    if a is None or b is None:
        return frozenset()
    kept = set()
    for stage in map(Stage, LOCKSTEP_STAGES):
        there = a.entries(stage) and b.entries(stage)
        if there and (sketches(a, stage) or sketches(b, stage)):
            kept.add(stage)
    return frozenset(kept)


def _jobs(whole: Mapping[Pair, frozenset[Stage]]) -> dict[str, Job]:
    """Return the jobs that run again, by the names of the ordinary ones. Jobs on one workload hold
    the same stages, whatever pair needs them: each may be laid beside each."""
    stages: dict[tuple[str, str, int], set[Stage]] = {}
    for pair, own in whole.items():
        stages.setdefault((pair.workload, pair.precision, pair.seed), set()).update(own)
    jobs: dict[str, Job] = {}
    for pair in whole:
        own_stages = stages[pair.workload, pair.precision, pair.seed]
        ordered = tuple(stage for stage in LOCKSTEP_STAGES if stage in own_stages)
        for job in (pair.a, pair.b):
            jobs[job.name] = dataclasses.replace(job, stages=ordered, sketch_from=0)
    return jobs
