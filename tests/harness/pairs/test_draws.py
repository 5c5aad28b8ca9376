"""Which draw of one side is which of the other's; what only one makes stays one."""

from __future__ import annotations

import pytest

from backends.survey import DROPOUT, NORMAL, OTHER_DRAW, UNIFORM, Draw, Survey
from harness.pairs import draws
from tests.harness.pairs.scenes import survey


def side(*listed: tuple[str, str, str, tuple[int, ...]], served: bool = True) -> Survey:
    """Draws in order: phase, layer, kind, shape."""
    counts: dict[str, int] = {}
    made = []
    for phase, layer, kind, shape in listed:
        index = counts[phase] = counts.get(phase, -1) + 1
        made.append(Draw(phase, index, layer, kind, shape, served=served))
    return survey((), (), draws=tuple(made))


FIRST = ("train", "drop", DROPOUT, (8, 4))
NOISE = ("train", "latent", NORMAL, (8, 2))


def test_in_order_by_kind_and_shape():
    """Each phase for itself, under one name, with each side's own number."""
    a = side(FIRST, NOISE, ("forward", "drop", DROPOUT, (8, 4)))
    b = side(NOISE, FIRST, ("forward", "d", DROPOUT, (8, 4)))
    made = draws.match(a, b)
    assert [("train", 1, 0), ("forward", 0, 0)] == [
        (site.phase, site.a, site.b) for site in made.sites
    ]
    assert ["1.latent.normal", "0.drop.dropout"] == [site.name for site in made.sites]
    assert ([DROPOUT], [DROPOUT]) == (
        [draw.kind for draw in made.only_a],
        [draw.kind for draw in made.only_b],
    )
    same = draws.match(a, a)
    assert ["uniform", "normal", "uniform"] == [site.kind for site in same.sites]
    assert () == same.only_a == same.only_b


def test_a_draw_that_only_one_side_makes():
    """A port that has forgotten one of two dropouts: the one with the same name stays, the other
    is said to be missing."""
    two = side(("train", "first", DROPOUT, (8, 4)), ("train", "second", DROPOUT, (8, 4)))
    one = side(("train", "net.second", DROPOUT, (8, 4)))
    made = draws.match(two, one)
    assert [(1, 0)] == [(site.a, site.b) for site in made.sites]
    assert ["first"] == [draw.layer for draw in made.only_a] and () == made.only_b
    back = draws.match(one, two)
    assert ["first"] == [draw.layer for draw in back.only_b]


@pytest.mark.parametrize(
    ("tape", "own", "axes"),
    [
        ((8, 4, 5, 6), (8, 4, 5, 6), None),
        ((8, 4, 5, 6), (8, 6, 4, 5), (0, 3, 1, 2)),
        ((8, 4, 4, 4), (8, 4, 4, 4), None),
        ((8, 4, 4, 6), (8, 6, 4, 4), (0, 3, 1, 2)),
        ((8, 3, 6), (3, 8, 6), (1, 0, 2)),
        ((8, 1, 1, 6), (8, 6, 1, 1), (0, 3, 1, 2)),
        ((8, 6, 4, 5), (8, 4, 5, 6), (0, 2, 3, 1)),
    ],
)
def test_channels_in_front(
    tape: tuple[int, ...], own: tuple[int, ...], axes: tuple[int, ...] | None
):
    """The tape's axes, in the order in which they are the second side's own."""
    a, b = side(("train", "d", DROPOUT, tape)), side(("train", "d", DROPOUT, own))
    (site,) = draws.match(a, b).sites
    assert (tape, axes) == (site.shape, site.axes_b)
    if axes:
        assert own == tuple(tape[axis] for axis in axes)


@pytest.mark.parametrize(
    "other",
    [
        ("train", "drop", UNIFORM, (8, 4)),
        ("train", "drop", DROPOUT, (8, 5)),
        ("forward", "drop", DROPOUT, (8, 4)),
    ],
)
def test_another_kind_shape_or_phase(other: tuple[str, str, str, tuple[int, ...]]):
    """Numbers of another distribution, or for another number of values, are none of this."""
    made = draws.match(side(FIRST), side(other))
    assert ((), 1, 1) == (made.sites, len(made.only_a), len(made.only_b))


def test_a_phase_that_only_the_second_side_has():
    """Its draws are its own."""
    made = draws.match(side(FIRST), side(FIRST, ("joint", "d", DROPOUT, (8, 4))))
    assert ["joint"] == [draw.phase for draw in made.only_b]


def test_what_no_tape_can_answer():
    """Both sides make it: it is listed for both, and is no site."""
    a = side(("train", "d", OTHER_DRAW, (8,)), served=False)
    made = draws.match(a, a)
    assert ((), a.draws, a.draws) == (made.sites, made.only_a, made.only_b)


def test_names_are_unique_in_a_phase():
    """A layer may draw more than once, and a step draw outside of all layers."""
    a = side(FIRST, FIRST, ("train", "", UNIFORM, (3,)), ("train", "a/b", DROPOUT, (8, 4)))
    names = [site.name for site in draws.match(a, a).sites]
    assert ["0.drop.dropout", "1.drop.dropout", "2.step.uniform", "3.a.b.dropout"] == names
