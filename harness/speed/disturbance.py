"""Whether other programs, a hypervisor or a quota took time away while something was measured.
Pure.

Decided from what the kernel counts and never from step times: leaving out rounds by what they found
would spoil the error rate.

A *turn* is disturbed when its threads waited for a processor for more than `WAITED` of what they
needed of one, or when time was stolen or throttled meanwhile. Threads also wait for each other
where a build has more of them than there are processors: that is the build's own, so waiting only
counts while others worked (`FOREIGN` of one processor, over all turns of an action). A palindrome
is disturbed with any of its turns, and an action when more than half of its palindromes were, the
repeated ones too: what is left of it is not to be trusted.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence

#: Of the time that threads needed a processor. On an idle machine this is below 1 %; a step that
#: waits for 5 % is 5 % slower.
WAITED = 0.05
#: Of the time of a turn.
LOST = 0.02
#: What others use at the least when they are what threads wait for, in processors. A program that
#: takes a core uses one, or a half where it shares it; an idle machine's turns of a few
#: milliseconds showed up to 0.2, for the kernel counts in ticks of 10 ms.
FOREIGN = 0.3
#: Of the palindromes of an action that have to be undisturbed.
CLEAN = 0.5


@dataclasses.dataclass(frozen=True)
class Turn:
    """What a turn, or several, met.

    Attributes:
        wall_s: how long it took. ran_s, waited_s: its threads on a processor, and ready but not on
            one; 0 where nobody knows.
        stolen_s, throttled_s: taken by a hypervisor, by a quota. others_s: what other processes
            used. load: the machine's, at its height.
    """

    wall_s: float = 0.0
    ran_s: float = 0.0
    waited_s: float = 0.0
    stolen_s: float = 0.0
    throttled_s: float = 0.0
    others_s: float = 0.0
    load: float = 0.0

    @property
    def waited(self) -> float:
        """The share of the time in which threads needed a processor and had none."""
        needed_s = self.ran_s + self.waited_s
        return self.waited_s / needed_s if needed_s > 0.0 else 0.0


@dataclasses.dataclass(frozen=True)
class Waits:
    """How long threads ran, and waited for a processor, seconds; None where nobody tells."""

    wall_s: float
    ran_s: float
    waited_s: float | None

    @property
    def turn(self) -> Turn:
        """What a turn met, as far as its own threads tell."""
        return Turn(self.wall_s, self.ran_s, self.waited_s or 0.0)


def together(turns: Iterable[Turn]) -> Turn:
    """Return the sum of turns, with the highest load."""
    summands = list(turns)
    return Turn(
        wall_s=sum(turn.wall_s for turn in summands),
        ran_s=sum(turn.ran_s for turn in summands),
        waited_s=sum(turn.waited_s for turn in summands),
        stolen_s=sum(turn.stolen_s for turn in summands),
        throttled_s=sum(turn.throttled_s for turn in summands),
        others_s=sum(turn.others_s for turn in summands),
        load=max((turn.load for turn in summands), default=0.0),
    )


def foreign(turns: Iterable[Turn]) -> bool:
    """Whether other processes worked so much that they can be what threads waited for."""
    total = together(turns)
    return total.others_s > FOREIGN * total.wall_s


def disturbed(turn: Turn, others: bool) -> bool:
    """Whether a turn says more about the machine than about the build; `others`: whether other
    processes were at work."""
    return (
        (others and turn.waited > WAITED)
        or turn.stolen_s > LOST * turn.wall_s
        or turn.throttled_s > LOST * turn.wall_s
    )


def clean(palindromes: Sequence[Sequence[Turn]]) -> list[bool]:
    """Return of each palindrome, given as its turns, whether nothing disturbed it."""
    others = foreign(itertools.chain.from_iterable(palindromes))

    def is_clean(palindrome: Sequence[Turn]) -> bool:
        return not any(disturbed(turn, others) for turn in palindrome)

    return [is_clean(palindrome) for palindrome in palindromes]


def enough(palindromes: Sequence[bool]) -> bool:
    """Whether so many palindromes were clean that what is left of them counts."""
    return bool(palindromes) and sum(palindromes) >= CLEAN * len(palindromes)


def words(total: Turn, cores: float) -> str:
    """Return in words what a busy machine did, e.g. "load 20 on 2 cores, waited 61 % of the time".

    Args:
        total: the sum (`together`) of the turns that are told of.
        cores: that this process may use; a quota may leave a part of one.
    """
    count = f"{cores:g} core{'' if cores == 1 else 's'}"
    load = f"{total.load:.0f}" if total.load >= 10 else f"{total.load:.1f}"
    parts = [f"load {load} on {count}", f"waited {100 * total.waited:.0f} % of the time"]
    for name, lost_s in (
        ("stolen by the hypervisor", total.stolen_s),
        ("throttled by a quota", total.throttled_s),
    ):
        if total.wall_s > 0.0 and lost_s > LOST * total.wall_s:
            parts.append(f"{name} {min(100.0, 100 * lost_s / total.wall_s):.0f} %")
    return ", ".join(parts)
