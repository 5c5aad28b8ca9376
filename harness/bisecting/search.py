"""Which release to judge next, and what those that were judged say. Pure.

Releases are numbered from 0, the oldest. Each has a state, or None where it cannot be judged: it is
passed over, as `git bisect skip` does. A release is as the first one (it has the same state), or
changed. A binary search finds one change and sees no other; so a few releases far from it are
judged too (`confirm`), and a series that goes back and forth is said to be one.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Mapping

from backends.contract import Word

States = Mapping[int, str | None]


class ConclusionKind(Word):
    """What a series turned out to be; of the releases of a `Conclusion`."""

    #: `bad` is the first changed release.
    LOCATED = "found"
    #: The first changed release is `bad` or one of `between`.
    NARROWED = "narrowed"
    #: All that were judged are as the first.
    UNCHANGED = "unchanged"
    #: There is more than one change.
    BACK_AND_FORTH = "back and forth"
    #: The release `bad` is an end, and cannot be judged.
    NO_END = "no end"


@dataclasses.dataclass(frozen=True)
class Conclusion:
    """What is known of a series.

    Attributes:
        kind: what was found out.
        good: the last release before the change that is as the first. bad: the first that was
            judged changed.
        between: those between the two, which cannot be judged.
        changes: every two judged neighbours of which one is changed and one is not, the older
            first.
    """

    kind: ConclusionKind
    good: int | None = None
    bad: int | None = None
    between: tuple[int, ...] = ()
    changes: tuple[tuple[int, int], ...] = ()


def search(
    count: int, judge: Callable[[int], str | None], confirm: int = 0
) -> dict[int, str | None]:
    """Judge both ends, then what it takes to find the first change, then `confirm` releases far
    from it; return all states."""
    states: dict[int, str | None] = {}

    def settle() -> None:
        while (number := next_one(states, count)) is not None:
            states[number] = judge(number)

    settle()
    for _ in range(confirm):
        number = unseen(states, count)
        if number is None:
            break
        states[number] = judge(number)
        settle()  # it may lie before the change that was known
    return states


def next_one(states: States, count: int) -> int | None:
    """Return the release to judge next: an end, or one between the last good and the first bad."""
    for end in (0, count - 1):
        if end not in states:
            return end
        if states[end] is None:
            return None
    gap = _gap(states)
    if gap is None:
        return None
    return _middle(number for number in range(gap[0] + 1, gap[1]) if number not in states)


def unseen(states: States, count: int) -> int | None:
    """Return the middle of the longest stretch of releases that nobody has looked at."""
    if not _ends(states, count):
        return None
    return _middle(number for number in range(count) if number not in states)


def conclude(states: States, count: int) -> Conclusion:
    """Return what the judged releases say; both ends have had their turn."""
    if not _ends(states, count):
        unjudged = next(end for end in (0, count - 1) if states.get(end) is None)
        return Conclusion(ConclusionKind.NO_END, bad=unjudged)
    judged = sorted(number for number, state in states.items() if state is not None)
    changes = tuple(
        (a, b) for a, b in itertools.pairwise(judged) if _changed(states, a) != _changed(states, b)
    )
    if not changes:
        return Conclusion(ConclusionKind.UNCHANGED)
    good, bad = changes[0]
    between = tuple(number for number in range(good + 1, bad) if number in states)
    kind = ConclusionKind.NARROWED if bad - good > 1 else ConclusionKind.LOCATED
    if len(changes) > 1:
        kind = ConclusionKind.BACK_AND_FORTH
    return Conclusion(kind, good, bad, between, changes)


def _ends(states: States, count: int) -> bool:
    """Whether both ends could be judged."""
    return all(states.get(end) is not None for end in (0, count - 1))


def _changed(states: States, number: int) -> bool:
    return states[number] != states[0]


def _gap(states: States) -> tuple[int, int] | None:
    """Return the last good release before the first bad one, and that one; None if none changed."""
    judged = [number for number, state in states.items() if state is not None]
    bad = min((number for number in judged if _changed(states, number)), default=None)
    return None if bad is None else (max(number for number in judged if number < bad), bad)


def _middle(numbers: Iterable[int]) -> int | None:
    """Return the middle of the longest run of consecutive numbers; None where there are none.

    Where releases that cannot be judged lie in a row, as many do that need another compiler, this
    leaps over them.
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    longest = max(runs, key=len, default=None)
    return longest[(len(longest) - 1) // 2] if longest else None
