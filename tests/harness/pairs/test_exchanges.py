"""Which layers may change places: the parts of an attention that is one layer, beside layers of
their own. Exchanges of whole layers are in `test_decisions.py`."""

from __future__ import annotations

import pytest

from tests.harness.pairs import scenes
from tests.harness.pairs.scenes import ATTENDED, NAMES, attention, fused, one_layer

#: Names that say nothing.
SPOKEN = ("dense", "dense_1", "dense_2", "dense_3")
#: Of an attention that is one layer.
PARTS = ("query", "key", "value", "output")


@pytest.mark.parametrize("names", [NAMES, (*"qkv", "o"), SPOKEN])
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
def test_an_attention_that_is_one_layer_beside_four(names: tuple[str, ...], order: tuple[int, ...]):
    """Whichever side has it; what it shows is what the last of the four shows."""
    for a, b, shown in (
        (one_layer(), attention(names, order), ("block/attend", names[3])),
        (attention(names, order), one_layer(), (names[3], "block/attend")),
    ):
        decided = scenes.decide(a, b, ATTENDED)
        assert "" == decided.first_open
        assert [shown] == [(tap.a, tap.b) for tap in decided.taps]
        together = {frozenset((pair.a.name, pair.b.name)) for pair in decided.matched.pieces}
        for part, name in zip(PARTS, names, strict=True):
            assert frozenset((f"block/attend/{part}/kernel", f"{name}/kernel")) in together
            assert frozenset((f"block/attend/{part}/bias", f"{name}/bias")) in together


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
def test_an_attention_that_is_one_layer_beside_a_fused_kernel(order: tuple[int, ...]):
    """Its parts in an order of their own."""
    assert "" == scenes.decide(one_layer(), fused(order), ATTENDED).first_open
    assert "" == scenes.decide(fused(order), one_layer(), ATTENDED).first_open


@pytest.mark.parametrize("names", [NAMES, (*"qkv", "o")])
def test_queries_and_keys_exchanged_in_one_layer_stay_a_difference(names: tuple[str, ...]):
    """Its parts have names as layers do: to exchange their weights would explain it away."""
    for a, b, place in (
        (one_layer(), attention(names, crossed=True), "block/attend"),
        (attention(names), one_layer(crossed=True), names[3]),
        (one_layer(crossed=True), attention(names), "block/attend"),
    ):
        assert place == scenes.decide(a, b, ATTENDED).first_open
