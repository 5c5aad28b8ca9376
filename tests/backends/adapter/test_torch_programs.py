"""What holds for every program that the adapter for `nn.Module`s is given: it is surveyed, looked
at and stepped without a trace, its draws come from the tape, its gradients are autograd's."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys

import numpy as np
import pytest

from backends.adapter.draws import Draws
from backends.adapter.side import FORWARD, GENERATE, Tap
from backends.contract import Setting

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]
NAMES = (
    *("perceptron", "images", "sequences", "encoder", "tied", "gan", "gan_phases"),
    *("autoencoder", "accumulation", "unserved"),
)


def programs():
    """Return the programs by name; their modules import PyTorch, and the second the first."""
    for name in ("torch_nets", "torch_generators"):
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
        spec = importlib.util.spec_from_file_location(name, path)
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module.CASES


@pytest.fixture(params=NAMES)
def case(request, kit):
    return programs()[request.param]()


@pytest.fixture
def side(case):
    adapter = importlib.import_module("backends.torch.adapter")
    return adapter.Side(case.side, Setting(precision="fp64", threads=1))


def state(side):
    """Return everything that the side shows of its state, flat."""
    flat = {("parameter", name): value for name, value in side.parameters().items()}
    for optimizer, held in side.slots().items():
        for name, words in held.items():
            flat.update({(optimizer, name, word): value for word, value in words.items()})
    flat.update({("count", name): np.array(count) for name, count in side.counts().items()})
    return flat


def equal(first, second):
    assert sorted(map(str, first)) == sorted(map(str, second))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], str(name))


def run(side, case, steps=3):
    """Run some steps of all phases; return what they showed."""
    shown = []
    for number in range(steps):
        for phase in side.steps:
            result = side.step(phase, case.arrays, Draws(phase, seed=number))
            shown.append((result.losses, result.gradients, result.updated))
    return shown


def same_runs(first, second):
    for (losses, gradients, updated), (losses2, gradients2, updated2) in zip(first, second):
        assert losses == losses2 and updated == updated2
        equal(gradients, gradients2)


def test_a_survey_leaves_no_trace_and_says_the_same_twice(side, case):
    before = state(side)
    assert side.survey(case.arrays) == side.survey(case.arrays)
    equal(before, state(side))


def test_two_runs_from_one_state_are_equal_bit_for_bit(side, case):
    start = side.parameters()
    first, end = run(side, case), state(side)
    assert any(not np.array_equal(start[name], side.parameters()[name]) for name in start)
    side.assign(start)
    side.reset()
    same_runs(first, run(side, case))
    equal(end, state(side))


def test_a_snapshot_is_put_back_in_the_midst_of_training(side, case):
    run(side, case, 1)
    kept, there = side.snapshot(), state(side)
    first, end = run(side, case), state(side)
    side.restore(kept)
    equal(there, state(side))
    same_runs(first, run(side, case))
    equal(end, state(side))


def test_a_look_shows_every_layer_and_leaves_no_trace(side, case):
    survey = side.survey(case.arrays)
    taps = [Tap(layer.name, layer.name) for layer in survey.layers if layer.calls and layer.outputs]
    before = state(side)
    for phase, training in ((FORWARD, True), (GENERATE, False)):
        shown = side.look(case.arrays, training, Draws(phase), taps)
        again = side.look(case.arrays, training, Draws(phase), taps)
        equal(shown, again)
        shapes = {layer.name: layer.outputs[0] for layer in survey.layers if layer.outputs}
        assert {tap.name for tap in taps} <= set(shown)
        assert all(shown[tap.name].shape == shapes[tap.name] for tap in taps)
        assert {name: shown[name].shape for name in survey.outputs} == survey.outputs
    equal(before, state(side))


def test_gradients_are_those_of_autograd_and_come_before_clipping(side, case):
    if case.loss is None:
        return
    import torch

    draws = importlib.import_module("backends.torch.adapter.draws")
    held = side.inventory.parameters()
    wanted = {name: value for name, value in held.items() if value.requires_grad}
    before = side.snapshot()
    with side.serving(draws.Tape(Draws("train"))):
        loss = case.loss(side.batch(case.arrays))
        gradients = torch.autograd.grad(loss, list(wanted.values()))
    side.restore(before)
    result = side.step("train", case.arrays, Draws("train"))
    assert result.losses["total"] == loss.item()
    equal(
        {name: value.detach().numpy() for name, value in zip(wanted, gradients)}, result.gradients
    )


def test_a_teacher_s_gradients_take_their_place(side, case):
    """The update is the same function of the gradients, whosever they are."""
    start = side.parameters()
    for phase in side.steps:
        first = side.step(phase, case.arrays, Draws(phase))
        end = state(side)
        side.assign(start)
        side.reset()
        second = side.step(phase, case.arrays, Draws(phase, seed=9), gradients=first.gradients)
        mine = {key for key in end if key[0] in first.updated}
        equal({key: end[key] for key in mine}, {key: state(side)[key] for key in mine})
        for name in first.gradients:
            np.testing.assert_array_equal(end["parameter", name], side.parameters()[name], name)
        assert second.updated == first.updated
        side.assign(start)
        side.reset()


def test_slots_are_set_as_they_are_read(side, case):
    """One word of one optimizer, and nothing else."""
    for phase in side.steps:
        side.step(phase, case.arrays, Draws(phase), watch=False)
    for optimizer, held in side.slots().items():
        words = {word for by_word in held.values() for word in by_word}
        for word in sorted(words):
            before = state(side)
            slots = side.slots()[optimizer]
            given = {name: 2.0 * own[word] + 1.0 for name, own in slots.items() if word in own}
            side.assign_slots(optimizer, word, given)
            wanted = {(optimizer, name, word): value for name, value in given.items()}
            equal({**before, **wanted}, state(side))


def test_every_draw_is_served_from_the_tape_or_named(side, case):
    """The tape's numbers decide what is computed, and nothing else does."""
    import torch

    for draw in side.survey(case.arrays).draws:
        if not draw.served:
            assert draw.kind == "other" and draw.reason
            continue
        noise = {"site": np.full(draw.shape, 0.5)}
        plan = [{}] * draw.index + [{"site": "site"}]
        draws = Draws(draw.phase, plan, noise)
        torch.manual_seed(draw.index)
        if draw.phase in (FORWARD, GENERATE):
            side.look(case.arrays, draw.phase == FORWARD, draws, ())
        else:
            kept = side.snapshot()
            side.step(draw.phase, case.arrays, draws, watch=False)
            side.restore(kept)
        assert draws.made[draw.index] == (draw.kind, draw.shape)


def test_a_teacher_s_values_are_gone_on_with(side, case):
    """Forced by its own values a side shows what it shows anyway; each layer says whose values it
    was computed from."""
    survey = side.survey(case.arrays)
    leaves = [
        layer
        for layer in survey.layers
        if layer.calls and layer.outputs and layer.kind != "container"
    ]
    taps = [Tap(layer.name, layer.name) for layer in leaves]
    own = side.look(case.arrays, True, Draws(FORWARD), taps)
    teacher = {tap.name: own[tap.name] for tap in taps if tap.name in own}
    forced = side.look_from(case.arrays, True, Draws(FORWARD), taps, teacher)
    for name, value in forced.values.items():
        np.testing.assert_array_equal(value, own[name], name)
    assert forced.rooted
    readers = [name for name, names in forced.read.items() if names]
    assert len(readers) + len(forced.rooted) >= len(taps) - 1


def test_a_timed_step_computes_the_same_kind_of_thing_with_nothing_hooked(side, case, monkeypatch):
    import torch

    steps = importlib.import_module("backends.torch.adapter.steps")
    for phase in side.steps:
        shown = side.step(phase, case.arrays, Draws(phase))

        def never(*_):
            raise AssertionError("a timed step is watched")

        with monkeypatch.context() as patched:
            patched.setattr(steps.Watch, "watching", never)
            patched.setattr(torch.nn.modules.module, "register_module_forward_hook", never)
            result = side.step(phase, case.arrays, None, watch=False)
        assert list(result.losses) == list(shown.losses)
        assert np.isfinite(list(result.losses.values())).all()


def test_a_native_step_is_a_function_of_its_seed(side, case):
    """What the framework draws itself; a program that draws nothing does the same at any seed."""
    before = side.snapshot()
    drawn = {draw.phase for draw in side.survey(case.arrays).draws}
    for phase in side.steps:
        losses = []
        for seed in (1, 1, 2):
            side.restore(before)
            side.seed(seed)
            losses.append(side.step(phase, case.arrays, None, watch=False).losses)
        assert losses[0] == losses[1]
        assert (losses[0] != losses[2]) == (phase in drawn)
    side.restore(before)


def test_float32_is_float32(case):
    adapter = importlib.import_module("backends.torch.adapter")
    side = adapter.Side(case.side, Setting(precision="fp32", threads=1))
    side.look(case.arrays, True, Draws(FORWARD), ())
    for phase in side.steps:
        side.step(phase, case.arrays, Draws(phase))
    assert {value.dtype.name for value in side.parameters().values()} == {"float32"}
    assert set(side.dtypes().values()) == {"float32"}
