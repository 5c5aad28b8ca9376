"""Keras models of many kinds as sides of a pair: what is found out about them is right, runs are
exact and leave no trace, randomness is the tape's, and a planted fault is seen."""

from __future__ import annotations

import importlib.util
import os
import sys

import numpy as np
import pytest

from backends.adapter import pieces
from backends.adapter.draws import Draws
from backends.adapter.side import Tap
from backends.contract import Setting, Unsupported

pytestmark = [pytest.mark.backends("tf2"), pytest.mark.workloads("linear")]
NAMES = ("bilstm", "nested", "attention", "gru", "shared", "gan", "noise")
THREADS = 2


@pytest.fixture
def models(keras):
    name = "keras_models"
    if name not in sys.modules:
        here = os.path.dirname(os.path.abspath(__file__))
        spec = importlib.util.spec_from_file_location(name, os.path.join(here, name + ".py"))
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture
def make(models):
    """A function that returns a side and its batch."""

    def side(name, precision="fp64", fault=False, **options):
        from backends.tf2.adapter import Side

        function, batch, _ = models.MODELS[name]
        setting = Setting(precision=precision, threads=THREADS, **options)
        return Side(lambda: function(fault=fault), setting), batch

    return side


def step(side, batch, seed=0, **options):
    """Run each phase once; return the result of the last."""
    for phase in side.phases():
        result = side.step(phase, batch, Draws(phase, seed=seed), **options)
    return result


def differences():
    """Return how far to go for a difference, and how exact it is: Keras before 2.6 reduces losses
    in float32 whatever they are in."""
    import tensorflow as tf

    old = int(tf.__version__.split(".")[1]) < 6
    return (1e-4, 1e-2) if old else (1e-6, 1e-4)


def taps(survey):
    return [
        Tap(f"{layer.name}#{call}", layer.name, call)
        for layer in survey.layers
        for call in range(layer.calls)
    ]


def same(left, right):
    assert list(left) == list(right)
    for name in left:
        if isinstance(left[name], dict):
            same(left[name], right[name])
        else:
            np.testing.assert_array_equal(left[name], right[name], name)


@pytest.mark.parametrize("name", NAMES)
def test_the_survey(make, models, name):
    """Layers in order, every draw with what it is for, pieces that the parameters can be cut into
    and put together from."""
    side, batch = make(name)
    survey = side.survey(batch)
    assert models.KINDS[name] == [layer.kind for layer in survey.layers]
    made = [draw for draw in survey.draws if draw.phase == survey.phases[0].name]
    shown = [(draw.layer.split("/")[-1].split("_")[0], draw.kind, draw.keep) for draw in made]
    expected = models.DRAWS[name]
    assert [item[1:] for item in expected] == [item[1:] for item in shown]
    assert all(
        want[0] in draw.layer or "dropout" in draw.layer for want, draw in zip(expected, made)
    )
    assert all(draw.served for draw in survey.draws)
    assert not [draw for draw in survey.draws if draw.phase == "generate"]
    own = side.parameters()
    rebuilt = {key: np.zeros_like(value) for key, value in own.items()}
    values = {piece.name: pieces.canonical(piece, own) for piece in survey.pieces}
    assert {piece.name: piece.shape for piece in survey.pieces} == {
        key: value.shape for key, value in values.items()
    }
    same(own, pieces.own_values(survey.pieces, values, rebuilt))
    trained = {piece.name for piece in survey.pieces if piece.trainable}
    assert trained == set(survey.phases[0].gradients)
    assert trained == {key for rule in survey.optimizers for key in rule.pieces}
    assert survey.plain()["framework"].startswith("keras ") and survey.outputs


@pytest.mark.parametrize("name", NAMES)
def test_a_native_step_is_a_function_of_its_seed(make, models, name):
    """What Keras draws itself; a model that draws nothing does the same at any seed. Each seed has
    objects of its own: a function that the user's code has traced keeps its draws."""
    losses = []
    for seed in (1, 1, 2):
        side, batch = make(name)
        side.prepare(batch)
        side.seed(seed)
        phases = sorted(side.declared.steps) or ["train"]
        losses.append([side.step(phase, batch, None, watch=False).losses for phase in phases])
    assert losses[0] == losses[1]
    assert not models.DRAWS[name] or losses[0] != losses[2]


@pytest.mark.parametrize("name", NAMES)
def test_runs_are_exact_and_leave_no_trace(make, models, name):
    """The same state twice gives the same bits; a look moves nothing; `reset` undoes all."""
    side, batch = make(name)
    survey = side.survey(batch)
    begun, start = side.parameters(), side.slots()
    look = side.look(batch, True, Draws("forward"), taps(survey))
    same(begun, side.parameters())
    first = [step(side, batch), step(side, batch)]
    moved, slots = side.parameters(), side.slots()
    assert all(count == 2 for count in side.counts().values())
    trained = [piece.sources[0] for piece in survey.pieces if piece.trainable]
    assert all(np.any(moved[key] != begun[key]) for key in trained)
    side.assign(begun)
    side.reset()
    same(start, side.slots())
    assert all(count == 0 for count in side.counts().values())
    same(look, side.look(batch, True, Draws("forward"), taps(survey)))
    for expected in first:
        result = step(side, batch)
        assert expected.losses == result.losses
        same(expected.gradients, result.gradients)
    same(moved, side.parameters())
    same(slots, side.slots())
    other = step(side, batch, seed=1)
    side.assign(begun)
    side.reset()
    step(side, batch), step(side, batch)
    assert bool(models.DRAWS[name]) == (other.losses != step(side, batch).losses)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_what_is_differentiated(make, name):
    """Along a random direction the loss changes as they say, and they are taken before clipping or
    scaling by the user; a teacher's are put in at the same place."""
    side, batch = make(name)
    side.survey(batch)
    begun = side.parameters()
    before = side.snapshot()
    result = step(side, batch)
    side.restore(before)
    assert list(result.losses)[-1] == "total" and result.updated == list(side.optimizers)
    generator = np.random.RandomState(2)
    direction = {key: generator.normal(size=held.shape) for key, held in result.gradients.items()}
    wanted = {"g_loss": "generator", "c_loss": "critic"} if name == "gan" else {"total": ""}
    width, error = differences()
    for loss, model in wanted.items():
        values = []
        for sign in (width, -width):
            changed = {
                key: begun[key] + sign * direction[key] if key.startswith(model) else begun[key]
                for key in direction
            }
            side.assign({**begun, **changed})
            values.append(step(side, batch).losses[loss])
            side.restore(before)
        slope = sum(
            np.sum(result.gradients[key] * direction[key])
            for key in direction
            if key.startswith(model)
        )
        assert (values[0] - values[1]) / (2 * width) == pytest.approx(slope, rel=error, abs=1e-8)
    nothing = {key: np.zeros_like(held) for key, held in result.gradients.items()}
    step(side, batch, gradients=nothing)
    after = side.parameters()
    assert all(np.all(after[key] == begun[key]) for key in nothing)
    side.restore(before)
    step(side, batch)
    expected = side.parameters()
    side.restore(before)
    step(side, batch, gradients=result.gradients)
    for key, value in side.parameters().items():
        np.testing.assert_allclose(value, expected[key], 1e-12, 1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_a_planted_fault_is_seen(make, models, name):
    """In the first layer that differs, or in the optimizer alone."""
    side, batch = make(name)
    faulty, _ = make(name, fault=True)
    survey, other = side.survey(batch), faulty.survey(batch)
    where = models.MODELS[name][2]
    if name == "gan":
        changed = [a.name for a, b in zip(survey.optimizers, other.optimizers) if a != b]
        assert changed == [where]
        return
    changed = [
        a.name
        for a, b in zip(survey.layers, other.layers)
        if a.attributes != b.attributes or a.initializers != b.initializers
    ]
    if name != "noise":
        assert changed and all(
            where in layer or "re_lu" in layer or "leaky" in layer for layer in changed
        )
    else:
        assert [draw.high for draw in other.draws if draw.kind == "uniform"] == [2.0, 2.0]
    if name == "gru":
        return  # its bias has another shape
    names = dict(zip([p.sources[0] for p in other.pieces], [p.sources[0] for p in survey.pieces]))
    values = side.parameters()
    faulty.assign({key: values[names[key]] for key in faulty.parameters()})
    # Zero biases would hide what a norm's epsilon or a slope does to nothing; they do not here.
    looks = [
        list(held.look(batch, True, Draws("forward"), taps(found)).values())
        for held, found in ((side, survey), (faulty, other))
    ]
    differing = [index for index, (a, b) in enumerate(zip(*looks)) if np.any(a != b)]
    listed = [layer.name for layer in survey.layers for _ in range(layer.calls)]
    assert listed[differing[0]] in (changed or [where])


@pytest.mark.parametrize("name", ["bilstm", "attention", "shared"])
def test_each_layer_is_taught(make, name):
    """With a teacher's values before it, each layer is what it would be alone, and says so."""
    side, batch = make(name)
    survey = side.survey(batch)
    wanted = taps(survey)
    look = side.look(batch, True, Draws("forward"), wanted)
    teacher = {key: value for key, value in look.items() if "#" in key}
    forced = side.look_from(batch, True, Draws("forward"), wanted, teacher)
    assert list(look) == list(forced.values)
    for key, value in look.items():
        np.testing.assert_allclose(forced.values[key], value, 1e-9, 1e-9)
    order = [tap.name for tap in wanted]
    assert order[0] in forced.rooted
    assert all(forced.read[key] for key in order[1:])
    # A teacher that is twice as large at the first layer is seen in the second alone.
    doubled = dict(teacher, **{order[0]: 2.0 * teacher[order[0]]})
    changed = side.look_from(batch, True, Draws("forward"), wanted, doubled)
    assert [key for key in order if np.abs(changed.values[key] - look[key]).max() > 1e-6] == [
        key for key in order if order[0] in forced.read[key]
    ]


def test_a_timed_run_is_the_users_own(make):
    """In a graph, with nothing hooked, and with a loss that says the same."""
    import tensorflow as tf

    side, batch = make("shared")
    side.survey(batch)
    assert not tf.config.functions_run_eagerly()
    before = side.snapshot()
    watched = side.step("train", batch, Draws("train")).losses["total"]
    side.restore(before)
    assert side.step("train", batch, None).losses["total"] == pytest.approx(watched, rel=1e-6)
    product = side.look(batch, False, None, ())
    np.testing.assert_allclose(
        product["output"], side.look(batch, False, Draws("generate"), ())["output"], 1e-9, 1e-12
    )


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_other_precisions(make, precision):
    """Keras' own switches; the loss in float16 is shown as it is before it is scaled."""
    try:
        side, batch = make("shared", precision)
        survey = side.survey(batch)
        exact, _ = make("shared", "fp64")
        exact.survey(batch)
        side.assign(exact.parameters())
        side.reset()
        loss = step(side, batch)
    except Unsupported:
        assert precision != "fp32"
        return
    expected = step(exact, batch)
    tolerance = 1e-5 if precision == "fp32" else 0.05
    assert loss.losses["total"] == pytest.approx(expected.losses["total"], rel=tolerance)
    for key, value in expected.gradients.items():
        np.testing.assert_allclose(loss.gradients[key], value, 0, tolerance * np.abs(value).max())
    look = side.look(batch, True, Draws("forward"), taps(survey))
    low = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}[precision]
    assert side.dtypes()["twice#0"] == low and look["twice#0"].dtype == np.float32
