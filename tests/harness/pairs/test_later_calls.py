"""Layers that are called several times: which call is which, and which are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from backends.survey import MOST_CALLS, Layer, of_call
from harness.pairs import later_calls
from harness.pairs.decisions import Decided
from harness.pairs.matches import DATA, ORDER, Matched
from harness.pairs.taps import TapPair
from tests.harness.pairs.scenes import survey

CALLS = 3


def values(count: int = CALLS) -> dict[str, np.ndarray]:
    """What a layer `mixing` returns at each call, on two inputs."""
    generator = np.random.RandomState(0)
    return {
        f"{number}/{of_call('mixing', call)}": generator.normal(size=(4, 2))
        for number in range(2)
        for call in range(count)
    }


def permuted(walk: dict[str, np.ndarray], order: tuple[int, ...]) -> dict[str, np.ndarray]:
    """The same calls in another order, of a layer `fc`."""
    return {
        f"{number}/{of_call('fc', call)}": walk[f"{number}/{of_call('mixing', other)}"]
        for number in range(2)
        for call, other in enumerate(order)
    }


def added(walk_b, calls: tuple[int, int] = (CALLS, CALLS), first_open: str = "", walk_a=None):
    sides = [
        survey((), (Layer(name, "dense", "Dense", calls=count, outputs=((4, 2),)),))
        for name, count in zip(("mixing", "fc"), calls, strict=True)
    ]
    decided = Decided(
        Matched((), (), (), ()), (TapPair("mixing", "mixing", "fc"),), frozenset(), first_open
    )
    return later_calls.added(decided, *sides, values() if walk_a is None else walk_a, walk_b)


def test_calls_in_the_same_order():
    decided = added(permuted(values(), (0, 1, 2)))
    assert ["mixing", "mixing/call 2", "mixing/call 3"] == [tap.name for tap in decided.taps]
    assert [(0, 0), (1, 1), (2, 2)] == [tap.calls for tap in decided.taps]
    assert {ORDER} == {tap.how for tap in decided.taps}
    assert {"mixing/call 2", "mixing/call 3"} == decided.agreed


def test_branches_that_are_computed_in_another_order_are_no_difference():
    decided = added(permuted(values(), (0, 2, 1)))
    assert [(0, 0), (1, 2), (2, 1)] == [tap.calls for tap in decided.taps]
    assert [ORDER, DATA, DATA] == [tap.how for tap in decided.taps]


@pytest.mark.parametrize(("first_open", "count"), [("", 2), ("before", 3)])
def test_a_call_that_agrees_with_none(first_open: str, count: int):
    """It is compared where something departs anyway, and no reason to fail by itself."""
    walk = permuted(values(), (0, 1, 2))
    walk[f"1/{of_call('fc', 2)}"] = walk[f"1/{of_call('fc', 2)}"] + 1.0
    decided = added(walk, first_open=first_open)
    assert count == len(decided.taps)
    assert {"mixing/call 2"} == decided.agreed


@pytest.mark.parametrize("calls", [(3, 2), (1, 1), (3, 1)])
def test_layers_that_are_called_another_number_of_times(calls: tuple[int, int]):
    """Nobody knows which call is which; the first one is compared."""
    assert 1 == len(added(permuted(values(), (0, 1, 2)), calls).taps)


def test_a_cell_that_is_called_at_every_step_is_looked_at_some_times():
    many = 2 * MOST_CALLS
    walk = values(many)
    decided = added(permuted(walk, tuple(range(many))), (many, many), walk_a=walk)
    assert MOST_CALLS == len(decided.taps)
