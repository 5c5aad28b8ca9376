"""Two nights drawn from recorded rounds of identical processes, and judged as `harness.changes`
judges them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from harness.changes import welch
from harness.changes.model import Moments, moments
from harness.speed.replay import shown
from tests.evaluation.replay import recorded

#: Ratios of a night: five builds have ten pairs, each of two actions.
ROWS = 20
SEED = 11
SHARES = (0.05, 0.1, 0.2)


@dataclasses.dataclass(frozen=True)
class Point:
    """What is simulated.

    Attributes:
        most: rounds that a night can afford. night: how nights differ beside their rounds, standard
            deviation.
        known: whether a history has told that. promised: whether a false alarm in more than 1 % of
            nights is a defect.
    """

    most: int
    night: float
    known: bool

    @property
    def promised(self) -> bool:
        """Nights that differ by more than is usual are known only by a history."""
        return self.known or self.night <= welch.USUAL.deviation


POINTS = (
    Point(10, 0.0, False),
    Point(20, 0.0, False),
    Point(20, 0.0, True),
    Point(10, 0.01, False),
    Point(10, 0.01, True),
    Point(20, 0.015, False),
    Point(20, 0.02, False),
    Point(20, 0.02, True),
)


@dataclasses.dataclass(frozen=True)
class Found:
    """Shares of nights with a false alarm in any row, and of slow-downs of one row that were
    found, by share."""

    point: Point
    tries: int
    false: float
    power: tuple[float, ...]


def simulate(point: Point, tries: int) -> Found:
    """Return how nights like these end."""
    draw = np.random.RandomState(SEED)
    known = recorded.log_ratios(recorded.rounds().held_out)
    false, power = 0, [0] * len(SHARES)
    spread = welch.NightSpread(point.night, 20.0) if point.known else welch.USUAL
    for _ in range(tries):
        nights = [_rows(known, point, draw), _rows(known, point, draw)]
        false += any(one.material for one in _judge(nights, spread))
        for place, share in enumerate(SHARES):
            slow = dataclasses.replace(nights[1][0], mean=nights[1][0].mean + math.log1p(share))
            power[place] += _judge([nights[0], [slow, *nights[1][1:]]], spread)[0].material
    return Found(point, tries, false / tries, tuple(count / tries for count in power))


def _rows(known: Sequence[float], point: Point, draw: np.random.RandomState) -> list[Moments]:
    return [_night(known, point, draw) for _ in range(ROWS)]


def _night(known: Sequence[float], point: Point, draw: np.random.RandomState) -> Moments:
    """Return the rounds of one row of one night, as the sequential rule ends them."""
    logs = [known[place] for place in draw.randint(len(known), size=point.most)]
    told = moments(logs[: shown(logs, point.most).rounds])
    return dataclasses.replace(told, mean=told.mean + point.night * float(draw.standard_normal()))


def _judge(
    nights: Sequence[Sequence[Moments]], spread: welch.NightSpread
) -> list[welch.JudgedRatio]:
    return welch.judge(
        [welch.difference(before, after, spread) for before, after in zip(*nights, strict=True)]
    )


def table(found: Sequence[Found]) -> str:
    """Return the Markdown table."""
    lines = [
        f"| rounds at most | nights differ by | known from a history | nights of {ROWS} rows with a"
        " false alarm | " + " | ".join(f"+{100 * share:g} % found" for share in SHARES) + " |",
        "|" + "---|" * (4 + len(SHARES)),
    ]
    for one in found:
        known = "yes" if one.point.known else "no"
        power = [f"{100 * part:.0f} %" for part in one.power]
        cells = [
            f"{one.point.most}",
            f"{100 * one.point.night:g} %",
            known,
            f"{100 * one.false:.1f} %",
            *power,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"{found[0].tries} nights each."])
