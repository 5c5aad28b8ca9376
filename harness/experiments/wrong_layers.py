"""After a forward pass has failed: run one side again, taught by the other one's activations, and
name every layer that is wrong.

Side b is taught by what a has recorded. Where b's port does not let itself be taught, a is, by b's:
a layer that is not the same departs either way. The taught run is a job like any other, beside the
others in the run's folder.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from numpy.typing import NDArray

from harness.errors import CorruptRecord
from harness.evaluation import stage_rows
from harness.execution import runner
from harness.execution.processes import ending
from harness.fidelity import declarations
from harness.fidelity.evidence import Entry, Evidence, Restricted
from harness.fidelity.judge import judge_stage
from harness.fidelity.layers import Layers, find
from harness.plan import Job, LessonJob, Pair, Plan, describe
from harness.records import store
from harness.results.model import StageRow
from harness.results.verdicts import Fidelity

STAGE, METHOD = "forward", "forward_from"
#: What a model makes is no layer.
PRODUCT = f"{STAGE}/generate"


@dataclasses.dataclass(frozen=True)
class Lesson:
    """A taught side as evidence: the values of the lesson; the noise is that of the same side's
    ordinary forward pass.

    Attributes:
        taught: the lesson's record. ordinary: the side's own.
    """

    taught: store.RecordEvidence
    ordinary: Evidence
    digested: bool = False

    def entries(self, stage: str) -> list[Entry]:
        """Return the taught activations."""
        return self.taught.entries(stage)

    def read(self, stage: str, name: str) -> NDArray[Any]:
        """Return one of them."""
        return self.taught.read(stage, name)

    def noise(self, stage: str, name: str) -> dict[str, list[float]]:
        """Return the movements of the same activation in the ordinary run."""
        return self.ordinary.noise(stage, name)


def localise(
    bench: runner.Bench,
    planned: Plan,
    witnesses: stage_rows.Witnesses,
    rows: Sequence[StageRow],
    say: Callable[[str], None],
) -> list[StageRow]:
    """Return the rows; those of forward passes that failed name every wrong layer, or say why they
    cannot."""
    pairs = {
        (pair.workload, pair.a.side, pair.b.side, pair.precision, pair.seed): pair
        for pair in planned.pairs
    }
    found = []
    for row in rows:
        pair = pairs.get((row.workload, row.a, row.b, row.precision, row.seed))
        if pair is not None and row.stage == STAGE and row.verdict == Fidelity.FAIL:
            said = teach(bench, pair, witnesses)
            say(f"{row.workload} {row.a} : {row.b} {row.precision}: {said}")
            found.append(named(row, said))
        else:
            found.append(row)
    return found


def named(row: StageRow, said: Layers | str) -> StageRow:
    """Return the row with what a taught run has shown. The first wrong layer stands for the
    stage."""
    row = dataclasses.replace(row, reason=f"{row.reason}; {said}")
    if isinstance(said, str) or not said.wrong:
        return row
    row, first = dataclasses.replace(row, wrong_layers=said.names), said.wrong[0]
    if first.name == row.worst:
        return row
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
    )


def teach(bench: runner.Bench, pair: Pair, witnesses: stage_rows.Witnesses) -> Layers | str:
    """Return the wrong layers of a pair whose forward pass has failed, or why they cannot be
    told."""
    verdict = stage_rows.judge(pair, STAGE, witnesses)
    departed = {
        item.name
        for item in verdict.tensors
        if item.verdict == Fidelity.FAIL and f"{STAGE}/{item.name}" != PRODUCT
    }
    if not departed:
        layers = [item for item in verdict.tensors if f"{STAGE}/{item.name}" != PRODUCT]
        return "no layer departs, only what is made of them" if layers else "no layer was looked at"
    if not all(witnesses[job.name].log for job in (pair.a, pair.b)):
        return "a recorded reference can neither teach nor be taught"
    reasons = []
    for teacher, pupil in ((pair.a, pair.b), (pair.b, pair.a)):
        said = taught(bench, pair, teacher, pupil, witnesses, departed)
        if isinstance(said, Layers):
            return said
        reasons.append(said)
    return f"the layers cannot be told apart: {', '.join(reasons)}"


def taught(
    bench: runner.Bench,
    pair: Pair,
    teacher: Job,
    pupil: Job,
    witnesses: stage_rows.Witnesses,
    departed: Collection[str] = (),
) -> Layers | str:
    """Return what one side shows when it is taught by the other, or why it is not taught;
    `departed` departs in the ordinary run."""
    if METHOD not in witnesses[pupil.name].abilities:
        return f"the port of {pupil.side} has no `{METHOD}`"
    job = LessonJob(
        **{
            field.name: getattr(pupil, field.name)
            for field in dataclasses.fields(LessonJob)
            if hasattr(pupil, field.name)
        },
        teacher=teacher.name,
    )
    (record,) = runner.run_jobs(bench, [job], lambda _job, _record: None, run_lesson).values()
    if not record.ok:
        return f"teaching {pupil.side} is {record.status}: {record.reason}"
    if not any(record.result["read"].values()) and any(record.result["own"].values()):
        return f"the port of {pupil.side} reads nothing back and goes on with its own values"
    ordinary = {name: witnesses[name].evidence for name in (teacher.name, pupil.name)}
    shown = {name: item for name, item in ordinary.items() if item is not None}
    sides: dict[str, Evidence] = {
        teacher.name: Restricted(shown[teacher.name], (PRODUCT,)),
        pupil.name: Lesson(store.RecordEvidence(record), shown[pupil.name]),
    }
    a, b = witnesses[pair.a.name], witnesses[pair.b.name]
    unseen = (
        *declarations.unseen(sides[pair.a.name], sides[pair.b.name], b.declared, STAGE),
        *declarations.unseen(sides[pair.b.name], sides[pair.a.name], a.declared, STAGE),
    )
    sides = {
        name: Restricted(side, (), frozenset(f"{STAGE}/{item}" for item in unseen))
        for name, side in sides.items()
    }
    try:
        null, base = stage_rows.null(pair, STAGE, witnesses), stage_rows.base(pair, witnesses)
        verdict = judge_stage(
            sides[pair.a.name], sides[pair.b.name], STAGE, pair.precision, null, base
        )
    except CorruptRecord as error:
        return str(error)
    if not verdict.tensors:
        return verdict.reason
    return find(
        verdict.tensors,
        record.result["read"],
        record.result["own"],
        record.result.get("rooted", ()),
        departed,
    )


def run_lesson(bench: runner.Bench, job: LessonJob) -> store.Record:
    """Record one taught forward pass. Whatever happens inside it becomes the record's status."""
    folder = bench.run / "jobs" / job.name
    runner.fresh(folder)
    with runner.ended(folder, describe(job), time.monotonic()) as outcome:
        files = runner.inputs(
            bench, job.workload, job.preset, job.seed, job.tape_steps or job.steps
        )
        teacher = bench.run / "jobs" / job.teacher / f"{STAGE}.npz"
        with (
            bench.worker(job.build, folder / "worker.log", side=job.side) as worker,
            ending([worker]),
        ):
            opened = runner.open_port(worker, bench, job.opening(), files)
            taught = worker.request(
                "teach",
                tape=str(files.tape),
                teacher=str(teacher.resolve()),
                folder=str(folder.resolve()),
            )
        store.verify(folder, taught["files"])
        outcome.result = {
            **opened,
            **store.decode(taught),
            "tape_hash": files.tape_hash,
            "data_hash": files.data_hash,
        }
    return outcome.record()
