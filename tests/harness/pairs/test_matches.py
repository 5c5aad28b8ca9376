"""Which parameter is which by rules alone, and what rules may not explain away."""

from __future__ import annotations

import dataclasses

import pytest

from backends.survey import Layer, Piece, Survey
from harness.pairs import matches
from harness.pairs.matches import ORDER
from tests.harness.pairs.scenes import piece, survey

Shapes = dict[str, tuple[int, ...]]
DENSE: Shapes = {"kernel": (4, 4), "bias": (4,)}


def side(*layers: tuple[str, str, Shapes]) -> Survey:
    """Layers in the order in which they run: path, kind, shapes by role."""
    pieces = [piece(name, role, shape) for name, _, own in layers for role, shape in own.items()]
    return survey(pieces, [Layer(name, kind, "T") for name, kind, _ in layers])


def pairs(a: Survey, b: Survey) -> dict[str, str]:
    return {pair.name: pair.b.name for pair in matches.by_rule(a, b).pieces}


def test_order_and_shapes_decide():
    """Two layers of other shapes, under other names."""
    a = side(("one", "dense", DENSE), ("two", "dense", {"kernel": (4, 2), "bias": (2,)}))
    b = side(("x", "dense", DENSE), ("y", "dense", {"kernel": (4, 2), "bias": (2,)}))
    made = matches.by_rule(a, b)
    assert {
        "one/kernel": "x/kernel",
        "one/bias": "x/bias",
        "two/kernel": "y/kernel",
        "two/bias": "y/bias",
    } == pairs(a, b)
    assert ((), (), (("one", "x"), ("two", "y"))) == (made.only_a, made.only_b, made.units)
    assert {ORDER} == {pair.how for pair in made.pieces}


def test_what_only_one_side_has_is_said():
    """A layer more, and a bias less; the rest still fits together."""
    a = side(
        ("one", "dense", DENSE),
        ("norm", "layer_norm", {"gamma": (4,), "beta": (4,)}),
        ("two", "dense", DENSE),
    )
    b = side(("x", "dense", DENSE), ("y", "dense", {"kernel": (4, 4)}))
    made = matches.by_rule(a, b)
    assert ["norm/gamma", "norm/beta", "two/bias"] == [item.name for item in made.only_a]
    assert "y/kernel" == pairs(a, b)["two/kernel"]
    back = matches.by_rule(b, a)
    assert ["norm/gamma", "norm/beta", "two/bias"] == [item.name for item in back.only_b]


def test_layers_that_run_in_another_order_are_found():
    """Of other shapes they can cross."""
    a = side(("one", "dense", DENSE), ("two", "dense", {"kernel": (4, 2)}))
    b = side(("y", "dense", {"kernel": (4, 2)}), ("x", "dense", DENSE))
    assert "x/kernel" == pairs(a, b)["one/kernel"] and "y/kernel" == pairs(a, b)["two/kernel"]


def test_a_missing_parameter_has_no_stand_in():
    """The layer has a word on both sides: what else has the shape of the missing bias is not it.
    Of a layer without one, or if nothing is missing, shapes decide."""
    a = side(("l", "dense", DENSE))
    known = matches.by_rule(a, side(("l", "dense", {"kernel": (4, 4), "scale": (4,), "g": (4,)})))
    assert (["l/bias"], ["l/scale", "l/g"]) == (
        [item.name for item in known.only_a],
        [item.name for item in known.only_b],
    )
    assert (
        "l/offset" == pairs(a, side(("l", "dense", {"kernel": (4, 4), "offset": (4,)})))["l/bias"]
    )
    raw = pairs(side(("l", "other", DENSE)), side(("l", "other", {"w": (4, 4), "b": (4,)})))
    assert {"l/kernel": "l/w", "l/bias": "l/b"} == raw


def test_parameters_of_a_layer_without_a_rule_are_those_of_several():
    """Of one shape by their names. A layer with a rule that lacks one still lacks it."""
    words: Shapes = {"words/weight": (9, 4), "kinds/weight": (2, 4), "places/weight": (9, 4)}
    norm = ("norm", "layer_norm", {"gamma": (4,), "beta": (4,)})
    a = side(("embeddings", "container", words), norm)
    b = side(
        ("e/places", "embedding", {"embeddings": (9, 4)}),
        ("e/kinds", "embedding", {"embeddings": (2, 4)}),
        ("e/words", "embedding", {"embeddings": (9, 4)}),
        norm,
    )
    for left, right in ((a, b), (b, a)):
        made = matches.by_rule(left, right)
        assert ((), ()) == (made.only_a, made.only_b)
        together = {frozenset((pair.a.name, pair.b.name)) for pair in made.pieces}
        for word in ("words", "kinds", "places"):
            assert {f"embeddings/{word}/weight", f"e/{word}/embeddings"} in together
    own = side(("e", "container", {"places": (1, 9, 4), "token": (1, 1, 4)}), norm)
    made = matches.by_rule(own, side(("places", "embedding", {"embeddings": (9, 4)}), norm))
    assert {"e/places": (1, 9, 4)}.items() <= {
        pair.name: pair.b.shape for pair in made.pieces
    }.items()
    assert ["e/token"] == [item.name for item in made.only_a]
    without = side(("l", "dense", {"kernel": (4, 4)}), ("shift", "other", {"offset": (4,)}))
    lacking = matches.by_rule(side(("l", "dense", DENSE)), without)
    assert ["l/bias"] == [item.name for item in lacking.only_a]
    assert ["shift/offset"] == [item.name for item in lacking.only_b]


@pytest.mark.parametrize(
    ("own", "wanted", "free", "steps"),
    [
        ((3, 4), (3, 4), True, ()),
        ((4, 3), (3, 4), True, (("transpose", (1, 0)),)),
        ((4, 3), (3, 4), False, ()),
        ((5, 3, 2, 2), (3, 5, 2, 2), False, ()),
        ((1, 3, 2, 2), (3, 1, 2, 2), False, ()),
        ((1, 4), (4, 1), False, ()),
        ((1, 4), (4,), False, (("reshape", (4,)),)),
        ((4,), (1, 1, 4), False, (("reshape", (1, 1, 4)),)),
        ((3, 2, 2), (1, 3, 2, 2), False, (("reshape", (1, 3, 2, 2)),)),
        ((4, 3), (4, 2), True, ()),
        ((2, 6), (3, 4), True, ()),
    ],
)
def test_shapes_are_made_alike_only_where_nothing_is_explained_away(
    own: tuple[int, ...], wanted: tuple[int, ...], free: bool, steps: tuple[object, ...]
):
    """Axes of one come and go; a kernel the other way round, or an image kernel on its side, is a
    difference unless nobody knows how the axes lie."""
    other = matches.shaped(piece("l", "kernel", own), wanted, free)
    assert steps == other.steps
    assert other.shape == (wanted if steps else own)


@pytest.mark.parametrize(
    ("a", "b", "steps"), [("conv", "conv", 0), ("other", "conv", 1), ("embedding", "dense", 1)]
)
def test_a_kernel_on_its_side(a: str, b: str, steps: int):
    """A convolution of 3x5 is none of 5x3: what makes a port's kernel fit is said to be another
    shape. A raw one, or one of another kind, is turned."""
    made = matches.by_rule(
        side(("l", a, {"kernel": (3, 5, 2, 4)})), side(("l", b, {"kernel": (5, 3, 2, 4)}))
    )
    assert [steps] == [len(pair.b.steps) for pair in made.pieces]


NORM: Shapes = {"gamma": (4,)}


@pytest.mark.parametrize(
    ("a", "b", "together"),
    [
        (("attention_norm", "ffn_norm"), ("input_norm", "post_attention_norm"), (0, 1)),
        (("attention_norm", "ffn_norm"), ("ffn_norm", "attention_norm"), (1, 0)),
        (("norm", "norm_context"), ("context_norm", "norm"), (1, 0)),
        (("one", "two"), ("x", "one"), (1, 0)),
        (("query", "key"), ("keys", "query"), (1, 0)),
        (("pre", "mid", "post"), ("mid", "post", "pre"), (2, 0, 1)),
    ],
)
@pytest.mark.parametrize("kind", ["other", "rms_norm"])
def test_one_word_in_common_is_no_name_in_common(
    a: tuple[str, ...], b: tuple[str, ...], together: tuple[int, ...], kind: str
):
    """Layers that are alike change places by their names only where both sides have these words, or
    two have one name; else they keep the order in which they run."""
    made = pairs(
        side(*((name, "rms_norm", NORM) for name in a)), side(*((name, kind, NORM) for name in b))
    )
    assert [f"{b[index]}/gamma" for index in together] == [made[f"{name}/gamma"] for name in a]


def test_alike_layers_keep_their_names():
    """Names are worth more than the order of running where everything else is the same; numbers
    are not names."""
    a = side(*((name, "dense", DENSE) for name in ("query", "key", "value")))
    b = side(*((name, "dense", DENSE) for name in ("m.key_proj", "m.value_proj", "m.query_proj")))
    assert {
        "query/kernel": "m.query_proj/kernel",
        "key/kernel": "m.key_proj/kernel",
    }.items() <= pairs(a, b).items()
    a = side(*((name, "dense", DENSE) for name in ("dense", "dense_1", "dense_2")))
    b = side(*((name, "dense", DENSE) for name in ("fc1", "fc2", "fc3")))
    assert ["fc1", "fc2", "fc3"] == [
        pairs(a, b)[f"{name}/kernel"][:3] for name in ("dense", "dense_1", "dense_2")
    ]


def test_names_are_sought_in_their_own_block():
    """Two blocks of attention that run their layers in another order: each keeps to its block."""
    names = ("query", "key", "value")
    a = side(*((f"block_{n}/{name}", "dense", DENSE) for n in range(2) for name in names))
    b = side(*((f"h.{n}.{name}", "dense", DENSE) for n in range(2) for name in names[::-1]))
    expected = {f"block_{n}/{name}/bias": f"h.{n}.{name}/bias" for n in range(2) for name in names}
    assert expected.items() <= pairs(a, b).items()


def attention(number: int) -> list[tuple[str, str, Shapes]]:
    return [(f"{number}/{name}", "dense", DENSE) for name in ("first", "q", "k", "v", "out")]


def fused(number: int) -> list[tuple[str, str, Shapes]]:
    wide: Shapes = {"kernel": (4, 12), "bias": (12,)}
    return [
        (f"{number}/first", "dense", DENSE),
        (f"{number}/qkv", "dense", wide),
        (f"{number}/out", "dense", DENSE),
    ]


def test_every_fused_layer_has_parts_of_its_own():
    """Two blocks: the second one's is not made of the first one's queries; what stands before and
    behind stays whole."""
    a, b = side(*attention(0), *attention(1)), side(*fused(0), *fused(1))
    made = matches.by_rule(a, b)
    assert () == made.only_a == made.only_b and 20 == len(made.pieces)
    for n in range(2):
        for index, name in enumerate("qkv"):
            pair = next(pair for pair in made.pieces if pair.name == f"{n}/{name}/kernel")
            assert f"{n}/qkv/kernel" == pair.b.name
            assert (("slice", 1, 4 * index, 4 * index + 4),) == pair.b.steps
    assert [(f"{n}/{name}",) * 2 for n in range(2) for name in ("first", "out")] == list(made.units)
    back = matches.by_rule(b, a)
    assert {f"{n}/qkv/bias/{index}" for n in range(2) for index in range(3)} <= {
        pair.name for pair in back.pieces
    }
    part = next(pair for pair in back.pieces if pair.name == "1/qkv/bias/2")
    assert ((("slice", 0, 8, 12),), "1/v/bias") == (part.part, part.b.name)


def test_a_wider_layer_is_not_taken_for_a_fused_one():
    """Nothing on the other side is as wide as its parts: it is a layer of another shape."""
    a = side(("l", "dense", {"kernel": (4, 12)}), ("m", "dense", {"kernel": (12, 4)}))
    b = side(("l", "dense", {"kernel": (4, 6)}), ("m", "dense", {"kernel": (6, 4)}))
    made = matches.by_rule(a, b)
    assert {"l/kernel": "l/kernel", "m/kernel": "m/kernel"} == pairs(a, b)
    assert [((4, 12), (4, 6)), ((12, 4), (6, 4))] == [
        (pair.a.shape, pair.b.shape) for pair in made.pieces
    ]


def test_steps_change_the_shape():
    """What follows from a piece has the shape that its steps leave."""
    own: Piece = piece("l", "kernel", (2, 6))
    cut = matches.stepped(own, ("slice", 1, 0, 4), ("transpose", (1, 0)), ("reshape", (2, 2, 2)))
    assert (2, 2, 2) == cut.shape and own.steps == ()
    kept = matches.stepped(own, ("blocks", 1, (1, 0)), ("shift", 1, 0, 2, 1.0))
    assert (2, 6) == kept.shape and 2 == len(kept.steps)
    assert dataclasses.replace(kept, steps=()) == own
