"""Run mutants and say what the judge found: the first stage that is not PASS, the place in it,
and how far above the threshold."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.evaluation.stage_rows import stage_rows
from harness.results.model import StageRow
from tests.evaluation.laboratory import Laboratory
from tests.evaluation.zoo.mutant import Mutant, plant
from tests.evaluation.zoo.peers import Peers, gather


@dataclasses.dataclass(frozen=True)
class Finding:
    """What the judge said of one mutant.

    Attributes:
        stage, place, verdict: of the first stage that did not pass; empty, empty and PASS where all
            did.
        margin: error / threshold there; infinite where there is no number to compare (another
            shape, a NaN).
        reason: the judge's own.
    """

    mutant: Mutant
    verdict: str
    stage: str
    place: str
    margin: float
    reason: str

    @property
    def killed(self) -> bool:
        """Whether the judge said what it has to say, at whatever stage."""
        return self.verdict == self.mutant.verdict

    @property
    def at_stage(self) -> bool:
        """Whether it did so at the stage where the bug first shows."""
        return self.killed and self.stage == self.mutant.stage

    @property
    def in_place(self) -> bool:
        """Whether it named the tensor, too."""
        return self.at_stage and self.mutant.place in self.place


def examine(
    laboratory: Laboratory, mutants: Iterable[Mutant], folder: Path, peers: Peers | None = None
) -> Iterator[Finding]:
    """Judge each mutant against the honest port on TensorFlow 2, as a user who moves a model to
    torch would; the peers too."""
    for mutant in mutants:
        sides = [laboratory.side("tf2"), laboratory.side("torch", plant(mutant, folder))]
        low = "fp32" if mutant.precision == "fp64" else mutant.precision
        planned = laboratory.plan(mutant.workload, sides, precisions=("fp64", low))
        found = laboratory.evidences(planned.jobs)
        said = finding(
            mutant, [row for row in stage_rows(planned, found) if row.precision == mutant.precision]
        )
        yield said
        if peers is not None:
            pair = next(pair for pair in planned.pairs if pair.precision == low)
            assert pair.base_a is not None
            peers.ask(
                mutant.name,
                gather(*(found[job.name].evidence for job in (pair.a, pair.b, pair.base_a))),
                said.killed,
            )


def finding(mutant: Mutant, rows: Iterable[StageRow]) -> Finding:
    """Return what the rows of one mutant's comparison say."""
    first = next((row for row in rows if row.verdict not in ("PASS", "INFO")), None)
    if first is None:
        return Finding(mutant, "PASS", "", "", 0.0, "every stage passed")
    margin = (
        first.error / first.threshold
        if first.error is not None and first.threshold
        else float("inf")
    )
    return Finding(mutant, first.verdict, first.stage, first.worst or "", margin, first.reason)
