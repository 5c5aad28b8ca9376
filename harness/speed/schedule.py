"""In which order builds start and take turns, how much is measured in a round, and after which
rounds one may look.

Owns the order of work only: no clock, no process, no judging.

Why so: a process can be 2-4 % faster than an identical one for its whole life, and the process
spawned second can have an advantage of 0.3 %, so every round has fresh processes in an order drawn
at random. The machine's own speed drifts by tens of per cent within seconds, so the builds take
turns in palindromes (A B C C B A), in which a linear drift cancels. Rounds come in mirrored pairs:
an odd round runs the reverse of the even round before it. That keeps each build's place random and
makes it balanced after two rounds, so that an advantage of one place cannot pass for a difference.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Sequence

from harness.errors import UsageError

#: Below this number of rounds a t interval at 99 % is several times wider than what it would tell.
MIN_ROUNDS = 5
#: Times every power of ten.
LOOKS_A_DECADE = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
#: The first steps after a turn begins find cold caches; with fewer steps a turn they are a quarter
#: of the sample.
WANTED_STEPS = 10
MIN_STEPS = 2
MAX_STEPS = 1000
MAX_PALINDROMES = 50


@dataclasses.dataclass(frozen=True)
class RoundPlan:
    """What one round does.

    Attributes:
        spawn: the builds in the order in which their processes start.
        palindromes: each a sequence of turns, every build twice.
    """

    spawn: tuple[str, ...]
    palindromes: tuple[tuple[str, ...], ...]

    @property
    def turns(self) -> tuple[str, ...]:
        """All turns in running order."""
        return tuple(build for palindrome in self.palindromes for build in palindrome)


@dataclasses.dataclass(frozen=True)
class RoundSize:
    """How much one round measures. The same number of steps for every build: a quantile of unequal
    samples is biased.

    Attributes:
        palindromes: how many; every build takes two turns in each.
        steps: of one turn.
    """

    palindromes: int
    steps: int


def plan_round(builds: Sequence[str], palindromes: int, seed: int, number: int) -> RoundPlan:
    """Return the spawn order and the turns of round `number` (from 0); the same for the same
    arguments, everywhere.

    Args:
        builds: labels of the sides, each once. A build compared with itself needs two labels.
        palindromes: how many times every build takes its two turns.
        seed: of the draw.

    Raises:
        UsageError: a label occurs twice, or there is none, or no palindrome.
    """
    if not builds or len(set(builds)) != len(builds):
        raise UsageError(
            f"a round needs the label of each side once, and got {list(builds)}; label a repeated"
            " build, e.g. 'tf2 (2)'"
        )
    if palindromes < 1:
        raise UsageError(f"a round needs at least 1 palindrome, and got {palindromes}")
    pair, mirrored = divmod(number, 2)
    halves = []
    for place in range(palindromes):
        leaders = _draw(builds, f"{seed}/{pair}/palindrome {place}", bool(mirrored))
        halves.append(leaders + leaders[::-1])
    return RoundPlan(_draw(builds, f"{seed}/{pair}/spawn", bool(mirrored)), tuple(halves))


def _draw(builds: Sequence[str], key: str, mirrored: bool) -> tuple[str, ...]:
    """Order builds by a hash of the key and their place: stable across versions of Python, unlike
    `random`'s methods."""
    places = sorted(
        range(len(builds)), key=lambda place: hashlib.sha256(f"{key}/{place}".encode()).digest()
    )
    order = tuple(builds[place] for place in places)
    return order[::-1] if mirrored else order


def size_round(step_s: Sequence[float], measure_s: float) -> RoundSize:
    """Return how much to run so that a round measures for about `measure_s` seconds.

    Args:
        step_s: step time of every build, seconds. One that is not a positive finite number counts
            as `measure_s`, which gives the smallest round.
        measure_s: wanted time of all turns together, seconds. Slow steps exceed it: a round never
            has fewer than one palindrome of `MIN_STEPS` steps a turn.
    """
    together_s = sum(step if math.isfinite(step) and step > 0.0 else measure_s for step in step_s)
    affordable = 0.0
    if together_s > 0.0 and math.isfinite(measure_s) and measure_s > 0.0:
        affordable = min(measure_s / together_s, 1e6)
    palindromes = min(max(math.floor(affordable / (2 * WANTED_STEPS)), 1), MAX_PALINDROMES)
    steps = round(affordable / (2 * palindromes))
    return RoundSize(palindromes, min(max(steps, MIN_STEPS), MAX_STEPS))


def looks(rounds: int) -> tuple[int, ...]:
    """Return the numbers of rounds, up to and including `rounds`, after which one may look: 5, 6,
    8, 10, 12, 15, 20, 25, ..."""
    allowed = []
    look = MIN_ROUNDS
    while look <= rounds:
        allowed.append(look)
        look = next_look(look)
    return tuple(allowed)


def next_look(rounds: int) -> int:
    """Return the first look after `rounds` rounds. Few, for each costs some of the error rate; yet
    close enough that a difference is seen soon after it can be, and that little of a time budget is
    left over (docs/speed.md has what other spacings do).
    """
    decade = 1
    while True:
        for first in LOOKS_A_DECADE:
            look = round(first * decade)
            if look > rounds and look >= MIN_ROUNDS:
                return look
        decade *= 10
