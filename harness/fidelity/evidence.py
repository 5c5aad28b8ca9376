"""What a judge looks at: the tensors of one side, read one at a time, and how far honest variations moved them."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class Entry:
    """One recorded tensor, without its values.

    Attributes:
        stage, name, shape, dtype: as recorded.
        scale: size of the update for a parameter (max |after - before|); 0 where the values are their own scale.
        largest: max |value| over the whole tensor.
    """

    stage: str
    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    largest: float


class Evidence(Protocol):
    """One side of a comparison. `digested` says that `read` gives a digest (see `digest`) instead of the tensor."""

    digested: bool

    def entries(self, stage: str) -> list[Entry]:
        """Return the tensors of a stage in the order in which they were computed."""

    def read(self, stage: str, name: str) -> NDArray[Any]:
        """Return the values, or the digest, of one tensor."""

    def noise(self, stage: str, name: str) -> dict[str, list[float]]:
        """Return max |varied - base| of a tensor, one value a run, by kind of variation."""
