"""After a forward pass has failed: run one side again, teacher-forced by the other one's
activations, and name every layer that is wrong.

Side b is forced by what a has recorded. Where b's port cannot be teacher-forced, a is, by b's: a
layer that is not the same departs either way. The teacher-forced run is a job like any other,
beside the others in the run's folder.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from numpy.typing import NDArray

from backends.contract import Stage
from harness.errors import CorruptRecord
from harness.evaluation import pair_evidence, stage_rows
from harness.execution import runner, verbs
from harness.execution.processes import ending
from harness.fidelity import declarations
from harness.fidelity.evidence import Evidence, Restricted, TensorEntry
from harness.fidelity.judge import judge_stage
from harness.fidelity.layers import Layers, find
from harness.plan import Job, Pair, Plan, TeacherForcedJob
from harness.records import checksums, store, tensors
from harness.results.model import StageRow
from harness.results.verdicts import Fidelity

STAGE, METHOD = Stage.FORWARD, "forward_from"
#: What a model makes is no layer.
PRODUCT = f"{STAGE}/generate"


@dataclasses.dataclass(frozen=True)
class ForcedPass:
    """A teacher-forced side as evidence: the values of the forced pass; the noise is that of the
    same side's ordinary one.

    Attributes:
        forced: the record of the forced pass. ordinary: the side's own.
    """

    forced: tensors.RecordEvidence
    ordinary: Evidence
    digested: bool = False

    def entries(self, stage: Stage) -> list[TensorEntry]:
        """Return the teacher-forced activations."""
        return self.forced.entries(stage)

    def read(self, stage: Stage, name: str) -> NDArray[Any]:
        """Return one of them."""
        return self.forced.read(stage, name)

    def noise(self, stage: Stage, name: str) -> dict[str, list[float]]:
        """Return the movements of the same activation in the ordinary run."""
        return self.ordinary.noise(stage, name)


def localise(
    run_context: runner.RunContext,
    planned: Plan,
    evidences: pair_evidence.JobEvidences,
    rows: Sequence[StageRow],
    say: Callable[[str], None],
) -> list[StageRow]:
    """Return the rows; those of forward passes that failed name every wrong layer, or say why they
    cannot."""
    pairs = {
        (pair.workload, pair.a.side, pair.b.side, pair.precision, pair.seed): pair
        for pair in planned.pairs
    }
    layers = []
    for row in rows:
        pair = pairs.get((row.workload, row.a, row.b, row.precision, row.seed))
        if pair is not None and row.stage == STAGE and row.verdict == Fidelity.FAIL:
            said = layers_of(run_context, pair, evidences)
            say(f"{row.workload} {row.a} : {row.b} {row.precision}: {said}")
            layers.append(named(row, said))
        else:
            layers.append(row)
    return layers


def named(row: StageRow, said: Layers | str) -> StageRow:
    """Return the row with what a teacher-forced run has shown. The first wrong layer stands for
    the stage."""
    row = dataclasses.replace(row, reason=f"{row.reason}; {said}")
    if isinstance(said, str) or not said.wrong:
        return row
    row, first = dataclasses.replace(row, wrong_layers=said.names), said.wrong[0]
    return row if first.name == row.worst else stage_rows.at_tensor(row, first)


def layers_of(
    run_context: runner.RunContext, pair: Pair, evidences: pair_evidence.JobEvidences
) -> Layers | str:
    """Return the wrong layers of a pair whose forward pass has failed, or why they cannot be
    told."""
    verdict = stage_rows.judge(pair, STAGE, evidences)
    departed = {
        item.name
        for item in verdict.tensors
        if item.verdict == Fidelity.FAIL and f"{STAGE}/{item.name}" != PRODUCT
    }
    if not departed:
        layers = [item for item in verdict.tensors if f"{STAGE}/{item.name}" != PRODUCT]
        return "no layer departs, only what is made of them" if layers else "no layer was looked at"
    if not all(evidences[job.name].log for job in (pair.a, pair.b)):
        return "a recorded reference can be neither teacher-forced nor the teacher"
    reasons = []
    for teacher, forced_job in ((pair.a, pair.b), (pair.b, pair.a)):
        said = teacher_forced(run_context, pair, teacher, forced_job, evidences, departed)
        if isinstance(said, Layers):
            return said
        reasons.append(said)
    return f"the layers cannot be told apart: {', '.join(reasons)}"


def teacher_forced(
    run_context: runner.RunContext,
    pair: Pair,
    teacher: Job,
    forced_job: Job,
    evidences: pair_evidence.JobEvidences,
    departed: Collection[str] = (),
) -> Layers | str:
    """Return what one side shows when it is teacher-forced by the other, or why it is not;
    `departed` departs in the ordinary run."""
    reason = _why_not(teacher, forced_job, evidences)
    if reason:
        return reason
    job = TeacherForcedJob(
        **{
            field.name: getattr(forced_job, field.name)
            for field in dataclasses.fields(TeacherForcedJob)
            if hasattr(forced_job, field.name)
        },
        teacher=teacher.name,
    )
    (record,) = runner.run_jobs(
        run_context, [job], lambda _job, _record: None, run_teacher_forced
    ).values()
    if not record.ok:
        return f"teacher forcing of {forced_job.side} is {record.status}: {record.reason}"
    forced = record.forced
    if not any(forced.read.values()) and any(forced.own.values()):
        return f"the port of {forced_job.side} reads nothing back and goes on with its own values"
    ordinary = {name: evidences[name].evidence for name in (teacher.name, forced_job.name)}
    shown = {name: item for name, item in ordinary.items() if item is not None}
    sides: dict[str, Evidence] = {
        teacher.name: Restricted(shown[teacher.name], (PRODUCT,)),
        forced_job.name: ForcedPass(
            tensors.RecordEvidence(record.folder, forced), shown[forced_job.name]
        ),
    }
    a, b = evidences[pair.a.name], evidences[pair.b.name]
    unseen = (
        *declarations.unseen(sides[pair.a.name], sides[pair.b.name], b.declared, STAGE),
        *declarations.unseen(sides[pair.b.name], sides[pair.a.name], a.declared, STAGE),
    )
    # The ordinary run shows it and the forced one does not: as long as it agrees there, no fault.
    silent = _names(shown[forced_job.name]) - _names(sides[forced_job.name]) - {*departed}
    left_out = frozenset(f"{STAGE}/{item}" for item in (*unseen, *silent))
    sides = {name: Restricted(side, (), left_out) for name, side in sides.items()}
    try:
        null, base = pair_evidence.null(pair, STAGE, evidences), pair_evidence.base(pair, evidences)
        verdict = judge_stage(
            sides[pair.a.name], sides[pair.b.name], STAGE, pair.precision, null, base
        )
    except CorruptRecord as error:
        return str(error)
    if not verdict.tensors:
        return verdict.reason
    return find(
        verdict.tensors,
        forced.read,
        forced.own,
        forced.rooted,
        departed,
    )


def _why_not(teacher: Job, forced_job: Job, evidences: pair_evidence.JobEvidences) -> str:
    """Return why a side cannot be teacher-forced by another one; empty where it can."""
    if METHOD not in evidences[forced_job.name].abilities:
        return f"the port of {forced_job.side} has no `{METHOD}`"
    if sketches(evidences[teacher.name].evidence, STAGE):
        return f"{teacher.side} has left sketches, which cannot be the teacher"
    return ""


def sketches(side: Evidence | None, stage: Stage) -> bool:
    """Return whether a side has sketches in the place of some tensors of a stage."""
    return side is not None and any(entry.sketched for entry in side.entries(stage))


def _names(side: Evidence) -> set[str]:
    return {entry.name for entry in side.entries(STAGE)}


def run_teacher_forced(run_context: runner.RunContext, job: TeacherForcedJob) -> store.Record:
    """Record one teacher-forced pass. Whatever happens inside it becomes the record's status."""
    return run_forced(run_context, job, verbs.TEACHER_FORCE, (STAGE,))


def run_forced(
    run_context: runner.RunContext,
    job: TeacherForcedJob,
    verb: verbs.Verb[verbs.TeacherForcedTensors],
    taken: Sequence[Stage],
) -> store.Record:
    """Record what a side does with another side's values. Whatever happens inside it becomes the
    record's status.

    Args:
        run_context: of the run. job: which side, and whose values.
        verb: what it does with them. taken: the stages whose values are the teacher's; of those
            that it has not recorded there are none.
    """
    folder = run_context.run / "jobs" / job.name
    runner.fresh(folder)
    with runner.ended(folder, job.describe(), time.monotonic()) as outcome:
        files = runner.inputs(
            run_context, job.workload, job.preset, job.seed, job.tape_steps or job.steps
        )
        teacher = run_context.run / "jobs" / job.teacher
        recorded = [path for stage in taken if (path := teacher / f"{stage}.npz").exists()]
        with (
            run_context.worker(job.build, folder / "worker.log", side=job.side) as worker,
            ending([worker]),
        ):
            opened = runner.open_port(worker, run_context, job.opening(), files)
            answer = worker.request(
                verb,
                tape=str(files.tape),
                teacher=[str(path.resolve()) for path in recorded],
                folder=str(folder.resolve()),
            )
        checksums.verify(folder, answer.content.files)
        outcome.result = {
            **opened.plain,
            **store.decode(answer.plain),
            "tape_hash": files.tape_hash,
            "data_hash": files.data_hash,
        }
    return outcome.record()
