"""Which build moved: the one whose comparisons with all others changed, while the others agree
among themselves as before.

Only a minority can be named. Of two builds a ratio cannot tell which one moved, and when half of
them moved together, the comparisons look as if the other half had moved the other way.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

#: The labels of two sides, a and b.
Pair = tuple[str, str]


def flippers(flipped: Mapping[Pair, bool]) -> set[str]:
    """Return the builds whose every comparison with the others flipped; which of two sides a flip
    is of has no sign."""
    return {*movers({pair: int(one) for pair, one in flipped.items()}, signed=False)}


def movers(
    moved: Mapping[Pair, int], leaning: Mapping[Pair, int] | None = None, signed: bool = True
) -> dict[str, int]:
    """Return the builds that moved and in which direction; empty where that cannot be told.

    Args:
        moved: of every pair (a, b) that was compared on both nights, the sign of what changed for
            certain, or 0.
        leaning: the sign that each pair shows with less certainty; where there is none, `moved`
            alone counts.
        signed: a pair that moves up means that b moved up or a moved down. Else it only means that
            one of them moved.

    The smallest set of builds is returned that is a strict minority, touches every moved pair, and
    whose every member leans the same way against every build outside the set. Two such sets of one
    size are an ambiguity: nothing is returned.
    """
    signs = {
        **moved,
        **{pair: sign for pair, sign in (leaning or {}).items() if not moved.get(pair)},
    }
    builds = sorted({build for pair in moved for build in pair})
    certain = [pair for pair, sign in moved.items() if sign]
    if not certain:
        return {}
    for size in range(1, (len(builds) - 1) // 2 + 1):
        found = [
            directions
            for chosen in itertools.combinations(builds, size)
            if all(set(pair) & set(chosen) for pair in certain)
            and (directions := _directions(chosen, builds, signs, signed))
        ]
        if found:
            return found[0] if len(found) == 1 else {}
    return {}


def _directions(
    chosen: tuple[str, ...], builds: list[str], signs: Mapping[Pair, int], signed: bool
) -> dict[str, int]:
    """Return the direction of each chosen build against all others; empty if one of them does not
    lean one way against all."""
    found = {}
    for build in chosen:
        against = {
            signs[build_pair] * (-1 if signed and build_pair[0] == build else 1)
            for other in builds
            if other not in chosen
            for build_pair in ((build, other), (other, build))
            if build_pair in signs
        }
        if len(against) != 1 or against == {0}:
            return {}
        found[build] = against.pop()
    return found
