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

from backends.contract import Stage
from harness.fidelity import nonrepeatable
from harness.fidelity.evidence import Evidence, TensorEntry
from harness.fidelity.judge import judge_stage
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

    stage: Stage
    name: str
    index: str = ""
    first: float | None = None
    second: float | None = None

    def __str__(self) -> str:
        """E.g. "gradients train/W [3, 0]: 0.25 and 0.26"."""
        values = f": {self.first!r} and {self.second!r}" if self.first is not None else ""
        return f"{self.stage} {self.name}{self.index and ' ' + self.index}{values}"


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

    def entries(self, stage: Stage) -> list[TensorEntry]:
        """As the run itself."""
        return self.inner.entries(stage)

    def read(self, stage: Stage, name: str) -> NDArray[Any]:
        """As the run itself."""
        return self.inner.read(stage, name)

    def noise(self, stage: Stage, name: str) -> dict[str, list[float]]:
        """As the run in which it was measured."""
        return self.measured.noise(stage, name)


def compare(first: Evidence, second: Evidence, stages: Sequence[Stage]) -> Bits:
    """Compare two runs bit by bit; NaN equals the same NaN, and -0 is not 0.

    Args:
        first, second: the runs; a tensor that one of them lacks differs.
        stages: in the order of the ladder, for the first tensor that differs is named.

    Raises:
        CorruptRecord: a tensor cannot be read.
    """
    tensors, departures = 0, []
    for stage in stages:
        # Dictionaries keep the order of the entries, which sets lose.
        names = dict.fromkeys(entry.name for entry in first.entries(stage))
        others = dict.fromkeys(entry.name for entry in second.entries(stage))
        tensors += len(names | others)
        for name in names | others:
            if name not in names or name not in others:
                departures.append(Departure(stage, name))
            elif departure := _departure(first, second, stage, name):
                departures.append(departure)
    return Bits(tensors, len(departures), departures[0] if departures else None)


def _departure(first: Evidence, second: Evidence, stage: Stage, name: str) -> Departure | None:
    a, b = first.read(stage, name), second.read(stage, name)
    if a.shape != b.shape or a.dtype != b.dtype:
        return Departure(stage, name)
    if a.tobytes() == b.tobytes():
        return None
    differs = (_bytes(a) != _bytes(b)).any(axis=1)
    index = np.unravel_index(int(np.argmax(differs)), a.shape)
    spelled = str([int(axis) for axis in index]) if index else ""
    return Departure(stage, name, spelled, float(a[index]), float(b[index]))


def _bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the bytes of each element, one row an element."""
    return np.frombuffer(values.tobytes(), np.uint8).reshape(-1, values.itemsize)


def judge(
    first: Evidence,
    second: Evidence,
    bits: Bits,
    measured: Evidence | None,
    stages: Sequence[Stage],
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
    tensor = nonrepeatable.first_of_stages(sides[0], stages, precision)
    if tensor is not None:
        return Repeatability(
            Repeat.DIFFERENT, f"{differ}; not even within one process: {tensor.reason}", bits
        )
    recorded = [stage for stage in stages if first.entries(stage)]
    return _by_rounding(sides, recorded, precision, bits, differ)


def _by_rounding(
    sides: tuple[Noisy, Noisy], stages: Sequence[Stage], precision: str, bits: Bits, differ: str
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


def worst(comparisons: Sequence[Repeatability]) -> Repeatability:
    """Return the verdict that stands for several comparisons."""
    return max(comparisons, key=lambda comparison: ORDER.index(comparison.verdict))
