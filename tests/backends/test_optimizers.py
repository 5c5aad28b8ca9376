"""Optimizers are exactly those of the specification, down to the dtype of the powers of beta;
their state can be carried over."""

from __future__ import annotations

import numpy as np
import pytest


def test_optimizer_state_can_be_carried_over(kit):
    """A port that is given the weights and the optimizers' state of another goes on as the other
    does, bit by bit."""
    one, other = kit.port(), kit.port()
    one.train(kit.lockstep(), 5)
    other.load_parameters(one.parameters())
    other.load_optimizer_state(one.optimizer_state())
    for port in (one, other):
        source = kit.lockstep()
        source.cursor = 5
        port.train(source, 1)
    for found, expected in (
        (other.parameters(), one.parameters()),
        (other.optimizer_state(), one.optimizer_state()),
    ):
        assert sorted(found) == sorted(expected)
        for name, value in expected.items():
            np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_optimizer_state_of_another_model_is_refused(kit):
    """A missing name and a wrong shape are named."""
    port = kit.port()
    state = port.optimizer_state()
    name = sorted(state)[0]
    with pytest.raises(KeyError, match=name.split("/")[-1]):
        port.load_optimizer_state({key: value for key, value in state.items() if key != name})
    slots = [key for key in state if key.endswith("/m")]
    if slots:
        with pytest.raises(ValueError, match=slots[0].split("/")[-2]):
            port.load_optimizer_state(dict(state, **{slots[0]: np.zeros((1, 2, 3, 4, 5))}))


@pytest.mark.workloads("cnn")
@pytest.mark.parametrize("powers", ["variable", "float32"])
def test_the_powers_of_beta_follow_the_specification(kit, powers):
    """Six float64 steps agree with the textbook in NumPy, with TF1's float32 chain and without."""
    spec = dict(kit.config["optimizers"]["adam"], beta_power_dtype=powers)
    port = kit.port(config={"optimizers": {"adam": spec}})
    source = kit.lockstep()
    m, v = {}, {}
    kind = np.float32 if powers == "float32" else np.float64
    power1, power2 = kind(spec["beta1"]), kind(spec["beta2"])
    for step in range(6):
        before = port.parameters()
        gradients = port.gradients("train", source.batch(step, "train"))
        port.train_step("train", source.batch(step, "train"))
        after = port.parameters()
        rate = (
            spec["learning_rate"] * np.sqrt(1.0 - np.float64(power2)) / (1.0 - np.float64(power1))
        )
        for name, gradient in gradients.items():
            m[name] = m.get(name, 0.0) * spec["beta1"] + (1.0 - spec["beta1"]) * gradient
            v[name] = v.get(name, 0.0) * spec["beta2"] + (1.0 - spec["beta2"]) * gradient**2
            expected = before[name] - rate * m[name] / (np.sqrt(v[name]) + spec["epsilon"])
            kit.close(after[name] - before[name], expected - before[name], 1e-10, name)
        power1, power2 = power1 * kind(spec["beta1"]), power2 * kind(spec["beta2"])


@pytest.mark.backends("torch")
@pytest.mark.workloads("cnn")
@pytest.mark.parametrize("precision", ["fp64", "fp32"])
def test_the_powers_of_beta_have_the_dtype_of_the_weights(kit, precision):
    """TF1 keeps them in the dtype of the first variable; torch has no power slots, so they are
    the port's own."""
    port = kit.port(precision)
    port.train(kit.lockstep(), 3)
    stored = {value.dtype for value in port.parameters().values()}
    groups = [group for optimizer in port.optimizers.values() for group in optimizer.param_groups]
    assert {power.dtype for group in groups for power in group["powers"]} == stored


@pytest.mark.workloads("cnn")
@pytest.mark.parametrize("place", ["hat", "corrected"])
def test_weights_decay_before_the_step_of_adam(kit, place):
    """Three float64 steps agree with the textbook in NumPy; the moments know nothing of the
    decay."""
    spec = dict(
        kit.config["optimizers"]["adam"], kind="adamw", weight_decay=0.5, epsilon_place=place
    )
    port, source, m, v = kit.port(config={"optimizers": {"adam": spec}}), kit.lockstep(), {}, {}
    for step in range(3):
        before = port.parameters()
        gradients = port.gradients("train", source.batch(step, "train"))
        port.train_step("train", source.batch(step, "train"))
        after = port.parameters()
        fix1, fix2 = 1.0 - spec["beta1"] ** (step + 1), 1.0 - spec["beta2"] ** (step + 1)
        epsilon = spec["epsilon"] * (np.sqrt(fix2) if place == "corrected" else 1.0)
        for name, gradient in gradients.items():
            m[name] = m.get(name, 0.0) * spec["beta1"] + (1.0 - spec["beta1"]) * gradient
            v[name] = v.get(name, 0.0) * spec["beta2"] + (1.0 - spec["beta2"]) * gradient**2
            expected = before[name] * (1.0 - spec["learning_rate"] * 0.5)
            expected = expected - spec["learning_rate"] * np.sqrt(fix2) / fix1 * m[name] / (
                np.sqrt(v[name]) + epsilon
            )
            kit.close(after[name] - before[name], expected - before[name], 1e-10, name)
            np.testing.assert_allclose(
                port.optimizer_state()["adam/%s/m" % name], m[name], 1e-10, 1e-16
            )


@pytest.mark.workloads("cnn")
def test_an_update_that_is_skipped_decays_nothing(kit):
    """fp16 on a loss that overflows: the weights stay as they are."""
    spec = dict(kit.config["optimizers"]["adam"], kind="adamw", weight_decay=0.5)
    port = kit.port("fp16", config={"optimizers": {"adam": spec}})
    state = port.optimizer_state()
    port.load_optimizer_state(
        dict(state, **{"adam/loss_scale": np.full_like(state["adam/loss_scale"], 2.0**60)})
    )
    before = port.parameters()
    port.train_step("train", kit.lockstep().batch(0, "train"))
    assert 1 == port.optimizer_state()["adam/skipped"]
    for name in before:
        if not name.startswith("batch_norm/moving"):
            np.testing.assert_array_equal(port.parameters()[name], before[name], err_msg=name)
