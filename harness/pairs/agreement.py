"""Which activations of two sides are the same: two walks on the same weights, laid beside each
other. Nothing here judges.

Walks of a large model lie on the disk: each activation is looked at once, and those behind the
first that departs only where somebody asks for them.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.pairs.matches import DATA
from harness.pairs.taps import TapPair, orders_of

#: May read each array from the disk anew: what is asked for often is kept.
Walk = Mapping[str, NDArray[np.float64]]
#: Of what the second side's layers return on the first input, `0/<layer>`.
Shapes = Mapping[str, tuple[int, ...]]
#: Of the largest value of a layer. Kernels that are summed up in another order differ by 1e-15 of
#: it in float64; another choice of weights by all of it.
TOLERANCE = 1e-6
INPUTS = 2
#: What a later call of a layer is shown by: see `backends.survey.of_call`.
LATER = re.compile(r"/call \d+$")


def laid_out(
    walk: Walk, number: int, layer: str, axes: Sequence[int] | None
) -> NDArray[np.float64]:
    """Return an activation with its axes in canonical order.

    Args:
        walk: that holds it. number: of the run. layer: that showed it.
        axes: the order in which its own are the canonical ones.
    """
    value = np.asarray(walk[f"{number}/{layer}"])
    return value if axes is None or value.ndim != len(axes) else np.transpose(value, axes)


def agrees(tap: TapPair, walk_a: Walk, walk_b: Walk, runs: int = INPUTS) -> bool:
    """Return whether an activation is the same on every input.

    Args:
        tap: which. walk_a, walk_b: what both sides' layers returned. runs: how many are looked at.
    """
    for number in range(runs):
        if f"{number}/{tap.a}" not in walk_a or f"{number}/{tap.b}" not in walk_b:
            return False
        x = laid_out(walk_a, number, tap.a, tap.axes_a)
        y = laid_out(walk_b, number, tap.b, tap.axes_b)
        if x.shape != y.shape or not near(x, y):
            return False
    return True


def near(x: NDArray[np.float64], y: NDArray[np.float64], tolerance: float = TOLERANCE) -> bool:
    """Return whether two arrays of one shape are the same, what is not finite in them, too.

    Args:
        x, y: the arrays. tolerance: of the largest value.
    """
    held, other = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if held.size:
        with np.errstate(invalid="ignore", over="ignore"):
            most, apart = float(np.max(np.abs(held))), float(np.max(np.abs(held - other)))
        if math.isfinite(most) and math.isfinite(apart):
            return apart <= tolerance * max(most, 1e-300)
    finite, same = np.isfinite(held), np.isfinite(other)
    # What a mask shuts out is minus infinity on both sides; what is no number is like nothing.
    if not np.array_equal(held[~finite], other[~same]) or not np.array_equal(finite, same):
        return False
    if not finite.any():
        return x.size == 0
    apart = float(np.max(np.abs(held[finite] - other[finite])))
    return apart <= tolerance * max(float(np.max(np.abs(held[finite]))), 1e-300)


def first_open(taps: Sequence[TapPair], walk_a: Walk, walk_b: Walk) -> int:
    """Return the index of the first activation that does not agree; their number if all do.

    Args:
        taps: activations. walk_a, walk_b: what both sides' layers returned.
    """
    for index, tap in enumerate(taps):
        if not agrees(tap, walk_a, walk_b):
            return index
    return len(taps)


class Beside:
    """A run of the second side beside the first one's. Large walks lie on the disk: each activation
    is looked at once, and those behind the first that departs only where somebody asks for them.

    Args:
        taps: what has been laid beside each other before.
        walk_a, walk_b: what both sides' layers returned.
    """

    def __init__(self, taps: Sequence[TapPair], walk_a: Walk, walk_b: Walk) -> None:
        self._before, self._walk_a, self._walk_b = list(taps), walk_a, walk_b
        self._as_before: dict[str, bool] = {}
        self._taken = set[str]()
        self._laid: list[tuple[TapPair, bool]] = []
        self._waiting = self._by_values()

    def first_open(self) -> int:
        """Return the index of the first activation that does not agree; their number if all do."""
        for index, (_, agreeing) in enumerate(self._laid):
            if not agreeing:
                return index
        for laid in self._waiting:
            self._laid.append(laid)
            if not laid[1]:
                return len(self._laid) - 1
        return len(self._laid)

    def parting(self) -> str:
        """Return its name; empty if all agree."""
        index = self.first_open()
        return self._laid[index][0].name if index < len(self._laid) else ""

    def taps(self) -> list[TapPair]:
        """Return the taps with those axes, or beside that layer, with which they agree, where
        others than before do. A layer that one activation agrees with is no other's."""
        self._laid += self._waiting
        return [tap for tap, _ in self._laid]

    def agreed(self) -> frozenset[str]:
        """Return the names of those that agree."""
        self._laid += self._waiting
        return frozenset(tap.name for tap, agreeing in self._laid if agreeing)

    def _by_values(self) -> Iterator[tuple[TapPair, bool]]:
        for tap in self._before:
            kept = tap if self._settled(tap) else self._other(tap)
            if kept is not None and kept is not tap:
                self._taken.add(kept.b)
            yield kept or tap, kept is not None

    def _settled(self, tap: TapPair) -> bool:
        """Return whether a tap agrees as it was."""
        if tap.name not in self._as_before:
            self._as_before[tap.name] = agrees(tap, self._walk_a, self._walk_b)
        return self._as_before[tap.name]

    def _other(self, tap: TapPair) -> TapPair | None:
        """Return how else a tap agrees, or None."""
        options = [
            *_other_axes(tap, self._walk_a, self._shapes),
            *_other_layers(tap, self._walk_a, self._shapes),
        ]
        for option in options:
            if not self._is_taken(option.b) and agrees(option, self._walk_a, self._walk_b):
                return option
        return None

    def _is_taken(self, layer: str) -> bool:
        beside = (tap for tap in self._before if tap.b == layer)
        return layer in self._taken or any(self._settled(tap) for tap in beside)

    @functools.cached_property
    def _shapes(self) -> Shapes:
        return {name: self._walk_b[name].shape for name in self._walk_b if name.startswith("0/")}


def _customary(own: Sequence[int], wanted: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the orders of axes that frameworks have: as they are, channels last where they were
    first and the other way round, time in front of the batch."""
    rank = len(own)
    known = {tuple(range(rank)), (0, *range(2, rank), 1), (0, rank - 1, *range(1, rank - 1))}
    known.add((1, 0, *range(2, rank)))
    return [axes for axes in orders_of(own, wanted) if axes in known]


def _other_axes(tap: TapPair, walk_a: Walk, shapes: Shapes) -> Iterator[TapPair]:
    if f"0/{tap.a}" not in walk_a or f"0/{tap.b}" not in shapes:
        return
    wanted = laid_out(walk_a, 0, tap.a, tap.axes_a).shape
    for axes in _customary(shapes[f"0/{tap.b}"], wanted):
        yield dataclasses.replace(tap, axes_b=axes, how=DATA)


def _other_layers(tap: TapPair, walk_a: Walk, shapes: Shapes) -> Iterator[TapPair]:
    """Yield the tap beside any other layer of the second side: what a rule has put beside it may
    show what lies before an activation, or behind it."""
    if f"0/{tap.a}" not in walk_a:
        return
    wanted = laid_out(walk_a, 0, tap.a, tap.axes_a).shape
    for name, shape in shapes.items():
        layer = name.partition("/")[2]
        if layer != tap.b and not LATER.search(layer):
            for axes in _customary(shape, wanted):
                yield dataclasses.replace(tap, b=layer, axes_b=axes, how=DATA)
