"""Step times of both sides, turn by turn and round by round, with the stretches in which the
machine itself was slow."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from harness.report import format as spell
from harness.report.matrix import action
from harness.report.plots.canvas import Canvas, Frame
from harness.report.plots.figure import ROOM, Figure, Key, Room, sides, spaced
from harness.report.plots.scale import finite
from harness.results.model import SpeedRow
from harness.results.series import Turns
from harness.speed.traces import MOST_ROUNDS

WIDTH, HEIGHT = 740, 220
#: Both sides slower than their own median by this share in the same turns: that is the machine's
#: doing and no build's.
SLOW = 0.08


def figure(row: SpeedRow, precision: str, room: Room = ROOM) -> Figure | None:
    """Return the figure of one row; None where its step times are not known. `precision`: as the
    report spells it."""
    if row.turns is None:
        return None
    turns = thinned(row.turns, room.turns)
    series = [[value for one in side for value in one] for side in (turns.a, turns.b)]
    known = finite([*series[0], *series[1]], positive=True)
    if not known or len(series[0]) != len(series[1]):
        return None
    name = f"{action(row)}, {precision}"
    drawn = _canvas(
        f"step times of {name}: {row.a} and {row.b} over {_counted(row)}", series, known
    )
    slow = slow_stretches(*series)
    for start, end in slow:
        drawn.path(
            f"M{drawn.x(start - 0.5):.1f}"
            f" {drawn.top}H{drawn.x(end + 0.5):.1f}V{drawn.bottom}H{drawn.x(start - 0.5):.1f}Z",
            "slow",
        )
    drawn.axes(
        "turns in running order; a line where a round of fresh processes begins",
        x_mark=None,
        y_mark=spell.seconds,
    )
    edges, at = [], 0
    for one in turns.a:
        edges.append(f"M{drawn.x(at - 0.5):.1f} {drawn.top}V{drawn.bottom}")
        at += len(one)
    drawn.path("".join(edges[1:]), "round")
    for values, kind in zip(series, ("sa", "sb"), strict=True):
        at = 0
        for one in turns.a:  # no line from one round's processes to the next one's
            drawn.line(
                [(float(place), values[place]) for place in range(at, at + len(one))],
                f"{kind} thin",
            )
            at += len(one)
    share = sum(end - start + 1 for start, end in slow) / len(series[0])
    note = "Lower quartile of the steps of each turn. "
    slower = f"both sides at least {100 * SLOW:g} % slower than their own median"
    note += (
        f"Shaded ({spell.share(share)} of the turns): {slower}, which is the machine's doing."
        if slow
        else "In no turn was the machine slow for both sides."
    )
    legend = (
        (*sides(row.a, row.b), Key("slow", "machine slow", "area")) if slow else sides(row.a, row.b)
    )
    columns = ("round", f"a {row.a}", f"b {row.b}", "b / a")
    rows = _table(turns, numbers(row), room.rows)
    told = f"{len(rows)} of {max(numbers(row))} rounds" if len(rows) < max(numbers(row)) else ""
    return Figure(
        f"Step times round by round: {name}",
        (drawn.svg(),),
        columns,
        rows,
        note,
        legend,
        "wide",
        told,
    )


def numbers(row: SpeedRow) -> tuple[int, ...]:
    """Return the number of each round that is kept, counted from 1; of a report that does not tell
    it, by their equal spacing."""
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
    """Return step times in which neighbours of a round are drawn together to their median, so that
    both sides have at most so many."""
    each = max(2, most // max(1, 2 * len(turns.a)))
    a, b = (tuple(_thin(values, each) for values in side) for side in (turns.a, turns.b))
    return Turns(a, b, turns.rounds)


def _thin(values: tuple[float, ...], most: int) -> tuple[float, ...]:
    count = min(len(values), most)
    return tuple(
        statistics.median(values[len(values) * at // count : len(values) * (at + 1) // count])
        for at in range(count)
    )


def _canvas(label: str, series: Sequence[Sequence[float]], known: Sequence[float]) -> Canvas:
    wide = max(known) / min(known) > 4.0
    low, high = (
        (min(known) / 1.1, max(known) * 1.1)
        if wide
        else (max(0.0, 1.1 * min(known) - 0.1 * max(known)), 1.05 * max(known))
    )
    ends = (-0.5, len(series[0]) - 0.5)
    return Canvas(label, ends, (low, high), Frame(WIDTH, HEIGHT, 62), "y" if wide else "")


def slow_stretches(a: Sequence[float], b: Sequence[float]) -> list[tuple[int, int]]:
    """Return the first and last turn of each stretch in which both sides are slower than usual."""
    usual = [statistics.median(finite(side) or [math.nan]) for side in (a, b)]
    found: list[tuple[int, int]] = []
    for at, pair in enumerate(zip(a, b, strict=True)):
        if all(value > (1.0 + SLOW) * middle for value, middle in zip(pair, usual, strict=True)):
            start = found.pop()[0] if found and found[-1][1] == at - 1 else at
            found.append((start, at))
    return found


def _table(turns: Turns, kept: Sequence[int], most: int) -> tuple[tuple[str, ...], ...]:
    rows = []
    for at in spaced(len(turns.a), max(most, 2)):
        middles = [statistics.median(finite(side[at]) or [math.nan]) for side in (turns.a, turns.b)]
        ratio = middles[1] / middles[0] if middles[0] else None
        rows.append(
            (str(kept[at]), *(spell.seconds(value) for value in middles), spell.ratio_alone(ratio))
        )
    return tuple(rows)
