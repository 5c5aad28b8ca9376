"""Every port keeps the contract, in its own interpreter, on the real framework."""

from __future__ import annotations

import importlib
import json

import numpy as np
import pytest

from backends.contract import OPTIONAL, ShapeMismatch, Stage, Status, abilities
from backends.schedule import phases_at
from backends.worker import encode

#: What each build must report of itself: an environment that resolved to something else fails here,
#: not in silence.
VERSIONS = {
    "tf1": ("tensorflow", "1.15."),
    "tf1-compat": ("tensorflow", "2."),
    "tf2.10": ("tensorflow", "2.10."),
    "tf2": ("tensorflow", "2."),
    "torch": ("torch", "2."),
    "numpy": ("numpy", ""),
}


def test_the_interpreter_holds_the_build_that_it_claims(build, backend):
    """An environment that resolved to another release is found at once."""
    name, prefix = VERSIONS[build]
    versions = importlib.import_module("backends.%s.core" % backend).framework_versions()
    assert versions[name].startswith(prefix), versions
    if build in ("tf2", "tf1-compat"):
        assert not versions[name].startswith("2.10.")


@pytest.mark.parametrize("word", [*Stage, *Status], ids=lambda word: word.name)
def test_a_word_is_a_string_in_every_respect(word):
    """In Python 3.7 too: printed, formatted, joined, as a key and as a value of JSON."""
    value = word.value
    assert value == word and hash(value) == hash(word) and repr(value) == repr(word)
    assert [value] * 4 == [str(word), "%s" % word, "{}".format(word), "".join([word])]
    assert {value: value} == json.loads(json.dumps(encode({word: word})))
    assert type(str(word)) is str


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
    before = port.parameters()
    last = sorted(kit.weights)[-1]
    with pytest.raises(ShapeMismatch, match=last) as caught:
        port.load_parameters(
            dict(
                {name: value + 1.0 for name, value in kit.weights.items()},
                **{last: np.zeros((1, 2, 3, 4, 5))},
            )
        )
    assert (last, kit.weights[last].shape, (1, 2, 3, 4, 5)) == (
        caught.value.name,
        caught.value.own_shape,
        caught.value.given_shape,
    )
    for name, value in port.parameters().items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)
    assert {name: value.shape for name, value in kit.weights.items()} == port.parameter_shapes()


def test_lockstep_training_is_the_same_as_single_steps(kit):
    """`train` runs the schedule of phases that `train_step` runs one by one."""
    one, many = kit.port(), kit.port()
    source = kit.lockstep()
    terms = many.train(kit.lockstep(), 5)
    seen = dict.fromkeys(terms, 0)
    for step in range(5):
        for phase in phases_at(kit.config, step):
            for term, value in one.train_step(phase, source.batch(step, phase)).items():
                name = kit.column(phase, term)
                kit.close(value, terms[name][step], 1e-12, name)
                seen[name] += 1
    for name, values in terms.items():
        assert len(values) == 5, name
        assert sum(value is not None for value in values) == seen[name], name
    for name, value in one.parameters().items():
        kit.close(value, many.parameters()[name], 1e-12, name)


def test_training_can_stop_and_go_on(kit):
    """A source remembers where the last call stopped."""
    whole, parts = kit.port(), kit.port()
    first = whole.train(kit.lockstep(), 5)
    source = kit.lockstep()
    second = [parts.train(source, steps) for steps in (2, 3)]
    name = kit.column(kit.config["phases"][0], "total")
    joined = [value for part in second for value in part.get(name, [])]
    kit.close(
        [value for value in first[name] if value is not None],
        [value for value in joined if value is not None],
        1e-12,
    )
    assert source.cursor == 5
    for name, value in whole.parameters().items():
        np.testing.assert_array_equal(value, parts.parameters()[name], err_msg=name)


def test_loading_resets_the_optimizer(kit):
    """Two runs from the same weights give the same numbers, also in the same port."""
    port = kit.port()
    first = port.train(kit.lockstep(), 3)
    port.load_parameters(kit.weights)
    second = port.train(kit.lockstep(), 3)
    for name, values in first.items():
        kit.close(values, second[name], 1e-13, name)


def test_looking_at_a_port_leaves_it_alone(kit):
    """forward, losses and gradients move no weight, no running statistic and no optimizer slot."""
    port = kit.port()
    source = kit.lockstep()
    for phase in kit.kinds():
        port.train_step(phase, source.batch(0, phase))
    before, slots = port.parameters(), port.optimizer_state()
    kit.look(port)
    for phase in kit.kinds():
        port.losses(phase, source.batch(1, phase))
        port.gradients(phase, source.batch(1, phase))
    port.generate(kit.lockstep(), kit.config["batch"])
    for name, value in port.parameters().items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)
    for name, value in port.optimizer_state().items():
        np.testing.assert_array_equal(value, slots[name], err_msg=name)


def test_gradients_are_the_slopes_of_the_total_loss(kit):
    """Central differences of `losses` agree with `gradients` in the parameters that each kind of
    phase updates."""
    port = kit.port()
    step, generator = 1e-6, np.random.RandomState(3)
    for phase in kit.kinds():
        batch = kit.lockstep().batch(0, phase)
        gradients = port.gradients(phase, batch)
        updated = next(
            update["parameters"] for update in kit.config["updates"] if update["phase"] == phase
        )
        assert sorted(updated) == sorted(gradients)
        probed = (
            updated
            if len(updated) <= 12
            else list(generator.choice(updated, size=6, replace=False))
        )
        for name in probed:
            scale = np.abs(gradients[name]).max()
            for place in generator.randint(0, kit.weights[name].size, size=3):
                totals = []
                for sign in (1.0, -1.0):
                    moved = kit.weights[name].copy()
                    moved.reshape(-1)[place] += sign * step
                    port.load_parameters(dict(kit.weights, **{name: moved}))
                    totals.append(port.losses(phase, batch)["total"])
                slope = (totals[0] - totals[1]) / (2 * step)
                assert abs(slope - gradients[name].reshape(-1)[place]) <= 1e-5 * scale + 1e-8, (
                    phase,
                    name,
                    place,
                )
        port.load_parameters(kit.weights)


def test_every_seen_activation_has_one_row_an_input(kit):
    """Activations are batch first, finite, and the same names in all modes."""
    found = kit.look(kit.port())
    assert len({tuple(sorted(activations)) for activations in found.values()}) == 1
    for activations in found.values():
        for name, value in activations.items():
            assert value.shape[0] == kit.config["batch"], name
            assert np.isfinite(value).all(), name


@pytest.mark.workloads("cnn")
def test_the_given_mask_is_what_drops(kit):
    """Training drops what the tape says; inference drops nothing."""
    found = kit.look(kit.port())
    training, inference = found["training"], found["inference"]
    assert np.abs(training["dropout"] - inference["dropout"]).max() > 0
    mask = kit.lockstep().batch(0, "train").noise["dropout"]
    np.testing.assert_array_equal(training["dropout"] == 0, (training["dense1"] * mask) == 0)


@pytest.mark.workloads("linear", "cnn")
def test_generate_gives_as_many_rows_as_asked_for(kit):
    """Rows come from the evaluation inputs in order, starting again at their end."""
    output = kit.port().generate(kit.lockstep(), 7)
    assert output.shape[0] == 7
    kit.close(output[:2], output[5:], 1e-12)
    if kit.workload == "cnn":
        kit.close(output.sum(axis=1), np.ones(7), 1e-12)


@pytest.mark.workloads("linear", "cnn")
def test_native_training_learns(kit):
    """With the framework's own randomness the loss falls, and every value is finite."""
    port = kit.port("fp32")
    terms = port.train(kit.native(), 120)
    assert all(len(values) == 120 and np.isfinite(values).all() for values in terms.values())
    assert np.mean(terms["total"][-20:]) < np.mean(terms["total"][:20])


def test_native_batches_differ_by_seed_and_repeat_with_it(kit):
    """The seed decides the order of batches."""
    port, runs = kit.port("fp32"), []
    for seed in (1, 2, 1):
        port.load_parameters(kit.weights)
        source = kit.native(seed)
        runs.append(next(iter(port.train(source, 3).values())))
        assert source.cursor == 3
    assert runs[0] != runs[1]
    if kit.draws_statelessly():
        assert runs[0] == runs[2]


def test_slots_are_named_after_the_parameters(kit):
    """Every trainable parameter has its slots; the step count is there."""
    port = kit.port()
    port.train(kit.lockstep(), 2)
    state = port.optimizer_state()
    expected = set()
    for update in kit.config["updates"]:
        slots = (
            ("m", "v") if kit.config["optimizers"][update["optimizer"]]["kind"] == "adam" else ()
        )
        expected.add("%s/step" % update["optimizer"])
        expected |= {
            "%s/%s/%s" % (update["optimizer"], name, slot)
            for name in update["parameters"]
            for slot in slots
        }
    assert sorted(expected) == sorted(state)
    for name, update in {update["optimizer"]: update for update in kit.config["updates"]}.items():
        ran = sum(phases_at(kit.config, step).count(update["phase"]) for step in range(2))
        assert int(state["%s/step" % name]) == ran, name


def test_abilities_are_the_methods_that_a_port_implements(kit):
    """The shipped ports have all methods that the ladder needs."""
    found = abilities(kit.port_class())
    assert (
        {"forward", "losses", "gradients", "train_step", "optimizer_state"}
        <= set(found)
        <= set(OPTIONAL)
    )


@pytest.mark.workloads("cnn")
def test_the_moving_variance_is_the_population_variance(kit):
    """No Bessel correction, and running statistics keep the stated share."""
    port = kit.port()
    batch = kit.lockstep().batch(0, "train")
    seen = port.forward(batch, True)["dropout"]
    port.train_step("train", batch)
    keep = kit.config["batch_norm"]["momentum"]
    expected = keep * kit.weights["batch_norm/moving_variance"] + (1 - keep) * seen.var(axis=0)
    kit.close(port.parameters()["batch_norm/moving_variance"], expected, 1e-12)
