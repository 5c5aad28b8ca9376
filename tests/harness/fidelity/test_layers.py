"""A layer that departs is blamed where its input was right, and left alone or said to be open
where it was not."""

from __future__ import annotations

import pytest

from harness.fidelity.layers import find, spelled
from harness.fidelity.verdict import TensorVerdict
from harness.results.verdicts import Fidelity

NAMES = ("training/a", "training/b", "training/c", "training/d")
CHAIN = {name: list(NAMES[place - 1 : place]) if place else [] for place, name in enumerate(NAMES)}


def verdicts(failing: str, names: tuple[str, ...] = NAMES) -> list[TensorVerdict]:
    """Return verdicts of which those of the layers named by a letter are FAIL."""
    return [
        TensorVerdict(
            name, Fidelity.FAIL if name[-1] in failing else Fidelity.PASS, "", 1.0, 0.1, 0.2
        )
        for name in names
    ]


@pytest.mark.parametrize("failing", ["a", "b", "bd", "abcd"])
def test_forced_layers_that_depart_are_wrong(failing):
    """Each was given the right input, so each that departs is named, and no other."""
    found = find(verdicts(failing), CHAIN, {})
    assert [f"training/{letter}" for letter in failing] == list(found.names)
    assert ((), 3, 4) == (found.untold, found.read, found.total)


def test_a_layer_on_the_ports_own_way_is_not_blamed():
    """c was computed from the port's own b, which departs: whether c is wrong cannot be told. d
    was given the right c."""
    found = find(verdicts("bcd"), CHAIN, {"training/c": ["training/b"]})
    assert (("training/b", "training/d"), ("training/c",)) == (found.names, found.untold)
    assert "cannot be told of c: computed on the port's own way there" in str(found)


def test_a_layer_on_the_ports_own_way_is_blamed_where_that_is_right():
    """b agrees, so c's own input was right."""
    assert ("training/c",) == find(verdicts("c"), CHAIN, {"training/c": ["training/b"]}).names


def test_what_reads_nothing_is_blamed_only_where_nothing_departs_before_it():
    """A layer that has read nothing of the teacher may repeat what others do; another mode's
    layers are no reason."""
    found = find(verdicts("bc"), {"training/b": ["training/a"]}, {})
    assert (("training/b",), ("training/c",)) == (found.names, found.untold)
    names = ("training/a", "inference/a")
    assert names == find(verdicts("a", names), {}, {}).names


def test_a_second_layer_of_data_alone_is_named_too():
    """c is known to be computed from data and weights alone, so that its input was right
    whatever departs before it."""
    found = find(verdicts("bc"), {"training/b": ["training/a"]}, {}, ("training/a", "training/c"))
    assert (("training/b", "training/c"), ()) == (found.names, found.untold)
    on_its_way = find(verdicts("bc"), {}, {"training/c": ["training/b"]}, ("training/c",))
    assert ("training/c",) == on_its_way.untold


def test_growth_is_told_only_where_every_departing_layer_was_given_the_right_input():
    """a departs in the ordinary run and was computed from nothing of the teacher's: that it does
    not depart now explains nothing."""
    found = find(verdicts(""), CHAIN, {}, ("training/a",), {"training/a", "training/b"})
    assert (("training/a",), "a departed, was not teacher-forced, and does not depart now") == (
        found.unseen,
        str(found),
    )
    assert "grown on the way" in str(
        find(verdicts(""), CHAIN, {}, (), {"training/b", "training/d"})
    )
    both = find(verdicts("d"), CHAIN, {}, (), {"training/a", "training/d"})
    assert (
        "wrong layers, each given the right input: d; a departed, was not teacher-forced, and"
        " does not depart now" == str(both)
    )


def test_nothing_departs_when_forced():
    """What departs in the ordinary run has grown on the way: no layer is blamed."""
    found = find(verdicts(""), CHAIN, {})
    assert ((), "given the right input no layer departs: what departs has grown on the way") == (
        found.names,
        str(found),
    )


def test_layers_are_spelled_once():
    """A layer of both modes by its name, one of a single mode with that mode, in order."""
    training, inference = (
        ["training/conv2", "training/dropout", "training/d/e"],
        [
            "inference/conv2",
            "inference/d/e",
        ],
    )
    assert "conv2, dropout (in training), d/e" == spelled(
        training + inference, ["training", "inference"]
    )
    assert "conv2, dropout, d/e" == spelled(training, ["training"])


def test_of_many_layers_the_first_are_spelled():
    names = [f"training/conv{number}" for number in range(200)]
    said = spelled(names, ["training"])
    assert said.startswith("conv0, conv1, ") and said.endswith(", conv11 and 188 more")
