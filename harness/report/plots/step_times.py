"""Step times of both sides turn by turn, and the stretches in which the machine itself was slow."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence

from harness.report import format as spell
from harness.report.labels import action
from harness.report.plots.canvas import Canvas, Frame
from harness.report.plots.figure import ROOM, Figure, LegendKey, Room, sides, spaced
from harness.report.plots.scale import finite
from harness.results.model import SpeedRow
from harness.results.series import Turns
from harness.speed.plot_series import MOST_ROUNDS

WIDTH, HEIGHT = 740, 220
#: Both sides slower than their own median by this share in the same turns: that is the machine's
#: doing and no build's.
SLOW = 0.08


def figure(row: SpeedRow, precision: str, room: Room = ROOM) -> Figure | None:
    """Return the figure of one row; None where its step times are not known.

    Args:
        precision: as the report spells it.
    """
    if row.turns is None:
        return None
    turns = thinned(row.turns, room.turns)
    a, b = [*itertools.chain.from_iterable(turns.a)], [*itertools.chain.from_iterable(turns.b)]
    known = finite([*a, *b], positive=True)
    if not known or len(a) != len(b):
        return None
    name = f"{action(row)}, {precision}"
    canvas = _canvas(
        f"step times of {name}: {row.a} and {row.b} over {_counted(row)}", (a, b), known
    )
    slow = slow_stretches(a, b)
    _draw(canvas, turns, (a, b), slow)
    share = sum(end - start + 1 for start, end in slow) / len(a)
    rows = _table(turns, numbers(row), room.rows)
    rounds = max(numbers(row))
    legend = sides(row.a, row.b)
    return Figure(
        title=f"Step times round by round: {name}",
        svg=(canvas.svg(),),
        columns=("round", f"a {row.a}", f"b {row.b}", "b / a"),
        rows=rows,
        note=f"Lower quartile of the steps of each turn. {_slowness(share)}",
        legend=(*legend, LegendKey("slow", "machine slow", "area")) if slow else legend,
        size="wide",
        excerpt=f"{len(rows)} of {rounds} rounds" if len(rows) < rounds else "",
    )


def _slowness(share: float) -> str:
    """Return what is shaded, a share of the turns, in words."""
    if not share:
        return "In no turn was the machine slow for both sides."
    slower = f"both sides at least {100 * SLOW:g} % slower than their own median"
    return f"Shaded ({spell.share(share)} of the turns): {slower}, which is the machine's doing."


def _draw(
    canvas: Canvas,
    turns: Turns,
    series: Sequence[Sequence[float]],
    slow: Sequence[tuple[int, int]],
) -> None:
    """Draw slow stretches, the edges of rounds, and the series of both sides."""
    for start, end in slow:
        left, right = f"{canvas.x(start - 0.5):.1f}", f"{canvas.x(end + 0.5):.1f}"
        canvas.path(f"M{left} {canvas.top}H{right}V{canvas.bottom}H{left}Z", "slow")
    canvas.axes(
        "turns in running order; a line where a round of fresh processes begins",
        x_mark=None,
        y_mark=spell.seconds,
    )
    starts = [0, *itertools.accumulate(len(steps) for steps in turns.a)]
    edges = [f"M{canvas.x(start - 0.5):.1f} {canvas.top}V{canvas.bottom}" for start in starts[1:-1]]
    canvas.path("".join(edges), "round")
    for values, kind in zip(series, ("sa", "sb"), strict=True):
        # No line leads from one round's processes to the next one's.
        for start, end in itertools.pairwise(starts):
            points = [(float(turn), values[turn]) for turn in range(start, end)]
            canvas.line(points, f"{kind} thin")


def numbers(row: SpeedRow) -> tuple[int, ...]:
    """Return the number of each round that is kept, counted from 1.

    A report that does not say keeps rounds of equal spacing.
    """
    count = len(row.turns.a) if row.turns else 0
    if row.turns and len(row.turns.rounds) == count:
        return row.turns.rounds
    if count == MOST_ROUNDS < row.rounds:
        return tuple(round(at * (row.rounds - 1) / (count - 1)) + 1 for at in range(count))
    return tuple(range(1, count + 1))


def _counted(row: SpeedRow) -> str:
    kept = numbers(row)
    return f"{len(kept)} of {kept[-1]} rounds" if len(kept) < kept[-1] else f"{len(kept)} rounds"


def thinned(turns: Turns, most: int) -> Turns:
    """Return at most so many step times of both sides: medians of neighbours in a round."""
    each = max(2, most // max(1, 2 * len(turns.a)))
    a = tuple(_thin(values, each) for values in turns.a)
    b = tuple(_thin(values, each) for values in turns.b)
    return Turns(a, b, turns.rounds)


def _thin(values: tuple[float, ...], most: int) -> tuple[float, ...]:
    count = min(len(values), most)
    return tuple(
        statistics.median(values[len(values) * at // count : len(values) * (at + 1) // count])
        for at in range(count)
    )


def _canvas(label: str, series: Sequence[Sequence[float]], known: Sequence[float]) -> Canvas:
    low, high = min(known), max(known)
    wide = high / low > 4.0
    ends = (low / 1.1, high * 1.1) if wide else (max(0.0, 1.1 * low - 0.1 * high), 1.05 * high)
    turns = (-0.5, len(series[0]) - 0.5)
    return Canvas(label, turns, ends, Frame(WIDTH, HEIGHT, left=62), "y" if wide else "")


def slow_stretches(a: Sequence[float], b: Sequence[float]) -> list[tuple[int, int]]:
    """Return the first and last turn of each stretch in which both sides are slower than usual."""
    usual = [statistics.median(finite(side) or [math.nan]) for side in (a, b)]
    stretches: list[tuple[int, int]] = []
    for at, pair in enumerate(zip(a, b, strict=True)):
        if all(value > (1.0 + SLOW) * middle for value, middle in zip(pair, usual, strict=True)):
            adjacent = bool(stretches) and stretches[-1][1] == at - 1
            start = stretches.pop()[0] if adjacent else at
            stretches.append((start, at))
    return stretches


def _table(turns: Turns, kept: Sequence[int], most: int) -> tuple[tuple[str, ...], ...]:
    rows = []
    for at in spaced(len(turns.a), max(most, 2)):
        middles = [statistics.median(finite(side[at]) or [math.nan]) for side in (turns.a, turns.b)]
        ratio = middles[1] / middles[0] if middles[0] else None
        times = (spell.seconds(value) for value in middles)
        rows.append((str(kept[at]), *times, spell.ratio_alone(ratio)))
    return tuple(rows)
