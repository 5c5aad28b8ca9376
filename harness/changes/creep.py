"""What crept: a figure that grew by less than a threshold every night, held against the median of
the nights before it.

Against the night before alone, memory that grows by 1.9 % a night is never told, and doubles in 37
nights. The median of up to `LAST` nights is that of a week ago: it is not moved by one bad night,
and what creeps has left it behind.

A growth is told in the night in which it gets beyond the threshold, and not again while it stays
there: what was beyond it last night was told then. Owns which nights count and when a growth is
news; what a threshold is, the callers say.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.changes import conditions
from harness.changes.model import JudgedNight, Measurand
from harness.changes.provenance import Suspects

#: Nights that a median needs, and the newest that it is taken over: two weeks.
LEAST, LAST = 3, 14


@dataclasses.dataclass(frozen=True)
class Past:
    """An earlier night as it stands to tonight.

    Attributes:
        suspects: what moved between the two.
        reasons: why conditions differ, of the measurands whose do.
    """

    night: JudgedNight
    suspects: Suspects
    reasons: Mapping[Measurand, str]


@dataclasses.dataclass(frozen=True)
class Median:
    """What a figure crept away from: the median over the last `nights` comparable ones."""

    value: float
    nights: int


def past(after: JudgedNight, nights: Iterable[JudgedNight]) -> tuple[Past, ...]:
    """Return the nights before tonight, in the order given, as they stand to it."""
    return tuple(
        Past(night, Suspects(night, after), conditions.between(night, after)) for night in nights
    )


def ported(earlier: Past, workload: str, sides: Iterable[str], tape: str) -> bool:
    """Whether the port of a side, or the tape, was another one in that night."""
    ports = earlier.suspects.ports
    return tape in earlier.suspects.tapes or any((workload, side) in ports for side in sides)


def crept(
    tonight: float, before: Sequence[float], beyond: Callable[[float, float], bool]
) -> Median | None:
    """Return the median that tonight's figure has just left behind; None where it has not, or had
    already.

    Args:
        before: the figure in the nights before that are comparable with tonight, newest first.
        beyond: whether a figure (first) has grown by too much against another.

    Where there are too few nights for yesterday's median, yesterday was held against the night
    before it alone.
    """
    if len(before) < LEAST:
        return None
    median = Median(statistics.median(before[:LAST]), len(before[:LAST]))
    if not beyond(tonight, median.value):
        return None
    older = before[1 : LAST + 1]
    reference = statistics.median(older) if len(older) >= LEAST else older[0]
    return None if beyond(before[0], reference) else median
