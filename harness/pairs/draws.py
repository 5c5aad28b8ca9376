"""Which draw of randomness of one side is which of the other's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from backends.survey import NORMAL, Draw, Survey
from harness.pairs.alignment import align
from harness.pairs.taps import Axes, orders_of
from harness.pairs.units import NAMES, likeness

#: A loop has at least so many steps: a single draw has a fellow of its own shape, or none.
MIN_STEPS = 2


@dataclasses.dataclass(frozen=True)
class SharedDraw:
    """One draw that the tape answers for both sides.

    Attributes:
        name: canonical, unique in its phase. phase: as of `backends.survey.Draw`.
        kind: `uniform` or `normal`, what the tape holds. shape: in the first side's layout.
        a, b: the draw's number on each side. axes_b: the order in which the tape's axes are the
            second side's own.
        shape_b: the second side's own, where it takes neighbouring axes together, or apart.
        axis_a, axis_b: of a side that draws for all steps of a loop at once what the other draws
            step by step: the axis of the steps. Its draw is all sites of its number, in order.
    """

    name: str
    phase: str
    kind: str
    shape: tuple[int, ...]
    a: int
    b: int
    axes_b: Axes = None
    shape_b: tuple[int, ...] | None = None
    axis_a: int | None = None
    axis_b: int | None = None

    @property
    def place(self) -> tuple[str, int, str]:
        """What the draw is known by among several sides: phase and number on the first side; of one
        that is drawn for all steps at once, which step it is stands in its name."""
        return self.phase, self.a, self.name if self.axis_a is not None else ""


@dataclasses.dataclass(frozen=True)
class DrawsMatched:
    """What belongs together, and what only one side draws, or the tape cannot answer."""

    sites: tuple[SharedDraw, ...]
    only_a: tuple[Draw, ...]
    only_b: tuple[Draw, ...]


def match(a: Survey, b: Survey) -> DrawsMatched:
    """Return which draws belong together: in order, of the same kind and shape; axes may stand in
    another order, or neighbours be taken together.

    Args:
        a, b: what the adapters have found out about both sides.
    """
    sites = list[SharedDraw]()
    for phase in dict.fromkeys(draw.phase for draw in a.draws):
        left = [draw for draw in a.draws if draw.phase == phase and draw.served]
        right = [draw for draw in b.draws if draw.phase == phase and draw.served]
        items_a, items_b = _items(left, right), _items(right, left)
        for i, j in align(items_a, items_b, _fit_items):
            sites += _together(items_a[i], items_b[j])
        used = [{site.a for site in sites if site.phase == phase}]
        used.append({site.b for site in sites if site.phase == phase})
        sites += _loops(
            [draw for draw in left if draw.index not in used[0]],
            [draw for draw in right if draw.index not in used[1]],
        )
    used_a = {(site.phase, site.a) for site in sites}
    used_b = {(site.phase, site.b) for site in sites}
    return DrawsMatched(
        tuple(sites),
        tuple(draw for draw in a.draws if (draw.phase, draw.index) not in used_a),
        tuple(draw for draw in b.draws if (draw.phase, draw.index) not in used_b),
    )


def entries(
    sites: Iterable[SharedDraw], made: Iterable[Draw], first: bool
) -> dict[str, list[dict[str, Any]]]:
    """Return what one side's port is told of its draws (`backends.adapter.draws.Draws`), by phase.

    Args:
        sites: what the tape answers. made: the side's draws. first: whether it is the first side.
    """
    by_number: dict[tuple[str, int], dict[str, Any]] = {}
    for site in sites:
        place = site.phase, site.a if first else site.b
        axis = site.axis_a if first else site.axis_b
        if axis is None:
            axes = None if first or site.axes_b is None else list(site.axes_b)
            by_number[place] = {"site": site.name, "axes": axes}
            if site.shape_b is not None and not first:
                by_number[place]["shape"] = list(site.shape_b)
        else:
            steps = by_number.setdefault(place, {"site": None, "sites": [], "axis": axis})
            steps["sites"].append(site.name)
    planned: dict[str, list[dict[str, Any]]] = {}
    for draw in made:
        entry = by_number.get((draw.phase, draw.index), {"site": None, "axes": None})
        planned.setdefault(draw.phase, []).append(entry)
    return planned


def _site(draw: Draw, number: int) -> SharedDraw:
    """Return the site of a draw of the first side; which one is the other's is yet to be said."""
    kind = "normal" if draw.kind == NORMAL else "uniform"
    shape = tuple(draw.shape)
    return SharedDraw(_name(draw, number), draw.phase, kind, shape, draw.index, draw.index)


@dataclasses.dataclass(frozen=True)
class _Item:
    """A draw in its order, or several of a loop that may be one draw of the other side's: then
    `draw` is of that one's shape."""

    draw: Draw
    number: int
    run: tuple[Draw, ...] = ()


def _items(own: Sequence[Draw], others: Sequence[Draw]) -> list[_Item]:
    """Return one side's draws, those of a loop as one where the other side has fewer of their shape
    and one for all steps: which one is then a matter of the order of all.

    Args:
        own: the side's, in one phase. others: the other side's.
    """
    shapes = [(draw.kind, sorted(draw.shape)) for draw in others]
    together: dict[int, tuple[list[Draw], Draw]] = {}
    for run in _runs(own):
        shape = run[0].kind, sorted(run[0].shape)
        alike = [draw for draw in own if (draw.kind, sorted(draw.shape)) == shape]
        whole = next((draw for draw in others if _axis_of_steps(run, draw) is not None), None)
        if whole is not None and len(alike) > shapes.count(shape):
            together.update((draw.index, (run, whole)) for draw in run)
    items = list[_Item]()
    for number, draw in enumerate(own):
        if draw.index not in together:
            items.append(_Item(draw, number))
            continue
        run, whole = together[draw.index]
        if draw is run[0]:
            items.append(_Item(dataclasses.replace(draw, shape=whole.shape), number, tuple(run)))
    return items


def _fit_items(x: _Item, y: _Item) -> float:
    if x.run and y.run:
        return 0.0
    for run, whole in ((x.run, y.draw), (y.run, x.draw)):
        if run and _axis_of_steps(run, whole) is None:
            return 0.0
    return _fit(x.draw, y.draw)


def _together(x: _Item, y: _Item) -> Iterator[SharedDraw]:
    """Yield the sites of two items that belong together."""
    if x.run:
        yield from _hourly(x.run, y.draw, first=True)
    elif y.run:
        yield from _hourly(y.run, x.draw, first=False)
    else:
        site = _site(x.draw, x.number)
        site = dataclasses.replace(site, b=y.draw.index, axes_b=_axes(x.draw, y.draw))
        folded = len(x.draw.shape) != len(y.draw.shape)
        yield dataclasses.replace(site, shape_b=tuple(y.draw.shape)) if folded else site


def _hourly(run: Sequence[Draw], whole: Draw, first: bool) -> Iterator[SharedDraw]:
    """Yield the sites of draws that one side makes step by step, and the other at once.

    Args:
        run: the steps. whole: the one draw. first: whether the steps are the first side's.
    """
    axis = _axis_of_steps(run, whole)
    for draw in run:
        if first:
            yield dataclasses.replace(_site(draw, draw.index), b=whole.index, axis_b=axis)
        else:
            site = _site(dataclasses.replace(draw, layer=whole.layer), draw.index)
            yield dataclasses.replace(site, a=whole.index, axis_a=axis)


def _loops(left: Sequence[Draw], right: Sequence[Draw]) -> Iterator[SharedDraw]:
    """Yield the sites of draws that one side makes step by step, in a loop, and the other for all
    steps at once.

    Args:
        left, right: what is left of both sides in one phase.
    """
    for run, whole in _steps(left, right):
        yield from _hourly(run, whole, first=True)
    for run, whole in _steps(right, left):
        yield from _hourly(run, whole, first=False)


def _runs(single: Sequence[Draw]) -> list[list[Draw]]:
    """Return the draws of each loop together: equal ones of one layer that follow each other, or
    alternate with those of the layers that the same loop runs."""
    runs, place = list[list[Draw]](), 0
    while place < len(single):
        period, times = _repeated([_like(draw) for draw in single[place:]])
        end = place + period * times
        runs += [list(single[place + first : end : period]) for first in range(period)]
        place = end
    return runs


def _repeated(words: Sequence[Any]) -> tuple[int, int]:
    """Return how long the beginning is that is repeated, and how often it stands there: what is
    repeated most often, and is shortest. A model that runs twice is no longer period of its loops.
    """
    best = 1, 1
    for period in range(1, len(words) // MIN_STEPS + 1):
        times = 1
        while words[times * period : (times + 1) * period] == words[:period]:
            times += 1
        if times >= MIN_STEPS and times > best[1]:
            best = period, times
    return best


def _steps(single: Sequence[Draw], whole: Sequence[Draw]) -> Iterator[tuple[list[Draw], Draw]]:
    """Yield runs of equal draws, and the one draw that holds all of them."""
    used = set[int]()
    for run in _runs(single):
        for draw in whole:
            if _axis_of_steps(run, draw) is not None and draw.index not in used:
                used.add(draw.index)
                yield run, draw
                break


def _like(draw: Draw) -> tuple[str, str, tuple[int, ...]]:
    return draw.layer, draw.kind, tuple(draw.shape)


def _axis_of_steps(run: Sequence[Draw], whole: Draw) -> int | None:
    """Return the axis of a draw that counts the steps of a run; of several, the one next to the
    batch's, for sequences are [batch, steps, ...] or [steps, batch, ...]."""
    shape = tuple(whole.shape)
    if run[0].kind != whole.kind or len(run) < MIN_STEPS:
        return None
    fitting = [
        axis
        for axis, size in enumerate(shape)
        if size == len(run) and shape[:axis] + shape[axis + 1 :] == tuple(run[0].shape)
    ]
    return 1 if 1 in fitting else next(iter(fitting), None)


def _name(draw: Draw, number: int) -> str:
    where = draw.layer.replace("/", ".") or "step"
    return f"{number}.{where}.{draw.kind}"


def _fit(x: Draw, y: Draw) -> float:
    permuted = sorted(x.shape) == sorted(y.shape)
    if x.kind != y.kind or not (permuted or folds(x.shape, y.shape)):
        return 0.0
    return 1.0 + NAMES * likeness(x.layer, y.layer) + 0.1 * (tuple(x.shape) == tuple(y.shape))


def folds(tape: Sequence[int], own: Sequence[int]) -> bool:
    """Return whether two shapes hold the same numbers in the same order, neighbouring axes of one
    taken together in the other: [batch, heads, ...] and [batch * heads, ...], [batch, 1, units] and
    [batch, units].

    Args:
        tape, own: the shapes.
    """
    left = [int(size) for size in tape if size != 1]
    right = [int(size) for size in own if size != 1]
    if len(left) < len(right):
        left, right = right, left
    for size in right:
        held = 1
        while held < size and left:
            held *= left.pop(0)
        if held != size:
            return False
    return not left


def _axes(x: Draw, y: Draw) -> Axes:
    """Return the order in which the tape's axes are a side's own; None: as they are."""
    tape, own = x.shape, y.shape
    if tuple(tape) == tuple(own):
        return None
    orders = [axes for axes in orders_of(tape, own) if axes[0] == 0] or orders_of(tape, own)
    channels_first = (0, len(own) - 1, *range(1, len(own) - 1))
    if channels_first in orders:
        return channels_first
    return orders[0] if orders else None
