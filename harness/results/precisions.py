"""The precisions of the two sides of a comparison of speed, and how a row spells them: the one
place that takes that spelling apart."""

from __future__ import annotations

import dataclasses

BETWEEN = ":"


@dataclasses.dataclass(frozen=True)
class Precisions:
    """What the two sides of a row ran in; where that differs, the row is the gain of one over the
    other."""

    a: str
    b: str

    @classmethod
    def read(cls, spelled: str) -> Precisions:
        """Return what a row spells.

        Args:
            spelled: `fp32` where both sides have the same, else `fp32:bf16`.
        """
        a, _, b = spelled.partition(BETWEEN)
        return cls(a, b or a)

    @property
    def gain(self) -> bool:
        """Whether two precisions of one build are compared."""
        return self.a != self.b
