"""An activation that both sides show at another place of what they compute is left out, where what
is made of it agrees; a fault is not."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pytest

from harness.pairs import decisions
from harness.pairs.agreement import INPUTS, Walk, agrees
from harness.pairs.decisions import Decided
from harness.pairs.matches import Matched
from harness.pairs.taps import TapPair

RUNS = INPUTS + 1
TAPS = tuple(TapPair(name, name, name) for name in ("rnn", "dense", "side"))


def walk(scale: float = 1.0, kept: float = 1.0, wrong: float = 0.0) -> Walk:
    """What a model shows whose `rnn` is behind a mask that keeps `kept`, and whose `dense` reads
    what is masked. `scale`: of the parameters of `rnn`. `wrong`: an error of `rnn` itself. `side`
    reads the inputs alone."""
    shown = {}
    for number in range(RUNS):
        x = np.random.RandomState(number).normal(size=(6, 4))
        states = scale * x + wrong
        mask = np.arange(4) < 2
        shown[f"{number}/rnn"] = np.where(mask, states, states * (1.0 - kept))
        shown[f"{number}/dense"] = np.tanh(np.where(mask, states, 0.0))
        shown[f"{number}/side"] = x.sum(1)
        shown[f"outputs/{number}/output"] = shown[f"{number}/dense"].sum(1)
    return shown


def settle(a: Walk, b: Walk, moved: Walk | None) -> Decided:
    """Settle what rules have put beside each other by name."""
    agreed = frozenset(tap.name for tap in TAPS if agrees(tap, a, b))
    decided = Decided(Matched((), (), (), ()), TAPS, agreed, "rnn")
    return decisions.settled(decided, a, b, lambda _layer: moved)


def test_before_and_behind_a_mask():
    """What depends on the layer agrees: it is another quantity, and said so."""
    decided = settle(walk(), walk(kept=0.0), walk(scale=1.25))
    assert (["dense", "side"], ["rnn"], "") == (
        [tap.name for tap in decided.taps],
        [tap.name for tap in decided.elsewhere],
        decided.first_open,
    )


@pytest.mark.parametrize("wrong", [0.5, 0.02])
def test_a_fault_stays(wrong: float):
    """What depends on the layer departs too; that `side` agrees proves nothing."""
    decided = settle(walk(), walk(wrong=wrong), walk(scale=1.25))
    assert TAPS == decided.taps and () == decided.elsewhere and "rnn" == decided.first_open


def test_a_fault_behind_it_hides_nothing():
    """`dense` agrees and the model's output departs: the place is another all the same."""
    other = dict(walk(kept=0.0))
    other.update({name: value + 1.0 for name, value in other.items() if "outputs" in name})
    assert ["rnn"] == [tap.name for tap in settle(walk(), other, walk(scale=1.25)).elsewhere]


def test_a_layer_without_parameters_stays():
    """Nothing can be moved that would show what depends on it."""
    assert () == settle(walk(), walk(kept=0.0), None).elsewhere


def test_in_training_alone():
    """Without lengths both sides agree in inference; a dropout is behind the one in training."""
    other = dict(walk())
    other[f"{RUNS - 1}/rnn"] = other[f"{RUNS - 1}/rnn"] * 2.0
    assert ["rnn"] == [tap.name for tap in settle(walk(), other, walk(scale=1.25)).elsewhere]


def test_a_small_departure_stays():
    """A constant that is not quite the same is a fault, however little is left of it behind."""
    other = dict(walk())
    other["0/rnn"] = other["0/rnn"] * (1.0 + decisions.ANOTHER / 10)
    assert () == settle(walk(), other, walk(scale=1.25)).elsewhere


MANY = 64


@pytest.mark.parametrize(
    ("fruitful", "most"), [((), 1), ((17,), 13), ((0, 40), 25), (tuple(range(64)), 60)]
)
def test_runs_grow_with_what_is_shown_elsewhere(fruitful: tuple[int, ...], most: int):
    """A network that departs from its beginning on costs one run, not one of each layer; what no
    run is left for stays."""
    layers = [f"layer {number}" for number in range(MANY)]
    taps = tuple(TapPair(name, name, name) for name in layers)
    value = np.random.RandomState(0).normal(size=(4, 3))
    a, b, behind = {}, {}, {}
    for run in range(RUNS):
        for name in layers:
            a[f"{run}/{name}"], b[f"{run}/{name}"] = value, 2.0 * value
        behind[f"outputs/{run}/output"] = value
    asked = []

    def moved(names: Collection[str]) -> Walk:
        asked.append(names)
        shown = {f"layer {number}" for number in fruitful} & {*names}
        return {**a, **{name: held + len(shown) for name, held in behind.items()}}

    decided = Decided(Matched((), (), (), ()), taps, frozenset(), layers[0])
    settled = decisions.settled(decided, {**a, **behind}, {**b, **behind}, moved)
    named = [f"layer {number}" for number in fruitful]
    elsewhere = [tap.a for tap in settled.elsewhere]
    assert named[: len(elsewhere)] == elsewhere and len(asked) <= most
    assert named == elsewhere or len(asked) == decisions.MOST_RUNS


def test_nothing_is_run_where_nothing_agrees():
    taps = (TapPair("l", "l", "l"),)
    one, other = {"0/l": np.ones(3)}, {"0/l": np.zeros(3)}
    decided = Decided(Matched((), (), (), ()), taps, frozenset(), "l")
    assert () == decisions.settled(decided, one, other, lambda _: pytest.fail("ran")).elsewhere
