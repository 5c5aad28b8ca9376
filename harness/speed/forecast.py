"""How long rounds take, from what a step takes. Pure.

Steps of ordinary length never decide how long a round is: processes start, frameworks are imported, and about a second is measured. From
`LONG_STEP_S` on they do, and then the budget is held to: a round is begun, and gone on with, only if it fits.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from harness.speed.schedule import MIN_ROUNDS, size_round

LONG_STEP_S = 0.25


class TooLong(Exception):
    """A round of long steps does not fit into what is left of the budget.

    Attributes:
        round_s: about how long one takes, seconds; None where nobody knows.
    """

    def __init__(self, reason: str, round_s: float | None) -> None:
        super().__init__(reason)
        self.reason, self.round_s = reason, round_s


def step_s(prepared: Mapping[str, Any]) -> float:
    """Return a side's step time after its warm-up, seconds."""
    return float(prepared.get("sample_s", 0.0)) / max(1, int(prepared.get("steps_a_sample", 1)))


def long(prepared: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether any side's steps are long."""
    return any(step_s(side) >= LONG_STEP_S for side in prepared.values())


def blocks_s(samples_s: Sequence[float], measure_s: float) -> float:
    """Return how long the turns of an action take, seconds, from what a sample of each side does."""
    size = size_round(samples_s, measure_s)
    return 2.0 * size.palindromes * size.steps * sum(samples_s)


@dataclasses.dataclass(frozen=True)
class Pace:
    """What is known of a round while its sides warm up for an action.

    Attributes:
        sides: how many there are. measure_s: what all turns are wanted to take. left_s: of the budget, when the round began.
        started: when that was, by the monotonic clock.
    """

    sides: int
    measure_s: float
    left_s: float
    started: float

    def check(self, prepared: Mapping[str, Mapping[str, Any]], now: float) -> None:
        """Go on, or raise: those that have not warmed up are taken to be as slow as those that have.

        Raises:
            TooLong: steps are long, and what is left of the round does not fit into the budget.
        """
        if not long(prepared):
            return
        usual_s = statistics.fmean(float(side["warmup_s"]) for side in prepared.values())
        samples_s = [float(side["sample_s"]) for side in prepared.values()]
        samples_s += [statistics.fmean(samples_s)] * (self.sides - len(samples_s))
        left_s = (self.sides - len(prepared)) * usual_s + blocks_s(samples_s, self.measure_s)
        round_s = now - self.started + left_s
        if round_s > self.left_s:
            slow = max(prepared, key=lambda name: step_s(prepared[name]))
            raise TooLong(f"a step of {slow} takes {step_s(prepared[slow]):.3g} s", round_s)


def lacking(error: TooLong, budget_s: float) -> str:
    """Return why nothing could be measured within a budget, and what it takes."""
    found = f"the budget of {budget_s:.0f} s ended before {MIN_ROUNDS} rounds: {error.reason}"
    if error.round_s is None or not math.isfinite(error.round_s):
        return f"{found}; give --budget more than {MIN_ROUNDS} times what a round of such steps takes"
    return f"{found}, {MIN_ROUNDS} rounds take about {MIN_ROUNDS * error.round_s:.0f} s; give --budget so much, or a smaller preset"
