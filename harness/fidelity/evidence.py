"""What a judge looks at: the tensors of one side, read one at a time, and how far honest variations
moved them."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from backends.contract import Stage


@dataclasses.dataclass(frozen=True)
class TensorEntry:
    """One recorded tensor, without its values.

    Attributes:
        stage, name, shape, dtype: as recorded.
        scale: size of the update for a parameter (max |after - before|); 0 where the values are
            their own scale.
        largest: max |value| over the whole tensor.
        sketched: whether its sketch stands in its place (`backends.recording.sketch`).
        content: SHA-256 of the values behind a sketch.
    """

    stage: Stage
    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    largest: float
    sketched: bool = False
    content: str = ""


@dataclasses.dataclass(frozen=True)
class LossScale:
    """The scale of the loss at which a side's gradients were recorded, and how often it was halved
    to get there."""

    scale: float
    halved: int


class Evidence(Protocol):
    """One side of a comparison. `digested` says that `read` gives a digest (see `digest`) instead
    of the tensor."""

    @property
    def digested(self) -> bool:
        """Whether values are digests."""

    def entries(self, stage: Stage) -> list[TensorEntry]:
        """Return the tensors of a stage in the order in which they were computed."""

    def read(self, stage: Stage, name: str) -> NDArray[Any]:
        """Return the values, or the digest, of one tensor.

        Args:
            stage: one of `contract.STAGES`. name: as in `entries`.
        """

    def noise(self, stage: Stage, name: str) -> dict[str, list[float]]:
        """Return max |varied - base| of a tensor, one value a run, by kind of variation.

        Args:
            stage, name: as for `read`.
        """


def both_values(
    a: tuple[Evidence, TensorEntry], b: tuple[Evidence, TensorEntry]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return what two sides have of a tensor, or of its sketch, to be compared. A tensor with
    values that are not finite has no sketch: beside it stand zeros.

    Args:
        a, b: each side, and its entry of the tensor.

    Raises:
        ValueError: one side has a sketch of what the other has whole, and finite.
    """
    values_a, values_b = (side.read(entry.stage, entry.name) for side, entry in (a, b))
    if a[1].sketched == b[1].sketched:
        return values_a, values_b
    whole = values_b if a[1].sketched else values_a
    if np.all(np.isfinite(whole)):
        raise ValueError(f"{a[1].stage}/{a[1].name} is whole on one side and a sketch on the other")
    empty = np.zeros_like(whole)
    return (empty, whole) if a[1].sketched else (whole, empty)


@dataclasses.dataclass(frozen=True)
class Restricted:
    """One side seen through what both sides can show: a port that lacks an optional method is
    judged by what it has.

    Attributes:
        inner: the side itself.
        hidden: parts of names; an entry whose `stage/name` contains one of them is not shown.
        names: whole `stage/name`s that are not shown either.
    """

    inner: Evidence
    hidden: tuple[str, ...]
    names: frozenset[str] = frozenset()

    @property
    def digested(self) -> bool:
        """As the side itself."""
        return self.inner.digested

    def entries(self, stage: Stage) -> list[TensorEntry]:
        """Return the entries that are not hidden."""
        return [
            entry for entry in self.inner.entries(stage) if self._shown(f"{stage}/{entry.name}")
        ]

    def _shown(self, name: str) -> bool:
        return name not in self.names and not any(part in name for part in self.hidden)

    def read(self, stage: Stage, name: str) -> NDArray[Any]:
        """As the side itself."""
        return self.inner.read(stage, name)

    def noise(self, stage: Stage, name: str) -> dict[str, list[float]]:
        """As the side itself."""
        return self.inner.noise(stage, name)


@dataclasses.dataclass(frozen=True)
class Replayed:
    """One side of which some stages have been recorded again, with whole tensors.

    Attributes:
        ordinary: all of it. again: the second recording. stages: that it holds.
    """

    ordinary: Evidence
    again: Evidence
    stages: frozenset[str]
    digested: bool = False

    def _of(self, stage: Stage) -> Evidence:
        return self.again if stage in self.stages else self.ordinary

    def entries(self, stage: Stage) -> list[TensorEntry]:
        """Return those of the recording that the stage is taken from."""
        return self._of(stage).entries(stage)

    def read(self, stage: Stage, name: str) -> NDArray[Any]:
        """As that recording."""
        return self._of(stage).read(stage, name)

    def noise(self, stage: Stage, name: str) -> dict[str, list[float]]:
        """As that recording."""
        return self._of(stage).noise(stage, name)
