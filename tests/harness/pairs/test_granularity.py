"""An attention that is one layer beside four, where there are several attentions."""

from __future__ import annotations

import dataclasses

import pytest

from harness.pairs import granularity
from harness.pairs.units import Unit
from tests.harness.pairs.scenes import piece

DENSE = Unit("a", "dense", {"kernel": piece("a", "kernel", (3, 4)), "bias": piece("a", "b", (4,))})
PARTS = ("query", "key", "value", "output")


def attention(*more: str, layer: str = "att") -> list[Unit]:
    """An attention that is one layer, with a dense one behind it."""
    roles = [*(f"{part}/{role}" for part in PARTS for role in ("kernel", "bias")), *more]
    shapes = {role: (4,) if role.endswith("bias") else (4, 4) for role in roles}
    pieces = {role: piece(layer, role, shape) for role, shape in shapes.items()}
    return [Unit(layer, "attention", pieces), DENSE]


def test_an_attention_is_taken_apart_where_the_other_side_has_none():
    """Into the four layers that it is made of, the last of which gives what it shows; a parameter
    that belongs to none of them stays with it."""
    own = attention("bias_k")
    assert (own, attention()) == granularity.levelled(own, attention())
    taken, beside = granularity.levelled(own, [DENSE])
    assert [DENSE] == beside
    assert [*(f"att/{part}" for part in PARTS), "att", "a"] == [unit.layer for unit in taken]
    assert ["", "", "", "att", "", ""] == [unit.shown for unit in taken]
    assert {"dense"} == {unit.kind for unit in taken if unit.layer != "att"}
    assert [("kernel", "bias"), ("bias_k",)] == [(*unit.pieces,) for unit in taken[3:5]]
    without = dataclasses.replace(own[0], pieces={"kernel": piece("att", "kernel", (4, 4))})
    assert [without, DENSE] == granularity.levelled([without, DENSE], [DENSE])[0]


def layers(name: str, fused: bool = False) -> list[Unit]:
    """An attention of layers of its own, with a dense one behind it; `fused`: q, k and v as one."""
    widths = {"qkv": 12, "output": 4} if fused else dict.fromkeys(PARTS, 4)
    made = []
    for part, width in widths.items():
        shapes = {"kernel": (4, width), "bias": (width,)}
        pieces = {role: piece(f"{name}.{part}", role, shape) for role, shape in shapes.items()}
        made.append(Unit(f"{name}.{part}", "dense", pieces))
    return [*made, DENSE]


def kinds(listed: list[Unit]) -> list[str]:
    """Which attentions are one layer, and which are not."""
    return [unit.layer for unit in listed if unit.kind == "attention" or unit.shown]


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_of_several_attentions_those_are_taken_apart_that_the_other_side_has_as_layers(
    fused: bool, turned: bool, first: bool
):
    """Whichever comes first, and on whichever side."""
    own = [*attention(layer="one"), *attention(layer="two")]
    other = [*layers("x", fused), *attention(layer="y")]
    if not first:
        other = [*attention(layer="y"), *layers("x", fused)]
        own = [*attention(layer="two"), *attention(layer="one")]
    found = granularity.levelled(*((other, own) if turned else (own, other)))
    mine, beside = found[::-1] if turned else found
    wanted = ["one/output", "two"] if first else ["two", "one/output"]
    assert wanted == kinds(mine) and ["y"] == kinds(beside) and other == beside


def test_each_side_may_have_another_one_as_layers():
    a = [*attention(layer="one"), *layers("two")]
    b = [*layers("x"), *attention(layer="y")]
    mine, beside = granularity.levelled(a, b)
    assert ["one/output"] == kinds(mine) and ["y/output"] == kinds(beside)


def test_an_attention_that_is_missing_is_beside_no_other_layers():
    """Dense layers of other shapes are not what it is made of."""
    a = [*attention(layer="one"), *attention(layer="two")]
    b = [*attention(layer="y"), *(DENSE,) * 5]
    assert (a, b) == granularity.levelled(a, b)
