"""Which draw of one side is which of the other's; what only one makes stays one."""

from __future__ import annotations

from typing import Any

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


def test_neighbouring_axes_taken_together():
    """[batch, heads, ...] is [batch * heads, ...]: the numbers lie in the same order."""
    made = draws.match(
        side(("train", "attend", DROPOUT, (8, 4, 6, 6))),
        side(("train", "attend", DROPOUT, (32, 6, 6))),
    )
    (site,) = made.sites
    assert ((8, 4, 6, 6), None, (32, 6, 6)) == (site.shape, site.axes_b, site.shape_b)
    told = draws.entries(made.sites, (Draw("train", 0, "", DROPOUT, (32, 6, 6)),), first=False)
    assert {"train": [{"site": site.name, "axes": None, "shape": [32, 6, 6]}]} == told


@pytest.mark.parametrize(
    ("tape", "own", "expected"),
    [
        ((4, 2, 3), (8, 3), True),
        ((8, 3), (4, 2, 3), True),
        ((4, 1, 3), (4, 3), True),
        ((4, 3), (4, 3), True),
        ((4, 3), (3, 4), False),
        ((4, 2, 3), (4, 3), False),
        ((4, 2, 3), (4, 5), False),
        ((), (1,), True),
        ((2,), (), False),
    ],
)
def test_axes_fold(tape: tuple[int, ...], own: tuple[int, ...], expected: bool):
    """Only neighbours, in their order."""
    assert expected is draws.folds(tape, own) is draws.folds(own, tape)


STEPS = tuple(("train", "rnn", DROPOUT, (8, 4)) for _ in range(3))


@pytest.mark.parametrize(("shape", "axis"), [((8, 3, 4), 1), ((3, 8, 4), 0), ((8, 4, 3), 2)])
def test_a_loop_beside_one_draw_for_all_steps(shape: tuple[int, ...], axis: int):
    """Each step is a site; the side that draws once puts all of them together."""
    loop = side(FIRST, *STEPS)
    whole = side(("train", "drop", DROPOUT, (8, 4)), ("train", "after", DROPOUT, shape))
    made = draws.match(loop, whole)
    assert () == made.only_a == made.only_b
    assert [(0, 0, None), (1, 1, axis), (2, 1, axis), (3, 1, axis)] == [
        (site.a, site.b, site.axis_b) for site in made.sites
    ]
    told = draws.entries(made.sites, whole.draws, first=False)["train"]
    steps = [site.name for site in made.sites[1:]]
    assert {"site": None, "sites": steps, "axis": axis} == told[1]
    assert [*steps] == [
        entry["site"] for entry in draws.entries(made.sites, loop.draws, first=True)["train"][1:]
    ]


def test_a_loop_on_the_second_side():
    """The other way round the same sites are put together on the first side."""
    loop, whole = side(*STEPS), side(("train", "after", DROPOUT, (8, 3, 4)))
    made = draws.match(whole, loop)
    assert [(0, 0, 1), (0, 1, 1), (0, 2, 1)] == [
        (site.a, site.b, site.axis_a) for site in made.sites
    ]
    assert 3 == len({site.place for site in made.sites})
    assert [site.name for site in made.sites] == (
        draws.entries(made.sites, whole.draws, first=True)["train"][0]["sites"]
    )


@pytest.mark.parametrize(
    "whole", [(8, 2, 4), (8, 4, 4), (8, 3, 5), (3, 4)], ids=["steps", "count", "width", "rank"]
)
def test_a_loop_of_other_steps_stays_a_difference(whole: tuple[int, ...]):
    """A step too few, or of another shape."""
    made = draws.match(side(*STEPS), side(("train", "after", DROPOUT, whole)))
    assert () == made.sites and 3 == len(made.only_a) and 1 == len(made.only_b)


@pytest.mark.parametrize("behind", [True, False])
def test_which_of_two_alike_a_loop_is_is_told_by_the_order(behind: bool):
    """The other side has a further draw of the very shape, behind the one of all steps or before
    it: neither takes the other's place, whichever side has the loop."""
    steps = [("forward", "rnn", DROPOUT, (8, 4))] * 3
    single = ("forward", "drop", DROPOUT, (8, 3, 4))
    loop = side(*steps, single) if behind else side(single, *steps)
    whole = side(("forward", "", DROPOUT, (8, 3, 4)), ("forward", "", DROPOUT, (8, 3, 4)))
    made = draws.match(loop, whole)
    of_loop, of_single = (0, 1) if behind else (1, 0)
    first = 0 if behind else 1
    expected = {(first + step, of_loop, 1) for step in range(3)}
    expected.add((3 if behind else 0, of_single, None))
    assert expected == {(site.a, site.b, site.axis_b) for site in made.sites}
    assert () == made.only_a == made.only_b
    back = draws.match(whole, loop)
    assert {(b, a, axis) for a, b, axis in expected} == {
        (site.a, site.b, site.axis_a) for site in back.sites
    }


LOWER, UPPER = ("train", "cell_0", DROPOUT, (8, 4)), ("train", "cell_1", DROPOUT, (8, 4))


@pytest.mark.parametrize("before", [(), (FIRST,)])
@pytest.mark.parametrize(
    "step",
    [(LOWER, UPPER), (LOWER, UPPER, UPPER), (LOWER, LOWER, UPPER)],
)
@pytest.mark.parametrize("turned", [False, True])
def test_the_cells_of_a_loop_take_turns(
    before: tuple[Any, ...], step: tuple[Any, ...], turned: bool
):
    """A stack draws cell by cell and hour by hour; its port for all hours, layer by layer."""
    hours = 5
    looping = side(*before, *(step * hours), NOISE)
    whole = side(*before, *(("train", "n", DROPOUT, (8, hours, 4)) for _ in step), NOISE)
    a, b = (whole, looping) if turned else (looping, whole)
    made = draws.match(a, b)
    assert () == made.only_a == made.only_b
    first = len(before)
    for place, _ in enumerate(step):
        wanted = [first + hour * len(step) + place for hour in range(hours)]
        sites = [site for site in made.sites if site.axis_a == 1 or site.axis_b == 1]
        own = [
            site.b if turned else site.a
            for site in sites
            if (site.a if turned else site.b) == first + place
        ]
        assert wanted == own
    assert len({(site.phase, site.name) for site in made.sites}) == len(made.sites)


@pytest.mark.parametrize("hours", [2, 3])
def test_a_model_that_runs_twice_is_four_loops(hours: int):
    """Of real rows and of made ones, each layer for all its hours: no period of the whole."""
    turns = ((LOWER,) * hours + (UPPER,) * hours) * 2
    whole = side(*(("train", "n", DROPOUT, (8, hours, 4)) for _ in range(4)))
    made = draws.match(side(*turns), whole)
    assert () == made.only_a == made.only_b
    for place in range(4):
        own = [site.a for site in made.sites if site.b == place]
        assert list(range(place * hours, (place + 1) * hours)) == own


def test_a_draw_behind_a_loop_is_none_of_it():
    """Equal draws that go on beyond the last whole turn."""
    made = draws.match(
        side(*((LOWER, UPPER) * 3), LOWER),
        side(*(("train", "n", DROPOUT, (8, 3, 4)) for _ in range(2)), LOWER),
    )
    assert () == made.only_a == made.only_b
    assert (6, 2) == (made.sites[-1].a, made.sites[-1].b)
