"""Steps as people write them in other ways: closures, scalers, checkpointing, gradients by hand,
code that fails, and what is left behind when it does."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from linear_step import ROWS, errors, maker, plain

from backends.adapter.draws import Draws
from backends.adapter.side import FORWARD, GENERATE

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]


@pytest.fixture
def torch(kit):
    return importlib.import_module("torch")


@pytest.fixture
def make(torch):
    return maker(torch)


def hooks(torch):
    module = torch.nn.modules.module
    optimizer = importlib.import_module("torch.optim.optimizer")
    return (
        len(module._global_forward_hooks),
        len(module._global_forward_pre_hooks),
        len(optimizer._global_optimizer_pre_hooks),
        len(optimizer._global_optimizer_post_hooks),
        torch.autograd.backward,
        torch.autograd.grad,
        torch.amp.GradScaler.scale,
        torch.get_default_dtype(),
        torch.backends.mha.get_fastpath_enabled(),
        torch.get_rng_state().numpy().tobytes(),
    )


def test_an_error_of_the_user_s_comes_through_and_leaves_nothing_behind(torch, make):
    def program(net):
        optimizer = torch.optim.SGD(net.parameters(), 0.1)

        def step(batch):
            errors(torch, net, batch).backward()
            raise KeyError("of the user's")

        return optimizer, step

    side = make(program)
    before = hooks(torch)
    for draws in (None, Draws("train")):
        with pytest.raises(KeyError, match="of the user's"):
            side.step("train", ROWS, draws, watch=draws is not None)
        assert hooks(torch) == before
    side = make(plain(torch), forward=lambda batch: batch["nothing"])
    with pytest.raises(KeyError, match="nothing"):
        side.look(ROWS, True, Draws(FORWARD), ())
    with pytest.raises(KeyError, match="nothing"):
        side.look_from(ROWS, False, Draws(GENERATE), (), {})
    assert hooks(torch) == before


def test_a_survey_leaves_nothing_behind(torch, make):
    side = make(plain(torch))
    before = hooks(torch)
    side.survey(ROWS)
    assert hooks(torch) == before


def test_what_is_differentiated_is_the_total_whatever_is_returned(torch, make):
    side = make(plain(torch, scale=3.0))
    result = side.step("train", ROWS, Draws("train"))
    side.reset()
    other = make(plain(torch))
    other.assign({name: value.copy() for name, value in side.parameters().items()})
    assert result.losses["total"] != pytest.approx(
        other.step("train", ROWS, None, watch=True).losses["total"]
    )


def test_gradients_by_hand_are_taken_and_replaced(torch, make):
    def program(net):
        optimizer = torch.optim.SGD(net.parameters(), 1.0)

        def step(batch):
            value = errors(torch, net, batch)
            members = list(net.parameters())
            for each, gradient in zip(members, torch.autograd.grad(value, members)):
                each.grad = gradient * 0.5
            optimizer.step()
            return value

        return optimizer, step

    side = make(program)
    start = side.parameters()
    result = side.step("train", ROWS, Draws("train"))
    end = side.parameters()
    for name, gradient in result.gradients.items():
        np.testing.assert_allclose(start[name] - end[name], 0.5 * gradient, rtol=1e-12)
    side.assign(start)
    side.reset()
    ones = {name: np.ones_like(value) for name, value in start.items()}
    side.step("train", ROWS, Draws("train"), gradients=ones)
    for name, value in side.parameters().items():
        np.testing.assert_allclose(start[name] - value, 0.5, rtol=1e-12)


def test_a_loss_scale_is_taken_out_of_totals_and_gradients(torch, make):
    def scaled(net):
        optimizer = torch.optim.SGD(net.parameters(), 0.1)
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=1)

        def step(batch):
            optimizer.zero_grad()
            value = errors(torch, net, batch)
            scaler.scale(value).backward()
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(net.parameters(), 0.01)
            scaler.step(optimizer)
            scaler.update()
            return value

        return optimizer, step

    first, second = make(scaled, precision="fp32"), make(plain(torch), precision="fp32")
    second.assign(first.parameters())
    for number in range(3):
        result = first.step("train", ROWS, Draws("train", seed=number))
        assert result.losses["total"] == pytest.approx(float(_loss(torch, first)), abs=1e-2)
    first.assign(second.parameters())
    first.reset()
    own = first.step("train", ROWS, Draws("train"))
    other = second.step("train", ROWS, Draws("train"))
    assert own.losses["total"] == pytest.approx(other.losses["total"], rel=1e-6)
    for name, value in other.gradients.items():
        np.testing.assert_allclose(own.gradients[name], value, rtol=1e-4, atol=1e-6)
    assert make(scaled, precision="fp16").step("train", ROWS, Draws("train")).updated == [""]


def _loss(torch, side):
    batch = side.batch(ROWS)
    with torch.no_grad():
        return errors(torch, next(iter(side.declared.models.values())), batch)


def test_a_layer_that_is_computed_again_gets_the_same_draws(torch, make):
    """Activation checkpointing: the backward pass runs the forward pass once more."""

    def network(again):
        class Net(torch.nn.Module):
            """A dropout, computed once or twice."""

            def __init__(self):
                super().__init__()
                self.inner = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.5))
                self.out = torch.nn.Linear(8, 2)

            def forward(self, x):
                if again:
                    run = torch.utils.checkpoint.checkpoint
                    return self.out(run(self.inner, x, use_reentrant=False))
                return self.out(self.inner(x))

        return Net

    sides = [make(plain(torch), network(again)) for again in (False, True)]
    results = [side.step("train", ROWS, Draws("train")) for side in sides]
    for name, value in results[0].gradients.items():
        np.testing.assert_array_equal(value, results[1].gradients[name])
    surveys = [side.survey(ROWS) for side in sides]
    assert surveys[0].draws == surveys[1].draws and surveys[0].layers == surveys[1].layers


def test_a_frozen_norm_stays_frozen_and_a_model_in_inference_mode_too(torch, make):
    """What `from_pretrained` hands over is in inference mode: a step that does not change that
    trains without dropout and with the statistics that there are, and is looked at as it is. The
    forward pass is looked at in both modes, and leaves the model in its own."""

    def frozen():
        net = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.BatchNorm1d(2))
        net[1].eval()
        return net

    def resting():
        return torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.BatchNorm1d(2)).eval()

    for net, whole in ((frozen, False), (resting, True)):
        side = make(plain(torch), net)
        start = side.parameters()["1.running_mean"]
        side.step("train", ROWS, Draws("train"))
        assert np.array_equal(start, side.parameters()["1.running_mean"])
        assert bool(side.survey(ROWS).remarks) == whole
        shown = [side.look(ROWS, training, None, ())["output"] for training in (True, False)]
        assert np.array_equal(*shown) != whole


def test_many_updates_in_a_step_give_the_gradients_of_the_first(torch, make):
    def program(net):
        optimizer = torch.optim.LBFGS(net.parameters(), lr=0.1, max_iter=4)

        def step(batch):
            def closure():
                optimizer.zero_grad()
                value = errors(torch, net, batch)
                value.backward()
                return value

            return optimizer.step(closure)

        return optimizer, step

    side, other = make(program), make(plain(torch))
    other.assign(side.parameters())
    own, wanted = (each.step("train", ROWS, Draws("train")) for each in (side, other))
    assert own.losses == wanted.losses
    for name, value in wanted.gradients.items():
        np.testing.assert_array_equal(own.gradients[name], value)


def gathering(torch, steps, other=False):
    """A program that gathers gradients over so many steps; `other`: beside an optimizer that does
    not."""

    def program(net):
        optimizer = {"late": torch.optim.SGD([net.weight], 0.1)}
        optimizer.update({"now": torch.optim.SGD([net.bias], 0.1)} if other else {})
        done = [0]

        def step(batch):
            value = errors(torch, net, batch)
            (value / steps).backward()
            done[0] += 1
            if other:
                optimizer["now"].step()
                net.bias.grad = None
            if done[0] % steps == 0:
                optimizer["late"].step()
                net.weight.grad = None
            return value

        return optimizer, step

    return program


def test_an_update_is_waited_for(torch, make):
    """Also beside an optimizer that updates at once, and to the last step that is looked at."""
    for steps, other in ((16, False), (16, True), (44, False)):
        found = make(gathering(torch, steps, other)).survey(ROWS)
        late = next(item for item in found.optimizers if item.name == "late")
        assert late.steps == steps
        assert not any("no update" in remark for remark in found.remarks)


def test_an_update_that_is_not_seen_is_said(torch, make):
    found = make(gathering(torch, 45)).survey(ROWS)
    assert found.phases[0].optimizers == ()
    said = "no update by the optimizer late was seen within the steps that were looked at (44 of"
    assert any(said in remark for remark in found.remarks)
