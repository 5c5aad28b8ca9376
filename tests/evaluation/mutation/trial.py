"""A mutant on trial: its port is recorded stage by stage and judged against the stored record of
the original.

The stages are climbed one at a time and the first FAIL ends the climb, so most mutants cost a
forward pass. The mutated side runs once, without honest variations of its own: its floor is that of
the honest port. A mutant that departs by less than CLEAR thresholds is recorded again with all
variations, and judged as `harness compare` would judge it.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import JobFailed
from harness.execution import runner
from harness.fidelity import precision as bounds
from harness.fidelity.evidence import Evidence, TensorEntry
from harness.fidelity.judge import judge_stage
from harness.fidelity.nulls import null_tensors
from harness.fidelity.verdict import StageVerdict
from harness.plan import Job
from harness.records import contents, tensors
from harness.records.decoder import decode
from harness.results.verdicts import Fidelity
from tests.evaluation.laboratory import STEPS, Laboratory
from tests.evaluation.mutation.stored import Honest
from tests.evaluation.zoo.mutant import write

#: A mutant's own variations would have to move it a thousand times as far as those of the honest
#: port to excuse such an error.
CLEAR = 1e3
#: Seconds that one stage of a mutant may take; the honest ports take less than two.
LIMIT_S = 60.0


@dataclasses.dataclass(frozen=True)
class Borrowed:
    """A record without variations, with the noise of another one."""

    record: Evidence
    lender: Evidence
    digested: bool = False

    def entries(self, stage: str) -> list[TensorEntry]:
        """As recorded."""
        return self.record.entries(stage)

    def read(self, stage: str, name: str) -> Any:
        """As recorded."""
        return self.record.read(stage, name)

    def noise(self, stage: str, name: str) -> dict[str, list[float]]:
        """As the lender was moved."""
        return self.lender.noise(stage, name)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes:
        kind: `killed` by a verdict, `error` (killed too: the worker could not run it) or
            `survived`.
        where: workload and precision in which it was killed. stage: of the first FAIL, or the
            status of a job that did not end ok.
        place: the tensor that departs first. margin: the largest error / threshold there; infinite
            where there is no number.
        reason: the judge's or the worker's own; of a survivor, every stage that was not a plain
            PASS.
    """

    kind: str
    where: str = ""
    stage: str = ""
    place: str = ""
    margin: float = 0.0
    reason: str = ""


class Climb:
    """One planted port in one circumstance, opened once and recorded stage by stage."""

    def __init__(self, laboratory: Laboratory, honest: Honest, folder: Path) -> None:
        self.stand, self.honest, self.folder, self.records = laboratory.stand, honest, folder, 0
        self.variants = [dict(variant) for variant in honest.pair.b.variants]

    def stages(self) -> Iterator[StageVerdict]:
        """Yield the verdict on each stage, from below, and on a lower precision's bounds at last.

        Raises:
            JobFailed: the worker could not record the port.
        """
        pair = self.honest.pair
        worker = self._opened(pair.b)
        for stage in pair.stages:
            yield self._careful(worker, [stage], self._judge_stage)
        if pair.base_b is not None:
            full = Borrowed(
                self._record(self._opened(pair.base_b), [*bounds.STAGES], []), self.honest.port_base
            )
            worker = self._opened(pair.b)
            yield self._careful(
                worker,
                [*bounds.STAGES],
                lambda low, _: bounds.judge_precision(low, full, pair.precision),
            )

    def _careful(
        self, worker: Any, stages: list[str], judge: Callable[[Evidence, str], StageVerdict]
    ) -> StageVerdict:
        """Return the verdict on what is recorded; a FAIL by little is judged by the mutant's own
        variations too."""
        verdict = judge(Borrowed(self._record(worker, stages, []), self.honest.port), stages[0])
        if verdict.verdict == Fidelity.FAIL and margin(verdict) < CLEAR:
            return judge(self._record(worker, stages, self.variants), stages[0])
        return verdict

    def _judge_stage(self, mutated: Evidence, stage: str) -> StageVerdict:
        honest = self.honest
        if honest.pair.base_b is None:
            return judge_stage(honest.original, mutated, stage, honest.pair.precision)
        base = honest.original_base, honest.port_base
        return judge_stage(
            honest.original, mutated, stage, honest.pair.precision, null_tensors(*base, stage), base
        )

    def _opened(self, job: Job) -> Any:
        worker = self.stand.worker(job.build, self.stand.run / "worker.log")
        opening = dataclasses.replace(job, folders=(str(self.folder), *job.folders)).opening()
        runner.open_port(worker, self.stand, opening, self.honest.files)
        return worker

    def _record(self, worker: Any, stages: list[str], variants: list[dict[str, Any]]) -> Evidence:
        self.records += 1
        folder = self.folder / f"{self.honest} {self.records}"
        folder.mkdir()
        answer = worker.request(
            "record",
            timeout_s=LIMIT_S,
            tape=str(self.honest.files.tape),
            folder=str(folder),
            what={"stages": stages, "steps": STEPS, "variants": variants},
        )
        return tensors.RecordEvidence(folder, decode(contents.Tensors, answer, "the answer"))


def margin(verdict: StageVerdict) -> float:
    """Return the largest error / threshold of the tensors that depart; infinite where one has no
    number to compare."""
    return max(item.margin for item in verdict.tensors if item.verdict == Fidelity.FAIL)


class Court:
    """Judges planted ports of one workload.

    Args:
        laboratory: whose worker of build torch runs them.
        port: the workload whose port is changed.
        folder: for what is planted and recorded; each trial leaves it as it was.
    """

    def __init__(self, laboratory: Laboratory, port: str, folder: Path) -> None:
        self.laboratory, self.port, self.folder, self.trials = laboratory, port, folder, 0

    def judge(self, texts: Mapping[Path, str], circumstances: Sequence[Honest]) -> Outcome:
        """Return how the port, with some of its files' texts replaced, fares in the given
        circumstances."""
        doubts: list[str] = []
        self.trials += 1
        folder = (
            self.folder / f"{self.trials:05d}"
        )  # no path twice: the worker remembers modules by it, the store open files
        where = ""
        try:
            write(self.port, dict(texts), folder)
            for honest in circumstances:
                where = str(honest)
                for found in Climb(self.laboratory, honest, folder).stages():
                    if found.verdict == Fidelity.FAIL:
                        place = found.worst.name if found.worst else ""
                        return Outcome(
                            "killed", where, found.stage, place, margin(found), found.reason
                        )
                    if found.verdict != Fidelity.PASS:
                        doubts.append(f"{where} {found.stage}: {found.verdict}: {found.reason}")
            return Outcome("survived", reason="; ".join(doubts))
        except JobFailed as failure:
            return Outcome("error", where, failure.status, reason=failure.reason)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
