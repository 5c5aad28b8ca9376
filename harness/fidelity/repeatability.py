"""Whether two runs of the same build on the same seed give the same: bit for bit, within rounding,
or not; and by which tensor first.

Bits come first: two runs that agree in every bit need no threshold. Only where they do not, what
one unit in the last place of the weights and inputs moves each tensor by (measured in a third run)
tells rounding from anything else, by the rules of the ladder. The tensors are gone through in the
order of the ladder, so the first that differs is where to look. Pure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.fidelity.evidence import Entry, Evidence
from harness.fidelity.judge import judge_stage, wandering
from harness.results.verdicts import Fidelity, Repeat

#: From the best to the worst.
ORDER = (
    Repeat.IDENTICAL,
    Repeat.ROUNDING,
    Repeat.INCONCLUSIVE,
    Repeat.DIFFERENT,
)


@dataclasses.dataclass(frozen=True)
class Departure:
    """The first tensor in which two runs differ: where, and both values there (None where the
    tensors cannot be compared)."""

    stage: str
    name: str
    place: str = ""
    first: float | None = None
    second: float | None = None

    def __str__(self) -> str:
        """E.g. "gradients train/W [3, 0]: 0.25 and 0.26"."""
        values = f": {self.first!r} and {self.second!r}" if self.first is not None else ""
        return f"{self.stage} {self.name}{self.place and ' ' + self.place}{values}"


@dataclasses.dataclass(frozen=True)
class Bits:
    """What two runs left, compared bit by bit: how many tensors, how many differ, and the first of
    those."""

    tensors: int
    differing: int
    first: Departure | None

    @property
    def identical(self) -> bool:
        """Whether something was compared and all of it agrees."""
        return self.tensors > 0 and self.differing == 0


@dataclasses.dataclass(frozen=True)
class Repeatability:
    """The verdict on repeated runs, with a reason that names tensors, and what was compared."""

    verdict: Repeat
    reason: str
    bits: Bits


@dataclasses.dataclass(frozen=True)
class Noisy:
    """One run's tensors with another run's measured noise."""

    inner: Evidence
    measured: Evidence

    @property
    def digested(self) -> bool:
        """As the run itself."""
        return self.inner.digested

    def entries(self, stage: str) -> list[Entry]:
        """As the run itself."""
        return self.inner.entries(stage)

    def read(self, stage: str, name: str) -> NDArray[Any]:
        """As the run itself."""
        return self.inner.read(stage, name)

    def noise(self, stage: str, name: str) -> dict[str, list[float]]:
        """As the run in which it was measured."""
        return self.measured.noise(stage, name)


def compare(first: Evidence, second: Evidence, stages: Sequence[str]) -> Bits:
    """Compare two runs bit by bit; NaN equals the same NaN, and -0 is not 0."""
    tensors, differing, found = 0, 0, None
    for stage in stages:
        one, other = (
            {entry.name: entry for entry in side.entries(stage)} for side in (first, second)
        )
        for name in [*one, *(name for name in other if name not in one)]:
            tensors += 1
            departure = (
                _departure(first, second, stage, name)
                if name in one and name in other
                else Departure(stage, name)
            )
            if departure is not None:
                differing += 1
                found = found or departure
    return Bits(tensors, differing, found)


def _departure(first: Evidence, second: Evidence, stage: str, name: str) -> Departure | None:
    a, b = first.read(stage, name), second.read(stage, name)
    if a.shape != b.shape or a.dtype != b.dtype:
        return Departure(stage, name)
    if a.tobytes() == b.tobytes():
        return None
    differs = np.frombuffer(a.tobytes(), np.uint8).reshape(-1, a.itemsize) != np.frombuffer(
        b.tobytes(), np.uint8
    ).reshape(-1, b.itemsize)
    place = np.unravel_index(int(np.argmax(differs.any(axis=1))), a.shape)
    return Departure(
        stage,
        name,
        str([int(index) for index in place]) if place else "",
        float(a[place]),
        float(b[place]),
    )


def judge(
    first: Evidence,
    second: Evidence,
    bits: Bits,
    measured: Evidence | None,
    stages: Sequence[str],
    precision: str,
) -> Repeatability:
    """Judge two runs that were compared.

    Args:
        first, second: the runs. bits: what `compare` found.
        measured: a run of the same in which honest variations moved the tensors; not needed where
            all bits agree.
        stages: what both recorded, in the order of the ladder. precision: what both ran in.
    """
    if bits.identical:
        return Repeatability(
            Repeat.IDENTICAL, f"all {bits.tensors} tensors agree in every bit", bits
        )
    if not bits.tensors or bits.first is None:
        return Repeatability(Repeat.INCONCLUSIVE, "no tensor was compared", bits)
    differ = f"{bits.differing} of {bits.tensors} tensors differ, first {bits.first}"
    if measured is None:
        return Repeatability(
            Repeat.INCONCLUSIVE, f"{differ}; what rounding moves was not measured", bits
        )
    sides = Noisy(first, measured), Noisy(second, measured)
    # A run that draws anew each time moves under a variation too: its movement is no measure of
    # rounding.
    strays = next(
        (found for stage in stages if (found := wandering(sides[0], stage, precision))), None
    )
    if strays is not None:
        return Repeatability(
            Repeat.DIFFERENT, f"{differ}; not even within one process: {strays.reason}", bits
        )
    return _by_rounding(
        sides, [stage for stage in stages if first.entries(stage)], precision, bits, differ
    )


def _by_rounding(
    sides: tuple[Noisy, Noisy], stages: Sequence[str], precision: str, bits: Bits, differ: str
) -> Repeatability:
    """Judge what differs by the ladder's rules."""
    verdicts = [judge_stage(*sides, stage, precision) for stage in stages]
    failed = next((verdict for verdict in verdicts if verdict.verdict == Fidelity.FAIL), None)
    if failed is not None:
        named = f" in {failed.worst.name}" if failed.worst else ""
        return Repeatability(
            Repeat.DIFFERENT,
            f"{differ}; beyond rounding from {failed.stage}{named} on: {failed.reason}",
            bits,
        )
    unsure = next((verdict for verdict in verdicts if verdict.verdict != Fidelity.PASS), None)
    if unsure is not None:
        return Repeatability(
            Repeat.INCONCLUSIVE, f"{differ}; {unsure.stage}: {unsure.reason}", bits
        )
    return Repeatability(Repeat.ROUNDING, f"{differ}; none by more than rounding explains", bits)


def worst(found: Sequence[Repeatability]) -> Repeatability:
    """Return the verdict that stands for several comparisons."""
    return max(found, key=lambda one: ORDER.index(one.verdict))
