"""Honest comparisons: pairs that must never fail, and what their errors say about the floor.

Builds against each other, over workloads, presets, seeds and precisions; a build against itself
with other threads; a port against one whose formulas are written another way. Their largest error,
in units of the measured floor, is what the threshold rests on
(`harness/fidelity/honest_spread.py`); their count and their verdicts are the false alarms of the
docs. The two are never the same comparisons: those that the docs count run on tapes that no
threshold has seen.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.fidelity.precision import judge_precision
from harness.fidelity.verdict import StageVerdict
from harness.plan import Job, Pair, Side
from tests.evaluation.laboratory import Laboratory
from tests.evaluation.zoo.equivalents import EQUIVALENTS
from tests.evaluation.zoo.mutant import plant

BUILDS = ("tf1", "tf2", "torch", "tf1-compat", "tf2.10")
LOW = ("bf16", "fp16")
#: The first seed of the tapes that thresholds are measured on, and of those on which false alarms
#: are counted.
MEASURED, UNSEEN = 0, 100


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One honest comparison: what was compared, and what the judge said at every stage
    (`precision`: a build's own bounds)."""

    kind: str
    workload: str
    preset: str
    precision: str
    seed: int
    a: str
    b: str
    verdicts: tuple[StageVerdict, ...]

    @property
    def alarms(self) -> tuple[StageVerdict, ...]:
        """The stages that failed."""
        return tuple(item for item in self.verdicts if item.verdict == "FAIL")

    @property
    def open(self) -> tuple[StageVerdict, ...]:
        """The stages that were not decided."""
        return tuple(item for item in self.verdicts if item.verdict == "INCONCLUSIVE")


@dataclasses.dataclass(frozen=True)
class Series:
    """Comparisons of one kind: all pairs of some builds, over seeds and precisions."""

    workload: str
    builds: tuple[str, ...] = ("tf2", "torch")
    precisions: tuple[str, ...] = ("fp64", "fp32")
    seeds: tuple[int, ...] = (0, 1, 2)
    preset: str = "tiny"


def series(purpose_built: Sequence[str]) -> list[Series]:
    """Return what is compared, the shipped workloads first."""
    found = [Series(name, BUILDS, seeds=(0, 1)) for name in ("linear", "cnn")]
    found += [Series(name, preset="small") for name in ("linear", "cnn")]
    found += [
        Series("ehr_mgan", BUILDS, ("fp64",), (0,)),
        Series("ehr_mgan", precisions=("fp32", "bf16"), seeds=(0,)),
    ]
    found += [Series("ehr_mgan_conditional", seeds=(0,))]
    found += [Series(name) for name in purpose_built]
    return found + [Series(name, precisions=LOW) for name in ("linear", "cnn")]


def compare_builds(laboratory: Laboratory, one: Series, first: int) -> Iterator[Comparison]:
    """Compare all pairs of a series' builds; its seeds count from `first`."""
    sides = [laboratory.side(build) for build in one.builds]
    seeds = tuple(first + seed for seed in one.seeds)
    planned = laboratory.plan(
        one.workload, sides, precisions=one.precisions, seeds=seeds, preset=one.preset
    )
    found = laboratory.evidences(planned.jobs)
    bounds = {low.name: (low, full) for low, full in planned.bounds}
    for pair in planned.pairs:
        own = [bounds.pop(job.name) for job in (pair.a, pair.b) if job.name in bounds]
        judged = [*laboratory.judge(pair, found), *(_bounds(found, low, full) for low, full in own)]
        yield _comparison("builds", pair, judged)


def _bounds(found: Any, low: Job, full: Job) -> StageVerdict:
    return judge_precision(found[low.name].evidence, found[full.name].evidence, low.precision)


def compare_threads(
    laboratory: Laboratory, workload: str, seeds: Sequence[int]
) -> Iterator[Comparison]:
    """Compare torch with itself on two threads: sums are split another way."""
    side = laboratory.side("torch")
    sides = side, _second(side)
    for seed, precision in itertools.product(seeds, ("fp64", "fp32")):
        one, two = (
            laboratory.plan(
                workload,
                [sides[threads - 1]],
                precisions=(precision,),
                seeds=(seed,),
                fidelity_threads=threads,
            ).jobs
            for threads in (1, 2)
        )
        yield _pair(laboratory, "threads", one, two)


def compare_equivalents(laboratory: Laboratory, folder: Path, seed: int) -> Iterator[Comparison]:
    """Compare torch's port with one that says the same by another formula, or in another order."""
    for mutant, precision in itertools.product(EQUIVALENTS, ("fp64", "fp32")):
        other = laboratory.side("torch", plant(mutant, folder))
        sides = [laboratory.side("torch"), _second(other)]
        first, second = (
            laboratory.plan(mutant.workload, [side], precisions=(precision,), seeds=(seed,)).jobs
            for side in sides
        )
        yield _pair(laboratory, "formulas", first, second)


def _second(side: Side) -> Side:
    """Return a side under a label of its own, as a comparison gives the second one of a build."""
    return dataclasses.replace(side, label=f"{side.label}#2")


def _pair(laboratory: Laboratory, kind: str, a: Sequence[Job], b: Sequence[Job]) -> Comparison:
    """Judge two plans of one side each, in the precision asked for."""
    precision = (
        a[0].precision
        if len(a) == 1
        else next(job.precision for job in a if job.precision != "fp64")
    )
    by_precision_a, by_precision_b = _by_precision(a), _by_precision(b)
    own = by_precision_a[precision]
    pair = Pair(
        workload=own.workload,
        precision=precision,
        seed=own.seed,
        a=own,
        b=by_precision_b[precision],
        base_a=by_precision_a.get("fp64") if precision != "fp64" else None,
        base_b=by_precision_b.get("fp64") if precision != "fp64" else None,
        stages=own.stages,
    )
    found = laboratory.evidences([*a, *b])
    return _comparison(kind, pair, laboratory.judge(pair, found))


def _by_precision(jobs: Sequence[Job]) -> dict[str, Job]:
    """Return the first job in each precision."""
    return {job.precision: job for job in reversed(jobs)}


def _comparison(kind: str, pair: Pair, verdicts: Iterable[StageVerdict]) -> Comparison:
    return Comparison(
        kind=kind,
        workload=pair.workload,
        preset=pair.a.preset,
        precision=pair.precision,
        seed=pair.seed,
        a=pair.a.side,
        b=pair.b.side,
        verdicts=tuple(verdicts),
    )


def everything(
    laboratory: Laboratory, purpose_built: Sequence[str], folder: Path, first: int
) -> Iterator[Comparison]:
    """Run all honest comparisons, on tapes of seeds from `first` on."""
    for one in series(purpose_built):
        yield from compare_builds(laboratory, one, first)
    for workload in ("linear", "cnn"):
        yield from compare_threads(laboratory, workload, range(first, first + 3))
    for seed in (first, first + 1):
        yield from compare_equivalents(laboratory, folder, seed)
