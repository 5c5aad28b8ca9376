"""How long rounds take, from what a step takes. Pure.

Steps of ordinary length never decide how long a round is: processes start, frameworks are imported,
and about a second is measured. From `LONG_STEP_S` on they do, and then the budget is held to: a
round is begun, and gone on with, only if it fits.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence

from harness.speed import disturbance
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


@dataclasses.dataclass(frozen=True)
class Warmed:
    """What is known of a side that has warmed up.

    Attributes:
        sample_s, steps_a_sample: how long a sample takes, seconds, and its steps.
        warmup_s: what all of the warm-up took, seconds.
        waits: whether the machine was busy meanwhile.
    """

    sample_s: float
    steps_a_sample: int
    warmup_s: float
    waits: disturbance.Waits

    @property
    def step_s(self) -> float:
        """How long a step takes, seconds."""
        return self.sample_s / max(1, self.steps_a_sample)


def long(prepared: Mapping[str, Warmed]) -> bool:
    """Whether any side's steps are long."""
    return any(side.step_s >= LONG_STEP_S for side in prepared.values())


def blocks_s(samples_s: Sequence[float], measure_s: float) -> float:
    """Return how long the turns of an action take, seconds, from what a sample of each side
    does."""
    size = size_round(samples_s, measure_s)
    return 2.0 * size.palindromes * size.steps * sum(samples_s)


def _waited(side: Warmed) -> str:
    """Say it where a step is only long because the machine was busy."""
    waited = side.waits.turn.waited
    if waited > disturbance.WAITED:
        return f" (the machine was busy: waited {100 * waited:.0f} % of the time)"
    return ""


@dataclasses.dataclass(frozen=True)
class Pace:
    """What is known of a round while its sides warm up for an action.

    Attributes:
        sides: how many there are. measure_s: what all turns are wanted to take. left_s: of the
            budget, when the round began.
        started: when that was, by the monotonic clock.
    """

    sides: int
    measure_s: float
    left_s: float
    started: float

    def check(self, prepared: Mapping[str, Warmed], now: float) -> None:
        """Go on, or raise: those that have not warmed up are taken to be as slow as those that
        have.

        Args:
            prepared: what each side that has warmed up said of it, by label.
            now: by the monotonic clock, seconds.

        Raises:
            TooLong: steps are long, and what is left of the round does not fit into the budget.
        """
        if not long(prepared):
            return
        usual_s = statistics.fmean(side.warmup_s for side in prepared.values())
        samples_s = [side.sample_s for side in prepared.values()]
        samples_s += [statistics.fmean(samples_s)] * (self.sides - len(samples_s))
        left_s = (self.sides - len(prepared)) * usual_s + blocks_s(samples_s, self.measure_s)
        round_s = now - self.started + left_s
        if round_s > self.left_s:
            slow = max(prepared, key=lambda name: prepared[name].step_s)
            step_s, waited = prepared[slow].step_s, _waited(prepared[slow])
            raise TooLong(f"a step of {slow} takes {step_s:.3g} s{waited}", round_s)


@dataclasses.dataclass(frozen=True)
class TriedSide:
    """What one side took that was tried: getting ready (import and building), and by action its
    first and a later step, seconds."""

    ready_s: float
    first_s: Mapping[str, float]
    step_s: Mapping[str, float]

    def prepared(self, action: str, warmup_s: float) -> Warmed:
        """Return what its warm-up of long steps will tell."""
        step_s = self.step_s[action]
        whole_s = self.first_s[action] + max(step_s, warmup_s)
        return Warmed(step_s, 1, whole_s, disturbance.Waits(whole_s, whole_s, None))


@dataclasses.dataclass(frozen=True)
class RunForecast:
    """How a run of long steps will go: how many of the first rounds fit into its budget, and when
    it ends at the earliest, seconds."""

    rounds: int
    least_s: float
    reason: str = ""


def run(
    sides: Sequence[TriedSide], measure_s: float, budget_s: float, warmups_s: tuple[float, float]
) -> RunForecast:
    """Return how the first rounds of a job go.

    Args:
        sides: each as it was tried. measure_s: what all turns of an action are wanted to take.
            budget_s: for the job.
        warmups_s: of the first round, and of later ones.
    """
    elapsed_s = 0.0
    for number in range(MIN_ROUNDS):
        warmup_s, watched = warmups_s[min(number, 1)], number == 0
        try:
            elapsed_s += _round_s(sides, measure_s, budget_s - elapsed_s, warmup_s, watched)
        except _Stopped as stopped:
            return RunForecast(number, elapsed_s + stopped.after_s, str(stopped.__cause__))
        if number + 1 < MIN_ROUNDS and elapsed_s + elapsed_s / (number + 1) > budget_s:
            return RunForecast(number + 1, elapsed_s, "the next round does not fit")
    return RunForecast(MIN_ROUNDS, elapsed_s)


class _Stopped(Exception):
    def __init__(self, after_s: float) -> None:
        super().__init__(after_s)
        self.after_s = after_s


def _round_s(
    sides: Sequence[TriedSide], measure_s: float, left_s: float, warmup_s: float, watched: bool
) -> float:
    """Return how long a round takes; it stops where the real one does. `watched`: a step more of
    each side and action tells its dtypes."""
    elapsed_s = sum(side.ready_s for side in sides)
    for action in sides[0].step_s:
        prepared: dict[str, Warmed] = {}
        pace = Pace(len(sides), measure_s, left_s, 0.0)
        for number, side in enumerate(sides):
            prepared[str(number)] = side.prepared(action, warmup_s)
            elapsed_s += prepared[str(number)].warmup_s
            try:
                pace.check(prepared, elapsed_s)
            except TooLong as error:
                raise _Stopped(elapsed_s) from error
        elapsed_s += blocks_s([side.step_s[action] for side in sides], measure_s)
        elapsed_s += sum(side.step_s[action] for side in sides) if watched else 0.0
    return elapsed_s


def shortage(error: TooLong, budget_s: float) -> str:
    """Return why nothing could be measured within a budget, and what it takes.

    Args:
        error: says why the next round does not fit, and how long one takes.
        budget_s: the whole of it, seconds.
    """
    ended = f"the budget of {budget_s:.0f} s ended before {MIN_ROUNDS} rounds: {error.reason}"
    if error.round_s is None or not math.isfinite(error.round_s):
        return (
            f"{ended}; give --budget more than {MIN_ROUNDS} times what a round of such steps takes"
        )
    return (
        f"{ended}, {MIN_ROUNDS} rounds take about {MIN_ROUNDS * error.round_s:.0f} s; give --budget"
        " so much, or a smaller preset"
    )
