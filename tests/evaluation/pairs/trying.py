"""Pairs, compared as `harness compare pair.py` does, and what is said of each.

The original of a pair is run once: a mutant that leaves it all that its record depends on takes the
record over. What the record depends on is the workload's whole configuration, both sides' plans
among it; where a mistake changes that (a bias that is missing), both sides run.
"""

from __future__ import annotations

import dataclasses
import datetime
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from harness import plan
from harness.commands import compare, pairs
from harness.commands.options import Options
from harness.context import Context
from harness.errors import HarnessError
from harness.plan import Request
from harness.records import runs
from harness.results.model import Report, StageRow
from harness.results.verdicts import Fidelity
from tests.evaluation.pairs.mutant import ORIGINAL, PAIR, Mutant, lay_out, plant

#: Of the trajectory of a pair with a mistake; honest pairs have as many as a user's.
STEPS = 8
#: What stands before a line of the pre-flight.
READ_BACK = "read back: "


@dataclasses.dataclass(frozen=True)
class Said:
    """What came of one pair.

    Attributes:
        verdict: PASS, FAIL, INCONCLUSIVE, or an error. stage, place: where it departs first.
        step: the first bad step of a trajectory. wrong: all layers that teacher forcing names.
        read_back: lines of the pre-flight. lasted_s: all of it.
    """

    verdict: str
    stage: str = ""
    place: str = ""
    step: int = 0
    wrong: tuple[str, ...] = ()
    read_back: tuple[str, ...] = ()
    lasted_s: float = 0.0


@dataclasses.dataclass(frozen=True)
class Finding:
    """A mutant and what was said of it.

    Attributes:
        mutant: which. said: of the pair with it.
        foretold: lines of the pre-flight that the honest pair has not.
    """

    mutant: Mutant
    said: Said
    foretold: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the mistake was let through."""
        return self.said.verdict == Fidelity.PASS

    @property
    def judged(self) -> bool:
        """Whether the judge found it at its stage and in its place."""
        mutant = self.mutant
        if not self.at_stage or (mutant.step and self.said.step != mutant.step):
            return False
        return not mutant.places or any(place in self.said.place for place in mutant.places)

    @property
    def named(self) -> bool:
        """Whether the report names it: the judge does, or a line of the pre-flight."""
        places = self.mutant.places
        before = any(place in line for line in self.foretold for place in places)
        return self.judged or (self.at_stage and before)

    @property
    def at_stage(self) -> bool:
        """Whether the pair failed, at the stage where the mistake first shows."""
        return self.said.verdict == Fidelity.FAIL and self.said.stage == self.mutant.stage


@dataclasses.dataclass(frozen=True)
class Bench:
    """Where pairs are compared.

    Attributes:
        scratch: a folder of its own. environ: the environment. pythons: as `--python` has them.
        say: told what is being done.
    """

    scratch: Path
    environ: Mapping[str, str]
    pythons: tuple[str, ...]
    say: Callable[[str], None]
    kept: dict[str, Path] = dataclasses.field(default_factory=dict)

    def honest(self, base: str, precision: str = "fp64") -> Said:
        """Compare an honest pair.

        Args:
            base: which. precision: of the comparison.
        """
        lay_out(base, self.scratch / base)
        return self._compared(base, Options(precision=(precision,)), same_original=True)

    def mutated(self, mutant: Mutant) -> Said:
        """Compare a pair with a mistake.

        Args:
            mutant: which.
        """
        plant(mutant, self.scratch / mutant.base)
        options = Options(precision=("fp64",), steps=STEPS)
        return self._compared(mutant.base, options, same_original=mutant.file != ORIGINAL)

    def _compared(self, base: str, options: Options, same_original: bool) -> Said:
        began = time.monotonic()
        options = dataclasses.replace(
            options, no_speed=True, threads=1, python=self.pythons, keep=True
        )
        now = datetime.datetime.now(datetime.timezone.utc)
        context = Context(self.environ, now, "harness compare pair.py", self.say)
        try:
            request = pairs.look(self.scratch / base / PAIR, options, context).request
            folder = self._folder(base, request, context)
            if same_original:
                self._hand_over(request, folder)
            done = compare.compare(options, context, folder, request)
        except HarnessError as error:
            return Said(f"error: {error}", lasted_s=time.monotonic() - began)
        if same_original:
            self.kept.setdefault(_identity(request), done.folder)
        return said(done.report, request, time.monotonic() - began)

    def _folder(self, base: str, request: Request, context: Context) -> Path:
        """Return the folder of a new run of a comparison."""
        folder = self.scratch / "runs" / f"{base}-{len(list(self.scratch.glob('runs/*')))}"
        folder.parent.mkdir(exist_ok=True)
        key = compare.identity("compare", request, context)
        return runs.at(folder, key, context.command, context.now).folder

    def _hand_over(self, request: Request, folder: Path) -> None:
        """Put the record of an original into a run's folder, where an earlier run has left one of
        the same work."""
        before = self.kept.get(_identity(request))
        if before is not None:
            label = request.sides[0].label
            for job in plan.make(request).jobs:
                if job.side == label:
                    shutil.copytree(before / "jobs" / job.name, folder / "jobs" / job.name)


def _identity(request: Request) -> str:
    """Return what the record of an original depends on, but its text."""
    (workload,) = request.workloads
    configured = [workload.config(preset) for preset in workload.presets]
    return runs.key([plan.identity(request), configured])


def said(report: Report, request: Request, lasted_s: float) -> Said:
    """Return what a report says of a pair.

    Args:
        report: of the comparison. request: what was compared. lasted_s: all of it.
    """
    lines = tuple(line for line in request.left_out if line.startswith(READ_BACK))
    departing = [row for row in report.stages if row.verdict not in (Fidelity.PASS, "INFO")]
    failed = [job for job in report.jobs if job.status != "ok"]
    if failed:
        reason = f"{failed[0].status} of {failed[0].build}: {failed[0].reason}"
        return Said(f"error: {reason}", read_back=lines, lasted_s=lasted_s)
    if not departing:
        return Said(str(report.fidelity), read_back=lines, lasted_s=lasted_s)
    row = departing[0]
    return Said(
        str(row.verdict),
        str(row.stage),
        row.worst or "",
        step=_step(departing),
        wrong=row.wrong_layers,
        read_back=lines,
        lasted_s=lasted_s,
    )


def _step(rows: Sequence[StageRow]) -> int:
    return next((row.first_bad_step for row in rows if row.first_bad_step), 0)


def examine(bench: Bench, mutants: Sequence[Mutant], honest: Said) -> Iterator[Finding]:
    """Yield what is said of each mistake in one pair.

    Args:
        bench: where; the honest pair has been compared there. mutants: of one pair.
        honest: what was said of it without a mistake.
    """
    for mutant in mutants:
        came = bench.mutated(mutant)
        known = {*honest.read_back}
        yield Finding(mutant, came, tuple(line for line in came.read_back if line not in known))


def environment() -> Mapping[str, str]:
    """Return this process's environment without folders of its own packages, which are none of the
    user's."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
