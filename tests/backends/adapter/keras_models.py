"""Keras models as their users wrote them, for the tests of the adapter: each function returns what
a side's function returns, with a knob that plants a fault."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from backends import pair

K = tf.keras.layers
GENERATOR = np.random.RandomState(5)
SERIES = {"x": GENERATOR.normal(size=(8, 6, 3)), "y": GENERATOR.randint(0, 3, 8)}
IMAGES = {"x": GENERATOR.normal(size=(4, 8, 8, 3)), "y": GENERATOR.randint(0, 3, 4)}
TOKENS = {"x": GENERATOR.randint(0, 11, (4, 7)), "y": GENERATOR.randint(0, 3, 4)}
ROWS = {"x": GENERATOR.normal(size=(8, 5)), "y": GENERATOR.normal(size=(8, 2))}


def _classes():
    return tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def bilstm(fault=False):
    """Functional: dropout in and between layers, statistics, a schedule, clipping, decay."""
    x = tf.keras.Input((6, 3))
    h = K.Bidirectional(K.LSTM(4, return_sequences=True, dropout=0.25), name="enc")(x)
    h = K.LSTM(5, name="top")(h)
    h = K.Dropout(0.5, name="drop")(h)
    h = K.BatchNormalization(name="bn", epsilon=1e-2 if fault else 1e-3)(h)
    decay = tf.keras.regularizers.L2(0.01)
    model = tf.keras.Model(x, K.Dense(3, name="cls", kernel_regularizer=decay)(h))
    rate = tf.keras.optimizers.schedules.ExponentialDecay(2.0**-6, 10, 0.5)
    model.compile(tf.keras.optimizers.Adam(rate, clipnorm=0.25), _classes(), metrics=["accuracy"])
    return pair.keras(model)


class Block(tf.keras.layers.Layer):
    """A part of a subclassed model."""

    def __init__(self, filters, slope):
        super().__init__()
        self.conv = K.Conv2D(filters, 3, padding="same", use_bias=False)
        self.norm = K.BatchNormalization()
        self.act = K.LeakyReLU(slope)
        self.deep = K.DepthwiseConv2D(3, depth_multiplier=2)

    def call(self, x, training=None):
        return self.deep(self.act(self.norm(self.conv(x), training=training)))


class Net(tf.keras.Model):
    """Nested, with a list of blocks."""

    def __init__(self, slope):
        super().__init__()
        self.blocks = [Block(4, slope), Block(5, slope)]
        self.up = K.Conv2DTranspose(4, 2, strides=2)
        self.pool = K.GlobalAveragePooling2D()
        self.drop = K.Dropout(0.5)
        self.head = K.Dense(3)

    def call(self, x, training=None):
        for block in self.blocks:
            x = block(x, training=training)
        return self.head(self.drop(self.pool(self.up(x)), training=training))


def nested(fault=False):
    """Subclassed: nothing has weights or a shape before the first call."""
    model = Net(0.125 if fault else 0.25)
    model.compile(tf.keras.optimizers.SGD(2.0**-4, momentum=0.75, nesterov=True), _classes())
    return pair.keras(model)


def attention(fault=False):
    """Tokens, an attention with heads and dropout inside, what is added functionally."""
    x = tf.keras.Input((7,), dtype="int64")
    h = K.Embedding(11, 6, name="emb")(x)
    a = K.MultiHeadAttention(2, 3, dropout=0.25, name="att")(h, h)
    h = K.LayerNormalization(name="norm", epsilon=1e-3 if fault else 1e-6)(h + a)
    h = K.GlobalAveragePooling1D(name="mean")(h)
    model = tf.keras.Model(x, {"logits": K.Dense(3, name="cls")(h)})
    model.compile(tf.keras.optimizers.RMSprop(2.0**-6), {"logits": _classes()})
    return pair.keras(model)


def gru(fault=False):
    """Both forms of a bias, and cells that are stacked."""
    model = tf.keras.Sequential(
        [
            tf.keras.Input((6, 3)),
            K.GRU(
                4, return_sequences=True, reset_after=not fault, recurrent_dropout=0.25, name="a"
            ),
            K.RNN(K.StackedRNNCells([K.SimpleRNNCell(3), K.GRUCell(4)]), name="b"),
            K.Dense(3, name="cls"),
        ]
    )
    model.compile(tf.keras.optimizers.Adam(2.0**-6), _classes())
    return pair.keras(model)


def shared(fault=False):
    """A layer that is called twice."""
    x = tf.keras.Input((5,))
    dense = K.Dense(5, activation="relu" if fault else "tanh", name="twice")
    model = tf.keras.Model(x, K.Dense(2, name="out")(dense(dense(x))))
    model.compile(tf.keras.optimizers.Adagrad(2.0**-4), "mse")
    return pair.keras(model)


def gan(fault=False):
    """Two models, two optimizers, a step under `tf.function`, latent noise."""
    generator = tf.keras.Sequential([tf.keras.Input((3,)), K.Dense(5, name="g")])
    critic = tf.keras.Sequential(
        [tf.keras.Input((5,)), K.Dense(4, "relu", name="h"), K.Dense(1, name="c")]
    )
    rules = {
        "g": tf.keras.optimizers.Adam(2.0**-7, 0.5),
        "c": tf.keras.optimizers.Adam(2.0**-8, 0.75 if fault else 0.5),
    }
    cross = tf.keras.losses.BinaryCrossentropy(from_logits=True)

    @tf.function
    def step(batch):
        noise = tf.random.normal([8, 3], dtype=batch["x"].dtype)
        with tf.GradientTape() as g_tape, tf.GradientTape() as c_tape:
            made = generator(noise, training=True)
            real, fake = critic(batch["x"], training=True), critic(made, training=True)
            g_loss = cross(tf.ones_like(fake), fake)
            c_loss = cross(tf.ones_like(real), real) + cross(tf.zeros_like(fake), fake)
        for name, tape, loss, model in (
            ("g", g_tape, g_loss, generator),
            ("c", c_tape, c_loss, critic),
        ):
            weights = model.trainable_variables
            rules[name].apply_gradients(zip(tape.gradient(loss, weights), weights))
        return {"g_loss": g_loss, "c_loss": c_loss}

    return pair.keras(
        {"generator": generator, "critic": critic},
        rules,
        step=step,
        forward=lambda batch, training: critic(
            generator(batch["x"][:, :3], training=training), training=training
        ),
    )


class Noise(tf.keras.layers.Layer):
    """A layer of the user's own, with a weight and noise from `tf.random`."""

    def __init__(self, bound, **options):
        super().__init__(**options)
        self.bound = bound

    def build(self, shape):
        self.gain = self.add_weight(name="gain", shape=(shape[-1],), initializer="ones")

    def call(self, x, training=None):
        if training:
            x = x + tf.random.normal(tf.shape(x), stddev=0.5, dtype=x.dtype)
            x = x * tf.random.uniform(tf.shape(x), 0.5, self.bound, dtype=x.dtype)
        return x * self.gain


def noise(fault=False):
    """Draws that no layer of Keras' makes, and an optimizer whose step is the user's own."""
    x = tf.keras.Input((5,))
    model = tf.keras.Model(x, K.Dense(2, name="out")(Noise(2.0 if fault else 1.5, name="noise")(x)))
    rule = tf.keras.optimizers.SGD(2.0**-5)

    def step(batch):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(batch["x"], training=True) - batch["y"]) ** 2)
        weights = model.trainable_variables
        pairs = [(2.0 * item, held) for item, held in zip(tape.gradient(loss, weights), weights)]
        rule.apply_gradients(pairs)
        return loss

    return pair.keras(model, rule, step=step)


#: Name -> the function, a batch, and the layer or optimizer whose fault is planted.
MODELS = {
    "bilstm": (bilstm, SERIES, "bn"),
    "nested": (nested, IMAGES, "act"),
    "attention": (attention, TOKENS, "norm"),
    "gru": (gru, SERIES, "a"),
    "shared": (shared, ROWS, "twice"),
    "gan": (gan, ROWS, "c"),
    "noise": (noise, ROWS, "noise"),
}
#: What the survey of each has to say: kinds of layers in order; draws of a step: where, what for,
#: and the share that is kept.
KINDS = {
    "bilstm": ["bidirectional", "lstm", "dropout", "batch_norm", "dense"],
    "nested": [
        *["conv", "batch_norm", "activation", "depthwise_conv", "container"] * 2,
        *["conv_transpose", "global_pool", "dropout", "dense"],
    ],
    "attention": [
        *["embedding", "attention", "merge", "layer_norm", "global_pool", "dense"],
    ],
    "gru": ["gru", "rnn", "dense"],
    "shared": ["dense", "dense"],
    "gan": ["dense", "container", "dense", "dense", "container"],
    "noise": ["other", "dense"],
}
DRAWS = {
    "bilstm": [("enc", "dropout", 0.75), ("enc", "dropout", 0.75), ("drop", "dropout", 0.5)],
    "nested": [("drop", "dropout", 0.5)],
    "attention": [("att", "dropout", 0.75)],
    "gru": [("a", "dropout", 0.75)] * 3,
    "shared": [],
    "gan": [("", "normal", 1.0)],
    "noise": [("noise", "normal", 1.0), ("noise", "uniform", 1.0)],
}
