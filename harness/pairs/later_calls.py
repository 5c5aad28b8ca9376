"""The later calls of a layer that is called several times: shared layers, and functions that are
one module, as a ReLU that stands behind every convolution.

Which call is which is the order of the calls, unless data say that it is another one: of two
branches one side may compute the other first. A call that agrees with none is compared by its
place in the order only where the forward pass departs; where all else agrees, what it shows is
another quantity on both sides, or nothing that counts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from backends.survey import MOST_CALLS, Survey, of_call
from harness.pairs.agreement import Walk, agrees
from harness.pairs.decisions import Decided
from harness.pairs.matches import DATA
from harness.pairs.taps import TapPair


def shared(decided: Decided, a: Survey, b: Survey) -> list[tuple[TapPair, int]]:
    """Return the activations of layers that both sides call equally often, more than once, and how
    often.

    Args:
        decided: what belongs together. a, b: both sides.
    """
    mine = {layer.name: layer.calls for layer in a.layers}
    theirs = {layer.name: layer.calls for layer in b.layers}
    return [
        (tap, min(mine[tap.a], MOST_CALLS))
        for tap in decided.taps
        if mine.get(tap.a, 0) == theirs.get(tap.b, 0) > 1
    ]


def added(decided: Decided, a: Survey, b: Survey, walk_a: Walk, walk_b: Walk) -> Decided:
    """Return the decision with the later calls of shared layers as activations of their own.

    Args:
        decided: what belongs together. a, b: both sides.
        walk_a, walk_b: what both sides' layers returned on the same weights.
    """
    later: list[TapPair] = []
    agreed = set(decided.agreed)
    for tap, calls in shared(decided, a, b):
        for pair, same in _later(tap, calls, walk_a, walk_b):
            if same:
                agreed.add(pair.name)
            if same or decided.first_open:
                later.append(pair)
    return dataclasses.replace(decided, taps=(*decided.taps, *later), agreed=frozenset(agreed))


def _later(tap: TapPair, calls: int, walk_a: Walk, walk_b: Walk) -> Iterator[tuple[TapPair, bool]]:
    """Yield each later call of the first side's layer beside one of the second side's, and whether
    both agree."""

    def same(i: int, j: int) -> bool:
        beside = dataclasses.replace(tap, a=of_call(tap.a, i), b=of_call(tap.b, j))
        return agrees(beside, walk_a, walk_b)

    free = list(range(1, calls))
    chosen: dict[int, int] = {}
    for i in range(1, calls):
        fitting = [j for j in sorted(free, key=lambda j: j != i) if same(i, j)]
        if fitting:
            chosen[i] = fitting[0]
            free.remove(fitting[0])
    for i in range(1, calls):
        agreeing = i in chosen
        j = chosen[i] if agreeing else free.pop(0)
        how = tap.how if i == j else DATA
        name = of_call(tap.name, i)
        yield dataclasses.replace(tap, name=name, how=how, calls=(i, j)), agreeing
