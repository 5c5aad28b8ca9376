"""Which draw of randomness of one side is which of the other's."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from backends.survey import NORMAL, Draw, Survey
from harness.pairs.alignment import align
from harness.pairs.taps import Axes, orders_of
from harness.pairs.units import NAMES, likeness


@dataclasses.dataclass(frozen=True)
class SharedDraw:
    """One draw that the tape answers for both sides.

    Attributes:
        name: canonical, unique in its phase. phase: as of `backends.survey.Draw`.
        kind: `uniform` or `normal`, what the tape holds. shape: in the first side's layout.
        a, b: the draw's number on each side. axes_b: the order in which the tape's axes are the
            second side's own.
    """

    name: str
    phase: str
    kind: str
    shape: tuple[int, ...]
    a: int
    b: int
    axes_b: Axes = None


@dataclasses.dataclass(frozen=True)
class DrawsMatched:
    """What belongs together, and what only one side draws, or the tape cannot answer."""

    sites: tuple[SharedDraw, ...]
    only_a: tuple[Draw, ...]
    only_b: tuple[Draw, ...]


def match(a: Survey, b: Survey) -> DrawsMatched:
    """Return which draws belong together: in order, of the same kind and shape.

    Args:
        a, b: what the adapters have found out about both sides.
    """
    sites = []
    used_a, used_b = set[tuple[str, int]](), set[tuple[str, int]]()
    for phase in dict.fromkeys(draw.phase for draw in a.draws):
        left = [draw for draw in a.draws if draw.phase == phase and draw.served]
        right = [draw for draw in b.draws if draw.phase == phase and draw.served]
        for i, j in align(left, right, _fit):
            x, y = left[i], right[j]
            used_a.add((phase, x.index))
            used_b.add((phase, y.index))
            sites.append(
                SharedDraw(
                    name=_name(x, i),
                    phase=phase,
                    kind="normal" if x.kind == NORMAL else "uniform",
                    shape=tuple(x.shape),
                    a=x.index,
                    b=y.index,
                    axes_b=_axes(x.shape, y.shape),
                )
            )
    return DrawsMatched(
        tuple(sites),
        tuple(draw for draw in a.draws if (draw.phase, draw.index) not in used_a),
        tuple(draw for draw in b.draws if (draw.phase, draw.index) not in used_b),
    )


def _name(draw: Draw, number: int) -> str:
    where = draw.layer.replace("/", ".") or "step"
    return f"{number}.{where}.{draw.kind}"


def _fit(x: Draw, y: Draw) -> float:
    if x.kind != y.kind or sorted(x.shape) != sorted(y.shape):
        return 0.0
    return 1.0 + NAMES * likeness(x.layer, y.layer) + 0.1 * (tuple(x.shape) == tuple(y.shape))


def _axes(tape: Sequence[int], own: Sequence[int]) -> Axes:
    """Return the order in which the tape's axes are a side's own; None: as they are."""
    if tuple(tape) == tuple(own):
        return None
    orders = [axes for axes in orders_of(tape, own) if axes[0] == 0] or orders_of(tape, own)
    channels_first = (0, len(own) - 1, *range(1, len(own) - 1))
    if channels_first in orders:
        return channels_first
    return orders[0] if orders else None
