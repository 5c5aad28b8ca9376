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
    """Return the builds whose every comparison with the others flipped; a flip has no direction."""
    return {*movers({pair: int(flip) for pair, flip in flipped.items()}, signed=False)}


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
        explanations = [
            directions
            for chosen in itertools.combinations(builds, size)
            if _touches_all(chosen, certain)
            and (directions := _directions(chosen, builds, signs, signed))
        ]
        if explanations:
            return explanations[0] if len(explanations) == 1 else {}
    return {}


def _touches_all(chosen: tuple[str, ...], pairs: list[Pair]) -> bool:
    return all(set(pair) & set(chosen) for pair in pairs)


def _directions(
    chosen: tuple[str, ...], builds: list[str], signs: Mapping[Pair, int], signed: bool
) -> dict[str, int]:
    """Return the direction of each chosen build; empty if one does not lean one way against all
    others."""
    directions = {}
    others = [build for build in builds if build not in chosen]
    for build in chosen:
        leans = set()
        for other in others:
            if (build, other) in signs:
                leans.add(-signs[build, other] if signed else signs[build, other])
            if (other, build) in signs:
                leans.add(signs[other, build])
        if len(leans) != 1 or leans == {0}:
            return {}
        directions[build] = leans.pop()
    return directions
