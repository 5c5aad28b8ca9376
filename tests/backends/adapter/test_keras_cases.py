"""What users' programs do beside models and layers: state in objects of their own, tied weights,
structures as outputs, masks, NumPy's randomness, errors; and the port that is made of a side."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest

from backends import pair
from backends.adapter.draws import Draws
from backends.adapter.port import Port
from backends.adapter.side import Tap
from backends.contract import Setting, Unsupported
from backends.source import Batch, NativeSource, TapeSource

pytestmark = [pytest.mark.backends("tf2"), pytest.mark.workloads("linear")]
THREADS = 2
GENERATOR = np.random.RandomState(4)
ROWS = {"x": GENERATOR.normal(size=(8, 5)), "y": GENERATOR.normal(size=(8, 2))}


@pytest.fixture(autouse=True)
def floats(workload):
    """What Keras makes layers in is of the whole process: put it back."""
    yield
    from backends.tf2.adapter.objects import set_dtypes

    set_dtypes(Setting(precision="fp32", threads=THREADS))


@pytest.fixture
def keras(workload):
    import tensorflow as tf

    return tf.keras


def make(function, precision="fp64"):
    from backends.tf2.adapter import Side

    return Side(function, Setting(precision=precision, threads=THREADS))


def dense(keras, **options):
    """A small compiled model."""
    x = keras.Input((5,))
    h = keras.layers.Dense(4, "relu", name="h")(x)
    model = keras.Model(x, keras.layers.Dense(2, name="out")(h))
    model.compile(keras.optimizers.Adam(2.0**-6, **options), "mse")
    return model


def test_a_models_own_train_step(keras):
    """A VAE as in Keras' examples: a step of its own with an optimizer under another name, noise in
    a layer, two losses kept in metrics; the optimizer that Keras gives to all is left out."""
    import tensorflow as tf

    class Vae(keras.Model):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder = keras.layers.Dense(6), keras.layers.Dense(5)
            self.main = keras.metrics.Mean(name="main_loss")
            self.seen = 0

        @property
        def metrics(self):
            return [self.main]

        def compile(self, rule):
            super().compile()
            self.rule = rule

        def call(self, x, training=None):
            mean, log_var = tf.split(self.encoder(x), 2, 1)
            noise = tf.random.normal(tf.shape(mean), dtype=mean.dtype)
            return self.decoder(mean + tf.exp(0.5 * log_var) * noise)

        def train_step(self, data):
            x = data[0]
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self(x, training=True) - x) ** 2)
            weights = self.trainable_weights
            self.rule.apply_gradients(zip(tape.gradient(loss, weights), weights))
            self.main.update_state(loss)
            self.seen += 1
            return {"main_loss": self.main.result()}

    def function():
        model = Vae()
        model.compile(keras.optimizers.Adam(2.0**-6))
        return pair.keras(model)

    side = make(function)
    survey = side.survey(ROWS)
    (phase,) = survey.phases
    assert phase.losses == ("main_loss", "total") and phase.optimizers == ("",)
    assert survey.optimizers[0].type == "Adam" and len(survey.optimizers[0].pieces) == 4
    noise = [draw for draw in survey.draws if draw.kind == "normal"]
    assert {draw.phase for draw in noise} == {"generate", "forward", "train"}
    losses = [side.step("train", ROWS, Draws("train")).losses for _ in range(2)]
    assert all(item["main_loss"] == pytest.approx(item["total"], rel=1e-6) for item in losses)
    assert losses[0]["total"] != losses[1]["total"]
    assert side.models[""].seen == 2
    side.reset()
    assert side.models[""].seen == 0


def test_state_in_objects_of_the_users_own(keras):
    """A trainer that counts, keeps an average of the weights, decays its rate by hand, and draws
    from a generator: all of it is put back."""
    import tensorflow as tf

    class Trainer:
        def __init__(self):
            self.model = dense(keras)
            self.rule = keras.optimizers.SGD(2.0**-4, momentum=0.5)
            self.count, self.history = 0, []
            self.average = tf.Variable(tf.zeros([5, 4], tf.float64), trainable=False)
            self.generator = np.random.RandomState(3)
            self.state = {"best": 1e9}

        def step(self, batch):
            self.count += 1
            self.rule.learning_rate.assign(2.0**-4 / (1 + self.count))
            x = batch["x"] + self.generator.normal() * 1e-3
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self.model(x, training=True) - batch["y"]) ** 2)
            weights = self.model.trainable_variables
            self.rule.apply_gradients(zip(tape.gradient(loss, weights), weights))
            self.average.assign(0.5 * self.average + 0.5 * self.model.layers[1].kernel)
            self.history.append(float(loss))
            self.state["best"] = min(self.state["best"], float(loss))
            return loss

    trainer = []

    def function():
        trainer.append(Trainer())
        return pair.keras(trainer[0].model, step=trainer[0].step)

    side = make(function)
    survey = side.survey(ROWS)
    assert [rule.type for rule in survey.optimizers] == ["SGD"]
    assert (0, [], {"best": 1e9}) == (trainer[0].count, trainer[0].history, trainer[0].state)
    begun, runs = side.parameters(), []
    for _ in range(2):
        runs.append([side.step("train", ROWS, Draws("train")).losses for _ in range(3)])
        runs[-1].append(trainer[0].average.numpy().tolist())
        assert trainer[0].count == 3 and side.counts() == {"": 3}
        side.assign(begun)
        side.reset()
    assert runs[0] == runs[1] and runs[0][0] != runs[0][1]
    assert float(np.asarray(trainer[0].rule.learning_rate)) == 2.0**-4
    assert not trainer[0].average.numpy().any()


def test_functions_and_layers_around_layers(keras):
    """Arithmetic on tensors is listed; what a layer does inside is not; a layer at every hour is
    one layer; nothing grows with the number of looks."""

    def function():
        x = keras.Input((4, 6, 3))
        h = keras.layers.ZeroPadding2D(1, name="pad")(x) * 2.0 + 1.0
        h = keras.layers.Reshape((6, -1), name="rows")(h)
        h = keras.layers.TimeDistributed(keras.layers.Dense(2), name="hourly")(h)
        model = keras.Model(x, keras.layers.GlobalMaxPooling1D(name="top")(h))
        model.compile("sgd", "mse")
        return pair.keras(model)

    side = make(function)
    batch = {"x": GENERATOR.normal(size=(8, 4, 6, 3)), "y": ROWS["y"]}
    survey = side.survey(batch)
    kinds = ["pad", "merge", "merge", "reshape", "dense", "global_pool"]
    assert kinds == [layer.kind for layer in survey.layers]
    words = [layer.attributes.get("merge") for layer in survey.layers]
    assert ["multiply", "add"] == [word for word in words if word]
    assert [piece.name for piece in survey.pieces] == ["hourly/kernel", "hourly/bias"]
    assert survey.layers[4].attributes["units"] == 2
    assert survey.layers[4].initializers["kernel"] == "glorot_uniform"
    count = len(side.names.places)
    taps = [Tap(layer.name, layer.name) for layer in survey.layers]
    for _ in range(3):
        assert len(side.look(batch, True, Draws("forward"), taps)) == 7
    assert count == len(side.names.places)


def test_sample_weights(keras):
    """A batch that has them is trained with them."""
    side = make(lambda: pair.keras(dense(keras)))
    weighed = dict(ROWS, sample_weight=np.arange(8) / 8.0)
    side.survey(weighed)
    before = side.snapshot()
    plain = side.step("train", ROWS, Draws("train")).losses["total"]
    side.restore(before)
    assert plain != side.step("train", weighed, Draws("train")).losses["total"]


def test_tied_weights_and_structures(keras):
    """One variable in two layers is one piece; a tuple in a dict is flattened; a dataclass, too."""
    import tensorflow as tf

    @dataclasses.dataclass
    class Output:
        logits: object
        states: tuple

    class Untied(keras.layers.Layer):
        def __init__(self, table, **options):
            super().__init__(**options)
            self.table = table

        def call(self, x):
            return tf.matmul(x, tf.convert_to_tensor(self.table.embeddings), transpose_b=True)

    x = keras.Input((4,), dtype="int64")

    def function():
        x = keras.Input((4,), dtype="int64")
        table = keras.layers.Embedding(7, 3, mask_zero=True, name="table")
        h = keras.layers.LSTM(3, return_sequences=True, name="lstm")(table(x))
        table.build((None, 4)) if not table.built else None
        model = keras.Model(x, {"logits": Untied(table, name="untied")(h), "both": (h, h)})
        return pair.keras(
            model,
            forward=lambda batch, training: Output(
                logits=model(batch["x"], training=training)["logits"], states=(batch["x"],)
            ),
            step=lambda batch: {"value": 1.0},
        )

    assert x is not None
    side = make(function)
    batch = {"x": np.array([[1, 2, 0, 0], [3, 4, 5, 6]])}
    survey = side.survey(batch)
    assert [piece.name for piece in survey.pieces if "embed" in piece.name] == ["table/embeddings"]
    assert list(survey.outputs) == ["output/logits", "output/states/0"]
    assert any("differentiates nothing" in remark for remark in survey.remarks)
    look = side.look(batch, False, Draws("generate"), [Tap("l", "lstm")])
    assert look["output/states/0"].dtype == np.int64 and look["l"].shape == (2, 4, 3)
    np.testing.assert_array_equal(look["l"][0, 2], look["l"][0, 1])  # masked: carried on


def test_numpy_and_what_is_not_served(keras):
    """Latent noise from NumPy's global functions is the tape's; a categorical draw is listed."""
    import tensorflow as tf

    def function():
        model = dense(keras)
        rule = keras.optimizers.SGD(2.0**-4)

        def step(batch):
            noise = np.random.normal(0.0, 0.5, size=(8, 5)) + np.random.rand(8, 1)
            chosen = tf.random.categorical(tf.zeros([1, 4]), 2)
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(model(batch["x"] + noise, training=True) ** 2)
                loss += tf.cast(tf.reduce_sum(chosen), loss.dtype)
            weights = model.trainable_variables
            rule.apply_gradients(zip(tape.gradient(loss, weights), weights))
            return loss

        return pair.keras(model, rule, step=step)

    side = make(function)
    survey = side.survey(ROWS)
    shown = [(draw.kind, draw.shape, draw.served) for draw in survey.draws]
    assert shown[:2] == [("normal", (8, 5), True), ("uniform", (8, 1), True)]
    assert shown[2][0] == "other" and not shown[2][2] and "categorical" in survey.draws[2].reason
    assert survey.draws[0].deviation == 0.5 and survey.draws[2].reason in survey.remarks
    before = side.snapshot()
    first = side.step("train", ROWS, Draws("train")).losses
    side.restore(before)
    assert first == side.step("train", ROWS, Draws("train")).losses


def test_errors_come_through_and_nothing_stays_hooked(keras):
    """The user's error as it is, from within a layer; every patch is taken out."""
    import tensorflow as tf
    from tensorflow.python.ops import gen_random_ops

    broken = []

    class Layer(keras.layers.Layer):
        def call(self, x):
            if broken:
                raise ZeroDivisionError("the user's own")
            return x

    def function():
        x = keras.Input((5,))
        model = keras.Model(x, keras.layers.Dense(2)(Layer(name="mine")(x)))
        model.compile("adam", "mse")
        return pair.keras(model)

    hooks = lambda: (  # noqa: E731
        keras.layers.Layer.__call__,
        gen_random_ops.random_uniform,
        tf.GradientTape.gradient,
        keras.optimizers.Adam.apply_gradients,
        np.random.normal,
        tf.config.functions_run_eagerly(),
    )
    before = hooks()
    side = make(function)
    side.survey(ROWS)
    begun = side.parameters()
    broken.append(True)
    for run in (
        lambda: side.step("train", ROWS, Draws("train")),
        lambda: side.look(ROWS, True, Draws("forward"), ()),
    ):
        with pytest.raises(ZeroDivisionError, match="the user's own"):
            run()
        assert before == hooks()
    for name, value in side.parameters().items():
        np.testing.assert_array_equal(begun[name], value)


def test_a_cast_in_a_layer_is_named_in_float64(keras):
    import tensorflow as tf

    class Cast(keras.layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(name="w", shape=(5, 2))

        def call(self, x):
            return tf.matmul(tf.cast(x, tf.float32), tf.convert_to_tensor(self.w))

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = Cast(name="single")

        def call(self, x):
            return self.inner(x)

    def function():
        model = Model()
        model.compile("sgd", "mse")
        return pair.keras(model)

    with pytest.raises(Unsupported, match="computes in float32 whatever is set"):
        make(function).survey(ROWS)
    make(function, "fp32").survey(ROWS)


@pytest.mark.parametrize("kind", ["h5", "keras", "checkpoint"])
def test_weights_from_a_file(keras, tmp_path, kind):
    import tensorflow as tf

    saved = dense(keras)
    saved.layers[1].kernel.assign(np.full((5, 4), 0.25))
    if kind == "checkpoint":
        path = tf.train.Checkpoint(model=saved).write(str(tmp_path / "point"))
    elif kind == "keras" and int(keras.__version__.split(".")[0]) >= 3:
        path = str(tmp_path / "model.keras")
        saved.save(path)
    else:
        path = str(tmp_path / "model.weights.h5")
        saved.save_weights(path)
    side = make(lambda: pair.keras(dense(keras), weights=path), "fp32")
    side.survey(ROWS)
    np.testing.assert_array_equal(side.parameters()["h/kernel"], np.full((5, 4), 0.25, np.float32))
    with pytest.raises(FileNotFoundError):
        make(lambda: pair.keras(dense(keras), weights=os.path.join(str(tmp_path), "no.h5")))


def test_optimizers_of_every_kind(keras):
    """Old and new ones of Keras 2 and those of Keras 3: words, rates, slots; `reset` clears them."""
    kinds = keras.optimizers
    rules = {
        "sgd": lambda: kinds.SGD(2.0**-4, momentum=0.5, nesterov=True, clipvalue=0.5),
        "adam": lambda: kinds.Adam(2.0**-4, amsgrad=True),
        "rmsprop": lambda: kinds.RMSprop(2.0**-4, momentum=0.5, centered=True),
        "adagrad": lambda: kinds.Adagrad(2.0**-4),
        "adadelta": lambda: kinds.Adadelta(2.0**-4),
        "adamax": lambda: kinds.Adamax(2.0**-4),
        "nadam": lambda: kinds.Nadam(2.0**-4),
    }
    newer = getattr(kinds, "experimental", None) or kinds
    if hasattr(newer, "AdamW"):
        rules["adamw"] = lambda: newer.AdamW(2.0**-4, weight_decay=2.0**-6, use_ema=True)
    slots = {
        "sgd": {"momentum"},
        "adam": {"m", "v", "vhat"},
        "rmsprop": {"v", "momentum", "mean"},
        "adamw": {"m", "v", "average"},
    }
    for word, rule in rules.items():

        def function(rule=rule):
            model = dense(keras)
            model.compile(rule(), "mse")
            return pair.keras(model)

        side = make(function)
        (shown,) = side.survey(ROWS).optimizers
        assert shown.kind == word and shown.rates == {"0": 2.0**-4, "1": 2.0**-4, "10": 2.0**-4}
        assert set(shown.slots) == slots.get(word, set(shown.slots)) and shown.slots
        begun, start = side.parameters(), side.slots()[""]
        runs = []
        for _ in range(2):
            for _ in range(2):
                side.step("train", ROWS, Draws("train"))
            runs.append((side.parameters(), side.slots()[""]))
            side.assign(begun)
            side.reset()
        for name in begun:
            np.testing.assert_array_equal(runs[0][0][name], runs[1][0][name])
            for slot, value in start.get(name, {}).items():
                np.testing.assert_array_equal(runs[0][1][name][slot], runs[1][1][name][slot])
                np.testing.assert_array_equal(value, side.slots()[""][name][slot])
                assert np.any(value != runs[0][1][name][slot]), (word, name, slot)


def test_the_port_of_a_side(keras):
    """The ladder: forward, losses, gradients, updates, state, training, inference."""

    def function():
        x = keras.Input((5,))
        h = keras.layers.Dropout(0.5, name="drop")(keras.layers.Dense(4, name="h")(x))
        model = keras.Model(x, keras.layers.Dense(2, name="out")(h))
        model.compile(keras.optimizers.Adam(2.0**-6), "mse")
        return pair.keras(model)

    side = make(function)
    survey = side.survey(ROWS).plain()
    draws = {}
    for draw in survey["draws"]:
        entry = {"site": f"{draw['phase']}/{draw['index']}", "axes": None}
        draws.setdefault(draw["phase"], []).append(entry)
    names = [piece["name"] for piece in survey["pieces"]]
    taps = [{"name": row["name"], "layer": row["name"]} for row in survey["layers"]]
    config = {
        "workload": "mine",
        "batch": 8,
        "parameters": [
            {"name": p["name"], "shape": list(p["shape"]), "trainable": True}
            for p in survey["pieces"]
        ],
        "phases": ["train"],
        "schedule": [{"steps": None, "phases": ["train"]}],
        "updates": [{"phase": "train", "optimizer": "adam", "parameters": names}],
        "pair": {
            "pieces": {piece["name"]: piece for piece in survey["pieces"]},
            "taps": taps,
            "outputs": {"output": {"own": "output", "axes": None}},
            "draws": draws,
            "losses": {"train": {"total": "total"}},
            "optimizers": {"adam": ""},
            "slots": {"adam": ["m", "v"]},
        },
    }
    port = Port(config, side.setting, side)
    port.load_parameters(port.parameters())
    mask = np.zeros((8, 4))
    batch = Batch(ROWS, {"forward/0": mask, "train/0": mask})
    shown = port.forward(batch, True)
    assert list(shown) == ["h", "drop", "out", "output"]
    np.testing.assert_array_equal(shown["drop"], 2.0 * shown["h"])
    taught = port.forward_from(batch, True, {"h": 3.0 * shown["h"]})
    np.testing.assert_allclose(taught.values["drop"], 6.0 * shown["h"])
    assert taught.read["drop"] == ["h"] and taught.rooted[0] == "h"
    loss = port.losses("train", batch)
    assert set(port.gradients("train", batch)) == set(names) == set(port.parameters())
    assert loss == port.train_step("train", batch)
    state = port.optimizer_state()
    assert state["adam/step"] == 1 and np.any(state["adam/h/kernel/m"])
    data = dict(ROWS, eval_x=ROWS["x"])
    tape = {"batches": np.arange(8)[np.newaxis].repeat(2, 0)}
    port.load_parameters(port.parameters())
    history = port.train(
        TapeSource(data, dict(tape, **{"noise/train/train/0": mask[None].repeat(2, 0)}), 8), 2
    )
    assert len(history["total"]) == 2
    native = port.train(NativeSource(data, 0, 8), 2)
    assert np.all(np.isfinite(native["total"]))
    assert port.generate(TapeSource(data, tape, 8), 3).shape == (3, 2)
    assert (
        port.effective()["execution"] == "graph" and "float64" in port.effective()["dtype_policy"]
    )
