"""Optimizers are exactly those of the specification, down to the dtype of the powers of beta; their state can be carried over."""

from __future__ import annotations

import numpy as np
import pytest


def test_optimizer_state_can_be_carried_over(kit):
    """A port that is given the weights and the optimizers' state of another goes on as the other does, bit by bit."""
    one, other = kit.port(), kit.port()
    one.train(kit.lockstep(), 5)
    other.load_parameters(one.parameters())
    other.load_optimizer_state(one.optimizer_state())
    for port in (one, other):
        source = kit.lockstep()
        source.cursor = 5
        port.train(source, 1)
    for found, expected in ((other.parameters(), one.parameters()), (other.optimizer_state(), one.optimizer_state())):
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
        rate = spec["learning_rate"] * np.sqrt(1.0 - np.float64(power2)) / (1.0 - np.float64(power1))
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
    """TF1 keeps them in the dtype of the first variable; torch has no power slots, so they are the port's own."""
    port = kit.port(precision)
    port.train(kit.lockstep(), 3)
    stored = {value.dtype for value in port.parameters().values()}
    groups = [group for optimizer in port.optimizers.values() for group in optimizer.param_groups]
    assert {power.dtype for group in groups for power in group["powers"]} == stored
