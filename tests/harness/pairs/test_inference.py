"""From what was found out about two sides to what each one's port is told: on two perceptrons that
are the same model, and that are not."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from backends.adapter.pieces import canonical
from backends.adapter.port import Port
from backends.contract import Setting
from backends.source import Batch, NativeSource
from backends.survey import DROPOUT, Draw, OptimizerSurvey, Phase, Survey
from harness.pairs import draws, inference, start_values
from harness.pairs.decisions import Decided
from harness.pairs.inference import Against, Inference, SurveyedSide
from harness.pairs.matches import by_rule
from harness.pairs.workload import Inferred
from tests.backends.adapter.perceptron import BATCH, HIDDEN, INPUTS
from tests.harness.pairs import scenes
from tests.harness.pairs.scenes import piece, survey

KERNEL, EVERY = "hidden/kernel", {"hidden/kernel", "hidden/bias", "classes/kernel", "classes/bias"}


def ports(fault: str = "", begins: tuple[bool, bool] = (False, False)) -> list[Port]:
    """Both sides, told what follows, on the same start values; their plans crossed a pipe."""
    made, sides = scenes.inferred(fault, begins)
    pair = type("Pair", (), {"name": "mine", "path": "mine.py"})()
    workload = Inferred(pair, ("tf2", "torch"), made, ())
    config = json.loads(json.dumps(workload.config("tiny")))
    values = {item.name: item.draw(np.random.RandomState(0)) for item in workload.parameters({})}
    opened = []
    for label, side in sides.items():
        port = Port({**config, "pair": config["pair"]["sides"][label]}, Setting(), side)
        port.load_parameters(values)
        opened.append(port)
    return opened


def batch(phase: str, port: Port) -> Batch:
    data = scenes.perceptron_data()
    generator = np.random.RandomState(7)
    noise = {
        site["site"]: generator.random_sample(site["shape"])
        for site in port.config["noise"]
        if phase in site["phases"]
    }
    return Batch({name: data[name][:BATCH] for name in ("x", "y")}, noise)


def departing(a: dict[str, Any], b: dict[str, Any]) -> set[str]:
    assert set(a) == set(b)
    return {name for name in a if not np.allclose(a[name], b[name], rtol=1e-12, atol=1e-14)}


TAPS = {"hidden", "hidden/relu", "hidden/dropout", "classes", "product"}


@pytest.mark.parametrize(
    ("fault", "forward", "gradients", "updated"),
    [
        ("", set(), set(), set()),
        ("no_relu", TAPS - {"hidden"}, EVERY, EVERY),
        ("keep", TAPS - {"hidden", "hidden/relu"}, EVERY, EVERY),
        ("scaled_gradient", set(), EVERY, EVERY),
        ("momentum", set(), set(), EVERY),
    ],
)
def test_two_models(fault: str, forward: set[str], gradients: set[str], updated: set[str]):
    """The same model agrees in everything, dropout and momentum included; a mistake shows first at
    its own stage."""
    a, b = ports(fault)
    assert set() == departing(a.parameters(), b.parameters()) and EVERY == set(a.parameters())
    first, second = (port.forward(batch("forward", port), True) for port in (a, b))
    assert TAPS == set(first) and forward == departing(first, second)
    trained = batch("train", a)
    first, second = (port.gradients("train", trained) for port in (a, b))
    assert gradients == departing(first, second)
    for port in (a, b, a, b):
        port.train_step("train", trained)
    assert updated == departing(a.parameters(), b.parameters())
    state = departing(a.optimizer_state(), b.optimizer_state())
    assert {f"sgd/{name}/momentum" for name in updated} == state
    assert {"sgd/step"} | {f"sgd/{name}/momentum" for name in EVERY} == set(a.optimizer_state())


@pytest.mark.parametrize("same", [False, True])
def test_start_values_are_the_first_side_s(same: bool):
    """In their likeness, or the very same ones; the other side gets them too."""
    made, _ = scenes.inferred()
    a, b = ports(begins=(same, False))
    assert a.own_weights() is None and b.own_weights() is None
    own = made.values[KERNEL]
    assert same == np.array_equal(own, a.parameters()[KERNEL])
    assert sorted(own.ravel()) == pytest.approx(sorted(b.parameters()[KERNEL].ravel()))
    assert same == bool(np.all(a.parameters()["hidden/bias"] == 0))


def test_weights_that_both_sides_bring_are_shown_as_they_were_brought():
    """Whatever they have been given since."""
    _, sides = scenes.inferred()
    built = {label: side.parameters() for label, side in sides.items()}
    for label, port in zip(built, ports(begins=(True, True)), strict=True):
        shown = port.own_weights()
        assert shown is not None
        for name, part in port.plan.pieces.items():
            np.testing.assert_array_equal(canonical(part, built[label]), shown[name])
    assert not departing(*(port.parameters() for port in ports(begins=(True, True))))


def test_what_the_ports_are_told():
    """Names are the first side's; every draw of a side has an entry, with the tape's axes."""
    made, _ = scenes.inferred()
    plans = made.plans()
    assert ["original", "port"] == [plan["function"] for plan in plans.values()]
    assert EVERY == {item["name"] for item in plans["turned"]["pieces"]}
    assert ["fc1.weight"] == plans["turned"]["pieces"][0]["sources"]
    site = made.sites()[0]
    assert ("train", (BATCH, HIDDEN), (1, 0)) == (site.phase, site.shape, site.axes_b)
    assert [{"site": site.name, "axes": [1, 0]}] == plans["turned"]["draws"]["train"]
    assert [{"site": site.name, "axes": None}] == plans["plain"]["draws"]["train"]
    assert {"product": {"own": "output", "axes": None}} == plans["turned"]["outputs"]
    assert ({"sgd": ""}, {"sgd": ["momentum"]}) == (
        plans["turned"]["optimizers"],
        plans["turned"]["slots"],
    )
    assert {"train": {"total": "total"}} == plans["plain"]["losses"]


def pair_of(a: Survey, *others: Survey) -> Inference:
    """What rules alone say of a side and others beside it."""
    against = tuple(
        Against(
            SurveyedSide(f"b{number}", "port", b),
            Decided(by_rule(a, b), (), frozenset(), ""),
            draws.match(a, b),
        )
        for number, b in enumerate(others)
    )
    return Inference(SurveyedSide("a", "original", a), against, 2, {}, {})


def trained(*layers: str, gradients: tuple[str, ...] = (), **more: Any) -> Survey:
    pieces = [piece(layer, "kernel", (2, 3 + index)) for index, layer in enumerate(layers)]
    phases = (Phase("train", ("main",), ("total", "l2", "ce"), gradients),)
    return survey(pieces, (), **{"phases": phases, **more})


def test_what_every_side_has():
    """With three sides, what is compared is what all of them have."""
    drop = (Draw("train", 0, "d", DROPOUT, (4,)), Draw("train", 1, "e", DROPOUT, (5,)))
    three = pair_of(
        trained("x", "y", draws=drop), trained("u", "v", draws=drop), trained("w", draws=drop[1:])
    )
    assert ["x/kernel"] == [pair.name for pair in three.pieces()]
    assert [("train", 1)] == [(site.phase, site.a) for site in three.sites()]
    plans = three.plans()
    assert [None, "1.e.dropout"] == [entry["site"] for entry in plans["a"]["draws"]["train"]]
    assert ["1.e.dropout"] == [entry["site"] for entry in plans["b1"]["draws"]["train"]]
    assert ["u/kernel"] == plans["b0"]["pieces"][0]["sources"]
    assert [("a", "d")] == [(label, draw.layer) for label, draw in inference.unshared_draws(three)]


def test_a_parameter_that_one_side_alone_trains_is_compared():
    """A weight that the port has frozen has a gradient on the other side: it is a difference."""
    one = pair_of(trained("x", gradients=("x/kernel",)), trained("u"))
    assert ["x/kernel"] == one.updated("train")
    other = pair_of(trained("x"), trained("u", gradients=("u/kernel",)))
    assert ["x/kernel"] == other.updated("train")
    assert [] == pair_of(trained("x"), trained("u")).updated("train")


def test_losses_and_phases_that_all_have():
    """In the first side's order, the total last; a phase or a term of one side is left out."""
    mine = (Phase("d", (), ("total",), ()), Phase("g", (), ("total", "adv", "rec"), ()))
    theirs = (Phase("g", (), ("rec", "total"), ()), Phase("extra", (), ("total",), ()))
    made = pair_of(trained("x", phases=mine), trained("u", phases=theirs))
    assert (["g"], ["rec", "total"]) == (made.phases(), made.losses("g"))


def test_optimizers_by_place():
    """Named as the first side names them, or after their kind; slots are those that both have."""
    mine = (OptimizerSurvey("", "Adam", "adam", slots=("m", "v")),)
    theirs = (OptimizerSurvey("opt", "Adam", "adam", slots=("v", "m", "vhat")),)
    phases = (Phase("train", ("",), ("total",), ()),)
    made = pair_of(
        trained("x", optimizers=mine, phases=phases), trained("u", optimizers=theirs, phases=phases)
    )
    assert ({"adam": "opt"}, {"adam": ["m", "v"]}, "adam") == (
        made.plans()["b0"]["optimizers"],
        made.plans()["b0"]["slots"],
        made.optimizer("train"),
    )
    assert "own" == pair_of(trained("x", phases=(Phase("t", (), (), ()),)), trained("u")).optimizer(
        "t"
    )


def test_two_optimizers_of_one_kind_keep_apart():
    """Without names of their own, a GAN's two would be one: their states would be compared
    crosswise."""
    two = tuple(OptimizerSurvey(name, "Adam", "adam", slots=("m",)) for name in ("d", "g"))
    made = pair_of(trained("x", optimizers=two), trained("u", optimizers=two))
    assert {"d": "d", "g": "g"} == made.plans()["b0"]["optimizers"]


def test_slots_go_by_parameter_where_sides_have_different_numbers_of_optimizers():
    """A rate for each layer is two optimizers here and two groups of one there."""
    slow = OptimizerSurvey("slow", "SGD", "sgd", slots=("momentum",), pieces=("x/kernel",))
    fast = OptimizerSurvey("fast", "SGD", "sgd", slots=("momentum",), pieces=("y/kernel",))
    one = OptimizerSurvey(
        "", "SGD", "sgd", slots=("momentum", "own"), pieces=("u/kernel", "v/kernel")
    )
    made = pair_of(trained("x", "y", optimizers=(slow, fast)), trained("u", "v", optimizers=(one,)))
    plans = made.plans()
    assert {"slow": {"x/kernel": ""}, "fast": {"y/kernel": ""}} == plans["b0"]["owners"]
    assert {"slow": {"x/kernel": "slow"}, "fast": {"y/kernel": "fast"}} == plans["a"]["owners"]
    assert {"slow": ["momentum"], "fast": ["momentum"]} == plans["b0"]["slots"]
    turned = pair_of(
        trained("u", "v", optimizers=(one,)), trained("x", "y", optimizers=(slow, fast))
    ).plans()
    assert {"sgd": {"u/kernel": "slow", "v/kernel": "fast"}} == turned["b0"]["owners"]
    # Equally many go by place, as ever.
    alike = pair_of(trained("x", "y", optimizers=(one,)), trained("u", "v", optimizers=(one,)))
    assert {} == alike.plans()["a"]["owners"] == alike.plans()["b0"]["owners"]


def test_optimizers_of_the_same_names_may_stand_in_any_order():
    """Or the rate of the one would be taken for that of the other: slots, too, are each one's."""
    d, g = (
        OptimizerSurvey("d", "Adam", "adam", slots=("m", "v")),
        OptimizerSurvey("g", "SGD", "sgd"),
    )
    made = pair_of(trained("x", optimizers=(d, g)), trained("u", optimizers=(g, d)))
    assert {"d": "d", "g": "g"} == made.plans()["b0"]["optimizers"]
    assert {"d": ["m", "v"], "g": []} == made.plans()["b0"]["slots"]
    others = tuple(dataclasses.replace(item, name=item.name * 2) for item in (d, g))
    made = pair_of(trained("x", optimizers=(d, g)), trained("u", optimizers=others))
    assert {"d": "dd", "g": "gg"} == made.plans()["b0"]["optimizers"]


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        ({"output": (2, 3)}, {"output": (2, 3)}, {"product": ("output", None)}),
        ({"output": (2, 4, 5, 3)}, {"output": (2, 3, 4, 5)}, {"product": ("output", [0, 2, 3, 1])}),
        (
            {"output/a": (2,), "output/b": (3,)},
            {"output/b": (3,), "output/a": (2,)},
            {"product/a": ("output/a", None), "product/b": ("output/b", None)},
        ),
        (
            {"output/a": (2,), "output/b": (3,)},
            {"output/0": (2,), "output/1": (3,)},
            {"product/a": ("output/0", None), "product/b": ("output/1", None)},
        ),
        ({"output": (2, 3)}, {"output": (2, 5)}, {"product": ("output", None)}),
        (
            {"output": (2, 3)},
            {"output/loss": (), "output/logits": (2, 3)},
            {"product": ("output/logits", None)},
        ),
    ],
)
def test_outputs(
    mine: dict[str, tuple[int, ...]],
    theirs: dict[str, tuple[int, ...]],
    expected: dict[str, tuple[str, list[int] | None]],
):
    """By name, or in order where names differ, passing over what has another shape; turned where
    shapes ask for it, and for a square one as it is: the product is compared, and not explained
    away."""
    made = pair_of(trained("x", outputs=mine), trained("u", outputs=theirs))
    plans = made.plans()["b0"]["outputs"]
    assert expected == {name: (item["own"], item["axes"]) for name, item in plans.items()}


def test_start_values_show_what_is_turned():
    """Values that differ come in another order; those that are all alike are moved apart, since a
    constant hides every transpose and every order of gates."""
    generator = np.random.RandomState(0)
    own = np.arange(12.0).reshape(3, 4)
    drawn = start_values.alike("kernel", own, generator)
    assert sorted(own.ravel()) == sorted(drawn.ravel()) and not np.array_equal(own, drawn)
    for value in (0.0, 1.0, -2.0):
        apart = start_values.alike("gamma", np.full((4, 4), value), generator)
        assert 16 == len(np.unique(apart)) and not np.allclose(apart, apart.T)
        assert np.max(np.abs(apart - value)) <= start_values.APART * (abs(value) or 1.0)


@pytest.mark.parametrize("role", ["moving_variance", "norm/moving_variance"])
@pytest.mark.parametrize("value", [0.0, 1.0, 1e-3])
def test_variances_stay_positive(role: str, value: float):
    """A square root is taken of them."""
    assert np.all(start_values.alike(role, np.full(100, value), np.random.RandomState(0)) > 0)


def test_start_values_of_odd_shapes():
    """None, one, and a number alone."""
    generator = np.random.RandomState(0)
    assert (0,) == start_values.alike("kernel", np.zeros(0), generator).shape
    assert () == np.shape(start_values.alike("kernel", np.array(3.0), generator))
    own = np.arange(6.0).reshape(2, 3)
    start_values.alike("kernel", own, generator)
    assert np.array_equal(np.arange(6.0).reshape(2, 3), own)


def test_what_is_generated_has_rows():
    """A model that is handed labels gives its loss too, and maybe first."""
    port = ports()[0]
    rows = {name: np.ones((8, width)) for name, width in (("eval_x", INPUTS), ("x", INPUTS))}
    source = NativeSource(rows, 0, BATCH)
    expected = port.generate(source, 7)
    look = port.side.look
    port.side.look = lambda *options: dict(look(*options), loss=np.zeros(()))
    port.plan.outputs = {"product/loss": ("loss", None), **port.plan.outputs}
    assert np.array_equal(expected, port.generate(source, 7))
