"""A checkpoint that another program wrote with TensorFlow 1 is read under its own names:
weights, slots, counts and steps."""

from __future__ import annotations

import collections
import os
import shutil

import numpy as np
import pytest

pytestmark = pytest.mark.backends("tf1")
#: Updates of each of EHR-M-GAN's optimizers after four steps of pre-training and three joint ones.
UPDATES = {"pretrain": 4, "joint/vae": 3, "joint/generator": 9, "joint/discriminator": 3}
STEP = 7


def updates(config):
    return {name: UPDATES[name.rsplit("/", 1)[0]] for name in config["optimizers"]}


class Program:
    """A program of its own: variables under names of its own, the weights of generators in four
    pieces, Adam without names.

    Attributes:
        values: what each variable of the last checkpoint held.
        weights, slots, powers: their names, as TensorFlow gave them.
    """

    def __init__(self, config, order, dtype="float32"):
        import tensorflow.compat.v1 as tf

        self.tf, self.config, self.order = tf, config, order
        self.weights, self.slots, self.powers = collections.OrderedDict(), {}, {}
        self.graph = tf.Graph()
        with self.graph.as_default():
            self.global_step = tf.train.get_or_create_global_step()
            self.variables = collections.OrderedDict()
            for place, item in enumerate(config["parameters"]):
                count = 4 if item["name"][-2:] in ("/W", "/U", "/V") else 1
                shape = item["shape"][:-1] + [item["shape"][-1] // count]
                names = [
                    "net/" + item["name"].replace("/", "_") + "/part%d" % piece
                    for piece in range(count)
                ]
                self.variables[item["name"]] = [
                    tf.get_variable(
                        name,
                        shape,
                        dtype,
                        tf.random_normal_initializer(seed=10 * place + piece),
                        use_resource=False,
                    )
                    for piece, name in enumerate(names)
                ]
                self.weights[item["name"]] = [
                    variable.op.name for variable in self.variables[item["name"]]
                ]
            self.trained = {
                name: self._optimizer(name, number) for number, name in enumerate(order)
            }

    def _optimizer(self, name, number):
        tf, options = self.tf, self.config["optimizers"][name]
        owned = []
        for update in self.config["updates"]:
            if update["optimizer"] == name:
                owned += [parameter for parameter in update["parameters"] if parameter not in owned]
        variables = [variable for parameter in owned for variable in self.variables[parameter]]
        loss = tf.add_n([tf.reduce_sum(tf.square(variable)) for variable in variables])
        if options["kind"] == "sgd":
            return tf.train.GradientDescentOptimizer(options["learning_rate"]).minimize(
                loss, self.global_step, variables
            )
        adam = tf.train.AdamOptimizer(
            *[options[key] for key in ("learning_rate", "beta1", "beta2", "epsilon")]
        )
        done = adam.minimize(loss, self.global_step, variables)
        for parameter in owned:
            for slot in "mv":
                self.slots["%s/%s/%s" % (name, parameter, slot)] = [
                    adam.get_slot(variable, slot).op.name for variable in self.variables[parameter]
                ]
        self.powers[name] = [power.op.name for power in adam._get_beta_accumulators()]
        return done

    def run(self, counts, folder):
        """Train so many updates of each optimizer and save."""
        tf, config = self.tf, self.tf.ConfigProto()
        config.graph_options.rewrite_options.disable_meta_optimizer = (
            True  # takes longer than all the rest
        )
        with self.graph.as_default(), tf.Session(config=config) as session:
            session.run(tf.global_variables_initializer())
            for name, count in counts.items():
                for _ in range(count):
                    session.run(self.trained[name])
            tf.train.Saver(save_relative_paths=True).save(
                session, str(folder / "own"), global_step=5
            )
            self.values = session.run(
                {variable.op.name: variable for variable in tf.global_variables()}
            )
        return str(folder)

    def names(self, step=None):
        return {"weights": self.weights, "slots": self.slots, "powers": self.powers, "step": step}

    def joined(self, names):
        return np.concatenate([self.values[name] for name in names], axis=-1)


_TRAINED = {}


@pytest.fixture
def trained(kit, tmp_path, tmp_path_factory):
    """EHR-M-GAN in a program that built its optimizers in another order than the workload has
    them; a copy of its checkpoint."""
    if kit.backend not in _TRAINED:
        program = Program(kit.config, list(reversed(list(kit.config["optimizers"]))))
        _TRAINED[kit.backend] = (
            program,
            program.run(updates(kit.config), tmp_path_factory.mktemp("trained")),
        )
    program, folder = _TRAINED[kit.backend]
    for name in os.listdir(folder):
        shutil.copy(os.path.join(folder, name), str(tmp_path))
    return program, str(tmp_path)


@pytest.mark.workloads("ehr_mgan")
def test_weights_slots_and_counts_arrive(kit, trained):
    """As that program's own TensorFlow numbered them; four pieces become one weight, and the
    steps follow from the updates."""
    port = kit.port("fp32")
    program, folder = trained
    assert STEP == port.restore_foreign(folder, program.names()) == port.steps_trained
    found = port.parameters()
    for name, parts in program.weights.items():
        np.testing.assert_array_equal(program.joined(parts), found[name], err_msg=name)
    state = port.optimizer_state()
    for name, parts in program.slots.items():
        np.testing.assert_array_equal(program.joined(parts), state[name], err_msg=name)
    assert updates(kit.config) == {
        name: int(state[name + "/step"]) for name in kit.config["optimizers"]
    }
    inferred = dict.fromkeys(kit.config["optimizers"], "inferred from the powers of beta")
    assert dict(inferred, training="inferred from the optimizers' updates") == port.step_origin
    listed = port.variables_of(folder)
    assert {name: list(value.shape) for name, value in program.values.items()} == {
        name: item["shape"] for name, item in listed.items()
    }
    assert {"float32", "int64"} == {item["dtype"] for item in listed.values()}


@pytest.mark.workloads("ehr_mgan")
def test_pieces_and_slots_in_another_order_are_another_model(kit, trained):
    """The names decide, not the shapes: two gates or two slots changed about are seen."""
    port, (program, folder) = kit.port("fp32"), trained
    name = "generator/discrete/layer2/U"
    names = program.names()
    names["weights"] = dict(names["weights"], **{name: program.weights[name][::-1]})
    first, second = ("joint/generator/discrete/%s/%s" % (name, slot) for slot in "mv")
    names["slots"] = dict(
        names["slots"], **{first: program.slots[second], second: program.slots[first]}
    )
    port.restore_foreign(folder, names)
    assert not np.array_equal(program.joined(program.weights[name]), port.parameters()[name])
    assert not np.array_equal(program.joined(program.slots[first]), port.optimizer_state()[first])


@pytest.mark.workloads("ehr_mgan")
def test_the_files_may_be_named_without_a_list(kit, trained, tmp_path):
    """A list that holds the paths of another machine is of no use; the beginning of the files'
    names is."""
    program, folder = trained
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "/nowhere/own-5"\n')
    port = kit.port("fp32")
    with pytest.raises(ValueError, match="names no checkpoint that is there"):
        port.restore_foreign(folder, program.names())
    assert STEP == port.restore_foreign(str(tmp_path / "own-5"), program.names())
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        port.restore_foreign(str(tmp_path / "other"), program.names())


@pytest.mark.workloads("ehr_mgan")
def test_weights_alone_arrive_and_the_optimizers_begin_anew(kit, trained):
    """Then the steps cannot be told and have to be given."""
    port, (program, folder) = kit.port("fp32"), trained
    alone = dict(program.names(), slots={}, powers={})
    with pytest.raises(ValueError, match="give its step"):
        port.restore_foreign(folder, alone)
    assert 50 == port.restore_foreign(folder, dict(alone, step=50))
    assert not any(value.any() for name, value in port.optimizer_state().items())
    assert dict.fromkeys(kit.config["optimizers"], "begins anew") == port.step_origin


@pytest.mark.workloads("ehr_mgan")
def test_what_cannot_be_read_changes_nothing(kit, trained, tmp_path):
    """A damaged file, and powers that no number of updates gives."""
    port, (program, folder) = kit.port("fp32"), trained
    names = program.names()
    names["powers"] = dict(
        names["powers"], **{"joint/vae/discrete": program.powers["joint/vae/discrete"][::-1]}
    )
    with pytest.raises(ValueError, match=r"no number of updates|different steps"):
        port.restore_foreign(folder, names)
    data = next(tmp_path.glob("own-5.data*"))
    data.write_bytes(data.read_bytes()[:1000])
    with pytest.raises(ValueError, match="damaged"):
        port.restore_foreign(folder, program.names())
    for name, value in kit.weights.items():
        np.testing.assert_array_equal(np.float32(value), port.parameters()[name], err_msg=name)


@pytest.mark.workloads("linear")
def test_an_optimizer_without_powers_is_counted_by_the_steps(kit, tmp_path):
    """Gradient descent keeps nothing: the program's global step tells."""
    port, program = kit.port("fp32"), Program(kit.config, ["sgd"])
    folder = program.run({"sgd": 6}, tmp_path)
    assert 6 == port.restore_foreign(folder, program.names("global_step"))
    assert 6 == int(port.optimizer_state()["sgd/step"])
    assert {"sgd": "follows from the training steps"} == port.step_origin


@pytest.mark.workloads("cnn")
def test_float64_variables_with_float32_powers_are_counted(kit, tmp_path):
    """What Python's floats give in TF1, whatever the variables are: the chain of products is
    that of the powers' own dtype."""
    program = Program(kit.config, list(kit.config["optimizers"]), "float64")
    (name,) = kit.config["optimizers"]
    folder = program.run({name: 300}, tmp_path)
    assert {np.dtype("float32")} == {program.values[power].dtype for power in program.powers[name]}
    port = kit.port("fp64")
    assert 300 == port.restore_foreign(folder, program.names())
    assert 300 == int(port.optimizer_state()[name + "/step"])
