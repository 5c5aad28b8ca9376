"""Judge entries as `harness compare` judges, and count what was said against what has to be
said."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.contract import STAGE_LETTERS
from harness.evaluation import pair_evidence, stage_rows
from harness.execution import runner
from harness.records import tensors
from harness.results import outcome
from harness.results.model import StageRow
from tests.evaluation.laboratory import Laboratory
from tests.evaluation.metamorphic.entry import Entry, plant

#: How many mutants there have to be; the share of them that fails at its stage; how many twins may
#: stay undecided.
ENOUGH, AT_STAGE, UNDECIDED = 30, 0.90, 1
#: A side that did not run to its end has no verdict.
ERROR = "ERROR"
#: Relative to a tensor's largest value, or to a parameter's update, more than the rounding of
#: float64 makes of one look, and of a few steps of training; and the share of a stage's largest
#: value below which a tensor has no size of its own.
ROUNDING, GROWN, SHARE = 2.0**-36, 2.0**-28, 2.0**-10
LETTERS = {stage: letter for letter, stage in STAGE_LETTERS.items()}


@dataclasses.dataclass(frozen=True)
class Finding:
    """What the judge said of one entry.

    Attributes:
        verdict: of the whole: PASS, FAIL, INCONCLUSIVE, or ERROR where a side did not run. stage,
            place: of the first FAIL, or else of the first that is undecided. stages: by stage, its
            verdict. said: the judge's own sentence.
        apart: the first stage at which the float64 records differ by more than rounding, found
            without the judge; empty where none does.
    """

    entry: Entry
    verdict: str
    stage: str
    place: str
    stages: tuple[tuple[str, str], ...]
    said: str
    apart: str = ""

    @property
    def right(self) -> bool:
        """Whether it is what has to be said: a FAIL at the mutant's stage, PASS for a twin."""
        return self.verdict == ("PASS" if self.entry.honest else "FAIL") and (
            self.entry.honest or self.stage == self.entry.stage
        )

    @property
    def sound(self) -> bool:
        """Whether the entry is what it says: its sides part at its stage and not before, those
        of a twin nowhere."""
        return self.apart == (self.entry.apart or self.entry.stage)


def examine(laboratory: Laboratory, entries: Iterable[Entry], folder: Path) -> Iterator[Finding]:
    """Judge each entry: mutants in float64, twins in float32 too, with the bounds of that
    precision."""
    for entry in entries:
        sides = [
            laboratory.side(entry.reference),
            laboratory.side(entry.build, plant(entry, folder)),
        ]
        planned = laboratory.plan(
            entry.workload, sides, precisions=("fp64", "fp32") if entry.honest else ("fp64",)
        )
        records = runner.run_jobs(
            laboratory.stand, planned.jobs, lambda _job, _record: None, runner.run_job
        )
        ended = [
            f"{record.status}: {record.reason}"
            for record in records.values()
            if record.status != "ok"
        ]
        if ended:
            yield Finding(entry, ERROR, "", "", (), ended[0])
            continue
        evidences = {
            name: pair_evidence.JobEvidence(
                tensors.RecordEvidence(record.folder, record.recorded),
                "ok",
                "",
                record.recorded.abilities,
                f"jobs/{name}",
            )
            for name, record in records.items()
        }
        pair = next(pair for pair in planned.pairs if pair.precision == "fp64")
        found = finding(entry, stage_rows.stage_rows(planned, evidences))
        yield dataclasses.replace(
            found, apart=apart(*(evidences[job.name].evidence for job in (pair.a, pair.b)))
        )


def _entries(side: Any, stage: str) -> dict[str, Any]:
    return {entry.name: entry for entry in side.entries(stage)}


def apart(a: Any, b: Any) -> str:
    """Return the first stage of two float64 records in which a tensor differs by more than rounding
    ever makes it, or nothing.

    As plain as can be, because it says whether an entry is what it says: no floor, no excuse, names
    that both sides have.
    """
    for stage in LETTERS:
        mine, theirs = _entries(a, stage), _entries(b, stage)
        whole = max(
            (entry.largest for entry in theirs.values() if np.isfinite(entry.largest)), default=0.0
        )
        least = SHARE * whole if stage in ("gradients", "update", "trajectory") else 0.0
        for name in [name for name in theirs if name in mine]:
            first = stage != "trajectory" or name.startswith("step 1/")
            allowed = (ROUNDING if first else GROWN) * max(
                theirs[name].scale or theirs[name].largest, least
            )
            if _differs(*(np.asarray(side.read(stage, name)) for side in (a, b)), allowed):
                return stage
    return ""


def _differs(x: NDArray[Any], y: NDArray[Any], allowed: float) -> bool:
    """Whether two tensors are further apart than that; whole numbers are equal or not, another
    kind of number is another tensor."""
    kinds = {x.dtype.kind, y.dtype.kind} - {"u", "i"}
    if x.shape != y.shape or (kinds and x.dtype.kind != y.dtype.kind):
        return True
    if not kinds or "b" in kinds:
        return bool(np.any(x != y))
    return bool(np.max(np.abs(x - y), initial=0.0) > allowed)


def finding(entry: Entry, rows: Sequence[StageRow]) -> Finding:
    """Return what the rows of one entry's comparison say."""
    verdict = outcome.fidelity(rows)
    first = (
        next((row for row in rows if row.verdict == verdict), None) if verdict != "PASS" else None
    )
    stages = tuple((f"{LETTERS.get(row.stage, 'P')} {row.precision}", row.verdict) for row in rows)
    if first is None:
        return Finding(entry, verdict, "", "", stages, outcome.headline(rows, [], []))
    return Finding(
        entry,
        verdict,
        first.stage,
        first.worst or "",
        stages,
        f"{outcome.headline(rows, [], [])} {first.reason}",
    )


@dataclasses.dataclass(frozen=True)
class Count:
    """What all of it comes to; `other`: sides that did not run, or verdicts of nothing."""

    mutants: int
    passed: int
    at_stage: int
    elsewhere: int
    undecided: int
    twins: int
    alarms: int
    open: int
    other: int

    def good(self, whole: bool) -> bool:
        """Whether the claims hold: no mutant passes and nearly all fail at their stage; no twin
        fails. `whole`: there are enough."""
        caught = self.passed == 0 and self.at_stage >= AT_STAGE * self.mutants
        quiet = self.alarms == 0 and self.open <= UNDECIDED
        return caught and quiet and not self.other and (self.mutants >= ENOUGH or not whole)


def count(findings: Sequence[Finding]) -> Count:
    """Count findings."""
    mutants = [one for one in findings if not one.entry.honest]
    twins = [one for one in findings if one.entry.honest]
    failed = [one for one in mutants if one.verdict == "FAIL"]
    return Count(
        mutants=len(mutants),
        passed=sum(one.verdict == "PASS" for one in mutants),
        at_stage=sum(one.right for one in failed),
        elsewhere=sum(not one.right for one in failed),
        undecided=sum(one.verdict == "INCONCLUSIVE" for one in mutants),
        twins=len(twins),
        alarms=sum(one.verdict == "FAIL" for one in twins),
        open=sum(one.verdict == "INCONCLUSIVE" for one in twins),
        other=sum(one.verdict not in ("PASS", "FAIL", "INCONCLUSIVE") for one in findings),
    )
