"""Every port keeps the contract, in its own interpreter, on the real framework."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from backends.contract import OPTIONAL, Setting, Unsupported, abilities
from backends.ports import load, locate

#: What each build must report of itself: an environment that resolved to something else fails here, not in silence.
VERSIONS = {"tf1": ("tensorflow", "1.15."), "tf1-compat": ("tensorflow", "2."), "tf2.10": ("tensorflow", "2.10."),
            "tf2": ("tensorflow", "2."), "torch": ("torch", "2."), "numpy": ("numpy", "")}


def close(found, expected, tolerance, name=""):
    """Assert that two arrays agree within a share of the larger one's largest element."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, name
    assert np.abs(found - expected).max() <= tolerance * max(np.abs(expected).max(), 1e-300), name


def test_the_interpreter_holds_the_build_that_it_claims(build, backend):
    """An environment that resolved to another release is found at once."""
    name, prefix = VERSIONS[build]
    versions = importlib.import_module("backends.%s.core" % backend).framework_versions()
    assert versions[name].startswith(prefix), versions
    if build in ("tf2", "tf1-compat"):
        assert not versions[name].startswith("2.10.")


def test_parameters_come_back_as_they_were_loaded(kit):
    """Names, shapes, layouts and float64 values survive the way into the framework and back."""
    port = kit.port()
    found = port.parameters()
    assert sorted(kit.weights) == sorted(found)
    for name, value in kit.weights.items():
        assert found[name].dtype == np.float64
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_a_missing_parameter_and_a_wrong_shape_are_refused(kit):
    """A port never runs on weights that were not given to it."""
    port = kit.port()
    first = sorted(kit.weights)[0]
    with pytest.raises(KeyError, match=first):
        port.load_parameters({name: value for name, value in kit.weights.items() if name != first})
    with pytest.raises(ValueError, match=first):
        port.load_parameters(dict(kit.weights, **{first: np.zeros((1, 2, 3, 4, 5))}))


def test_lockstep_training_is_the_same_as_single_steps(kit):
    """`train` runs the schedule of phases that `train_step` runs one by one."""
    one, many = kit.port(), kit.port()
    source = kit.lockstep()
    single = [one.train_step("train", source.batch(step, "train")) for step in range(4)]
    terms = many.train(kit.lockstep(), 4)
    for name in single[0]:
        close([step[name] for step in single], terms[name], 1e-12)
    for name, value in one.parameters().items():
        close(value, many.parameters()[name], 1e-12, name)


def test_training_can_stop_and_go_on(kit):
    """A source remembers where the last call stopped."""
    whole, parts = kit.port(), kit.port()
    first = whole.train(kit.lockstep(), 5)
    source = kit.lockstep()
    second = [parts.train(source, steps)["total"] for steps in (2, 3)]
    close(first["total"], second[0] + second[1], 1e-12)


def test_loading_resets_the_optimizer(kit):
    """Two runs from the same weights give the same numbers, also in the same port."""
    port = kit.port()
    first = port.train(kit.lockstep(), 3)
    port.load_parameters(kit.weights)
    second = port.train(kit.lockstep(), 3)
    close(first["total"], second["total"], 1e-13)


def test_looking_at_a_port_leaves_it_alone(kit):
    """forward, losses and gradients move no weight, no running statistic and no optimizer slot."""
    port = kit.port()
    batch = kit.lockstep().batch(0, "train")
    port.train_step("train", batch)
    before, slots = port.parameters(), port.optimizer_state()
    port.forward(batch, True)
    port.forward(batch, False)
    port.losses("train", batch)
    port.gradients("train", batch)
    port.generate(kit.lockstep(), 3)
    for name, value in port.parameters().items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)
    for name, value in port.optimizer_state().items():
        np.testing.assert_array_equal(value, slots[name], err_msg=name)


def test_gradients_are_the_slopes_of_the_total_loss(kit):
    """Central differences of `losses` agree with `gradients` in every trainable parameter (three elements each)."""
    port = kit.port()
    batch = kit.lockstep().batch(0, "train")
    gradients = port.gradients("train", batch)
    trainable = [item["name"] for item in kit.config["parameters"] if item["trainable"]]
    assert sorted(trainable) == sorted(gradients)
    step, generator = 1e-6, np.random.RandomState(3)
    for name in trainable:
        scale = np.abs(gradients[name]).max()
        for place in generator.randint(0, kit.weights[name].size, size=3):
            totals = []
            for sign in (1.0, -1.0):
                moved = kit.weights[name].copy()
                moved.reshape(-1)[place] += sign * step
                port.load_parameters(dict(kit.weights, **{name: moved}))
                totals.append(port.losses("train", batch)["total"])
            slope = (totals[0] - totals[1]) / (2 * step)
            assert abs(slope - gradients[name].reshape(-1)[place]) <= 1e-5 * scale + 1e-8, (name, place)


def test_every_seen_activation_has_one_row_an_input(kit):
    """Activations are batch first, finite, and the same names in both modes."""
    port = kit.port()
    batch = kit.lockstep().batch(0, "train")
    training, inference = port.forward(batch, True), port.forward(batch, False)
    assert list(training) == list(inference)
    for name, value in training.items():
        assert value.shape[0] == kit.config["batch"], name
        assert np.isfinite(value).all(), name
    if kit.workload == "cnn":
        assert np.abs(training["dropout"] - inference["dropout"]).max() > 0
        np.testing.assert_array_equal(training["dropout"] == 0, (training["dense1"] * batch.noise["dropout"]) == 0)


def test_generate_gives_as_many_rows_as_asked_for(kit):
    """Rows come from the evaluation inputs in order, starting again at their end."""
    output = kit.port().generate(kit.lockstep(), 7)
    assert output.shape[0] == 7
    close(output[:2], output[5:], 1e-12)
    if kit.workload == "cnn":
        close(output.sum(axis=1), np.ones(7), 1e-12)


def test_native_training_learns(kit):
    """With the framework's own randomness the loss falls, and every value is finite."""
    port = kit.port("fp32")
    terms = port.train(kit.native(), 120)
    assert all(len(values) == 120 and np.isfinite(values).all() for values in terms.values())
    assert np.mean(terms["total"][-20:]) < np.mean(terms["total"][:20])


def test_native_batches_differ_by_seed_and_repeat_with_it(kit):
    """The seed decides the order of batches."""
    first = kit.port("fp32").train(kit.native(1), 3)["total"]
    other = kit.port("fp32").train(kit.native(2), 3)["total"]
    assert first != other


def test_slots_are_named_after_the_parameters(kit):
    """Every trainable parameter has its slots; the step count is there."""
    port = kit.port()
    port.train(kit.lockstep(), 2)
    state = port.optimizer_state()
    kind = kit.config["optimizer"]["kind"]
    slots = ("m", "v") if kind == "adam" else ()
    expected = {"%s/step" % kind}
    for item in kit.config["parameters"]:
        if item["trainable"]:
            expected |= {"%s/%s/%s" % (kind, item["name"], slot) for slot in slots}
    assert sorted(expected) == sorted(state)
    assert int(state["%s/step" % kind]) == 2


@pytest.mark.parametrize("precision", ["fp64", "fp32", "tf32", "bf16", "fp16"])
def test_a_precision_is_in_effect_or_refused_with_a_reason(kit, precision):
    """A port either runs a step in the precision, and says in which dtype, or raises Unsupported: no silent fallback."""
    try:
        port = kit.port(precision)
        port.train(kit.lockstep(), 1)
        port.generate(kit.lockstep(), 3)
        port.forward(kit.lockstep().batch(0, "train"), True)
    except Unsupported as reason:
        assert precision not in ("fp64", "fp32")
        assert len(str(reason)) > 10
        return
    rest = "float64" if precision == "fp64" else "float32"
    assert {str(value.dtype) for value in port.parameters().values()} == {rest}
    assert (port.observed_dtypes["loss"], port.observed_dtypes["output"]) == (rest, rest)
    low = {"bf16": "bfloat16", "fp16": "float16", "fp64": "float64"}.get(precision, "float32")
    if kit.workload == "cnn":
        assert low in set(port.observed_dtypes.values()), port.observed_dtypes


def test_an_execution_is_in_effect_or_refused_with_a_reason(kit, execution):
    """What trains and generates runs as asked, by the framework's own account, and computes what the default does."""
    default = kit.port()
    try:
        port = kit.port(execution=execution)
        terms, output = port.train(kit.lockstep(), 3), port.generate(kit.lockstep(), 5)
        batch = kit.lockstep().batch(3, "train")
        found = [port.forward(batch, True), port.gradients("train", batch)]
    except Unsupported as reason:
        assert execution == "compiled"
        assert len(str(reason)) > 10
        return
    assert port.effective()["execution"] == execution
    for name, values in default.train(kit.lockstep(), 3).items():
        close(terms[name], values, 1e-12, name)
    close(output, default.generate(kit.lockstep(), 5), 1e-12)
    for one, other in zip(found, [default.forward(batch, True), default.gradients("train", batch)]):
        for name, value in other.items():
            close(one[name], value, 1e-11, name)


def test_effective_settings_are_read_back(kit):
    """What a report needs to call a comparison fair is there."""
    port = kit.port("fp32")
    effective = port.effective()
    for name in ("execution", "threads", "inter_threads", "device", "tf32", "xla", "deterministic", "dtype_policy"):
        assert name in effective, name
    # NumPy's BLAS library has its own number of threads.
    assert effective["threads"] == port.setting.threads or kit.backend == "numpy"


def test_an_optimizer_that_does_not_exist_is_refused(kit):
    """A port builds exactly the optimizer asked for, or none."""
    with pytest.raises(Unsupported, match="adamax"):
        kit.port(config={"optimizer": dict(kit.config["optimizer"], kind="adamax")})


def test_abilities_are_the_methods_that_a_port_implements(kit):
    """The shipped ports have all methods that the ladder needs."""
    found = abilities(load(locate(kit.backend, kit.workload, [])))
    assert {"forward", "losses", "gradients", "train_step", "optimizer_state"} <= set(found) <= set(OPTIONAL)


@pytest.mark.workloads("cnn")
@pytest.mark.parametrize("powers", ["variable", "float32"])
def test_the_powers_of_beta_follow_the_specification(kit, powers):
    """Six float64 steps agree with the textbook in NumPy, with TF1's float32 chain and without."""
    spec = dict(kit.config["optimizer"], beta_power_dtype=powers)
    port = kit.port(config={"optimizer": spec})
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
            close(after[name] - before[name], expected - before[name], 1e-10, name)
        power1, power2 = power1 * kind(spec["beta1"]), power2 * kind(spec["beta2"])


@pytest.mark.backends("torch")
@pytest.mark.workloads("cnn")
@pytest.mark.parametrize("precision", ["fp64", "fp32"])
def test_the_powers_of_beta_have_the_dtype_of_the_weights(kit, precision):
    """TF1 keeps them in the dtype of the first variable; torch has no power slots, so they are the port's own."""
    port = kit.port(precision)
    port.train(kit.lockstep(), 3)
    stored = {value.dtype for value in port.parameters().values()}
    assert {power.dtype for group in port.optimizer.param_groups for power in group["powers"]} == stored


@pytest.mark.workloads("cnn")
def test_the_moving_variance_is_the_population_variance(kit):
    """No Bessel correction, and running statistics keep the stated share."""
    port = kit.port()
    batch = kit.lockstep().batch(0, "train")
    seen = port.forward(batch, True)["dropout"]
    port.train_step("train", batch)
    keep = kit.config["batch_norm"]["momentum"]
    expected = keep * kit.weights["batch_norm/moving_variance"] + (1 - keep) * seen.var(axis=0)
    close(port.parameters()["batch_norm/moving_variance"], expected, 1e-12)


def test_a_device_that_is_not_there_is_refused(kit):
    """It is said, not replaced by another; no machine has both a TPU and a GPU."""
    port_class = load(locate(kit.backend, kit.workload, []))
    with pytest.raises(Unsupported):
        port_class(kit.config, Setting(device="gpu" if kit.device == "tpu" else "tpu"))
