"""Graphs as TF1 users write them: what the adapter's tests run on. With TF 1.15 by `tf.layers` and
its cells; with TF 2, whose Keras has taken those away, by variables and cells of one's own."""

from __future__ import annotations

import numpy as np
import tensorflow.compat.v1 as tf

from backends import pair
from backends.adapter.draws import Draws

GENERATOR = np.random.RandomState(5)
ROWS = {"x": GENERATOR.normal(size=(8, 6)), "y": GENERATOR.randint(0, 3, size=8)}
SERIES = {"x": GENERATOR.normal(size=(4, 5, 3)), "y": GENERATOR.normal(size=(4, 2))}
IMAGES = {"x": GENERATOR.normal(size=(4, 8, 8, 2)), "y": GENERATOR.randint(0, 3, size=4)}
PAIRS = {"z": GENERATOR.normal(size=(8, 2)), "real": GENERATOR.normal(size=(8, 4))}
OLD = tf.__version__.startswith("1.") or hasattr(tf, "contrib")


def dense(x, units, scope, activation=None):
    """A dense layer by hand."""
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        kernel = tf.get_variable("kernel", [int(x.shape[-1]), units], tf.float32)
        bias = tf.get_variable("bias", [units], tf.float32, tf.zeros_initializer())
    y = tf.matmul(x, kernel) + bias
    return y if activation is None else activation(y)


def batch_norm(x, training, scope="batch_normalization", momentum=0.9, epsilon=1e-3):
    """`tf.layers.batch_normalization`, or the same by hand."""
    if OLD:
        return tf.layers.batch_normalization(
            x, training=training, momentum=momentum, epsilon=epsilon, name=scope
        )
    units = int(x.shape[-1])
    axes = list(range(x.shape.ndims - 1))
    with tf.variable_scope(scope):
        gamma = tf.get_variable("gamma", [units], tf.float32, tf.ones_initializer())
        beta = tf.get_variable("beta", [units], tf.float32, tf.zeros_initializer())
        zeros, ones = tf.zeros_initializer(), tf.ones_initializer()
        mean = tf.get_variable("moving_mean", [units], tf.float32, zeros, trainable=False)
        variance = tf.get_variable("moving_variance", [units], tf.float32, ones, trainable=False)
        batch_mean, batch_variance = tf.nn.moments(x, axes)
        for statistic, new in ((mean, batch_mean), (variance, batch_variance)):
            update = tf.assign_sub(statistic, (statistic - new) * (1.0 - momentum))
            tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, update)
        chosen = tf.cond(
            training, lambda: (batch_mean, batch_variance), lambda: (mean + 0.0, variance + 0.0)
        )
        return tf.nn.batch_normalization(x, chosen[0], chosen[1], beta, gamma, epsilon)


def classifier(run_updates=True, updates=True):
    """A perceptron with dropout, batch norm, a schedule and clipping."""

    def build():
        x = tf.placeholder(tf.float32, [None, 6], "x")
        y = tf.placeholder(tf.int64, [None], "y")
        keep = tf.placeholder(tf.float32, [], "keep_prob")
        training = tf.placeholder(tf.bool, [], "is_training")
        hidden = dense(x, 5, "hidden")
        hidden = tf.nn.relu(batch_norm(hidden, training), name="active")
        hidden = tf.nn.dropout(hidden, keep_prob=keep)
        logits = dense(hidden, 3, "logits")
        weights = tf.constant(1.0, tf.float32)
        loss = tf.reduce_mean(
            weights * tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
        )
        step = tf.train.get_or_create_global_step()
        rate = tf.train.exponential_decay(0.01, step, 5, 0.7)
        optimizer = tf.train.AdamOptimizer(rate)
        gradients, variables = zip(*optimizer.compute_gradients(loss))
        clipped, _ = tf.clip_by_global_norm(gradients, 0.3)
        wanted = tf.get_collection(tf.GraphKeys.UPDATE_OPS) if run_updates else []
        with tf.control_dependencies(wanted):
            train = optimizer.apply_gradients(zip(clipped, variables), global_step=step)
        return {"train": train, "loss": loss, "logits": logits}

    def side():
        return pair.tf1(
            build,
            feeds={"x": "x", "y": "y"},
            product="logits",
            loss="loss",
            train="train",
            training={"keep_prob": (0.75, 1.0), "is_training:0": (True, False)},
        )

    return side


class Cell:
    """An LSTM cell with dropout, as TF 2 has none for graphs."""

    def __init__(self, units, keep):
        self.units, self.keep = units, keep
        self.state_size, self.output_size = (units, units), units

    def zero_state(self, batch, dtype):
        return tf.zeros([batch, self.units], dtype), tf.zeros([batch, self.units], dtype)

    def __call__(self, inputs, state, scope=None):
        c, h = state
        with tf.variable_scope("lstm_cell", reuse=tf.AUTO_REUSE):
            width = int(inputs.shape[-1]) + self.units
            kernel = tf.get_variable("kernel", [width, 4 * self.units], tf.float32)
            zeros = tf.zeros_initializer()
            bias = tf.get_variable("bias", [4 * self.units], tf.float32, zeros)
        gates = tf.nn.bias_add(tf.matmul(tf.concat([inputs, h], 1), kernel), bias)
        i, j, f, o = tf.split(gates, 4, 1)
        c = tf.sigmoid(f + 1.0) * c + tf.sigmoid(i) * tf.tanh(j)
        h = tf.sigmoid(o) * tf.tanh(c)
        return tf.nn.dropout(h, rate=1.0 - self.keep), (c, h)


def recurrent():
    """A network of `dynamic_rnn` with an LSTM cell whose outputs are dropped."""

    def build():
        x = tf.placeholder(tf.float32, [None, 5, 3], "x")
        y = tf.placeholder(tf.float32, [None, 2], "y")
        keep = tf.placeholder_with_default(np.float32(1.0), [], "keep")
        if OLD:
            cell = tf.nn.rnn_cell.LSTMCell(4)
            cell = tf.nn.rnn_cell.DropoutWrapper(cell, output_keep_prob=keep)
            outputs, _ = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
        else:
            cell = Cell(4, keep)

            def body(time, state, collected):
                output, state = cell(x[:, time], state)
                return time + 1, state, collected.write(time, output)

            with tf.variable_scope("rnn"):
                array = tf.TensorArray(tf.float32, 5)
                state = cell.zero_state(tf.shape(x)[0], tf.float32)
                _, _, array = tf.while_loop(
                    lambda time, *_: time < 5, body, (tf.constant(0), state, array)
                )
                outputs = tf.transpose(array.stack(), [1, 0, 2])
            outputs.set_shape([None, 5, 4])
        prediction = dense(outputs[:, -1], 2, "out")
        loss = tf.reduce_mean(tf.square(prediction - y))
        train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        return {"train": train, "loss": loss, "prediction": prediction}

    return pair.tf1(
        build,
        feeds={"x": "x", "y": "y"},
        product="prediction",
        loss="loss",
        train="train",
        training={"keep": (0.5, 1.0)},
    )


def unrolled():
    """A network whose LSTM cell is called hour by hour, and whose every output is used."""

    def build():
        x = tf.placeholder(tf.float32, [None, 5, 3], "x")
        y = tf.placeholder(tf.float32, [None, 2], "y")
        cell = Cell(4, 0.5)
        state, outputs = cell.zero_state(tf.shape(x)[0], tf.float32), []
        for hour in tf.unstack(x, axis=1):
            output, state = cell(hour, state)
            output.set_shape([None, 4])
            outputs.append(output)
        prediction = dense(tf.add_n(outputs), 2, "out")
        loss = tf.reduce_mean(tf.square(prediction - y))
        train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        return {"train": train, "loss": loss, "prediction": prediction}

    return pair.tf1(build, {"x": "x", "y": "y"}, "prediction", "loss", "train")


def fixed():
    """A graph whose batch has eight rows, with a draw for each of them."""

    def build():
        x = tf.placeholder(tf.float32, [8, 6], "x")
        y = tf.placeholder(tf.int64, [8], "y")
        noise = tf.random_uniform([8, 6])
        logits = dense(x * noise, 3, "out")
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
        )
        train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        return {"train": train, "loss": loss, "logits": logits}

    return pair.tf1(build, {"x": "x", "y": "y"}, "logits", "loss", "train")


def adversarial():
    """A small GAN with latent noise of its own and two optimizers."""

    def build():
        z = tf.placeholder(tf.float32, [None, 2], "z")
        real = tf.placeholder(tf.float32, [None, 4], "real")
        noisy = z + tf.random_normal(tf.shape(z), stddev=0.5)
        made = dense(dense(noisy, 5, "g/hidden", tf.nn.leaky_relu), 4, "g/out", tf.tanh)

        def judge(value):
            return dense(dense(value, 3, "d/hidden", tf.nn.leaky_relu), 1, "d/out")

        def cross(logits, label):
            labels = tf.fill(tf.shape(logits), label)
            return tf.reduce_mean(
                tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
            )

        fake = judge(made)
        d_loss = cross(judge(real), 1.0) + cross(fake, 0.0)
        g_loss = cross(fake, 1.0)
        g_weights = [v for v in tf.trainable_variables() if v.name.startswith("g/")]
        d_weights = [v for v in tf.trainable_variables() if v.name.startswith("d/")]
        d_train = tf.train.RMSPropOptimizer(0.01).minimize(d_loss, var_list=d_weights)
        g_train = tf.train.AdamOptimizer(0.002, beta1=0.5).minimize(g_loss, var_list=g_weights)
        return locals()

    return pair.tf1(
        build,
        feeds={"z": "z", "real": "real"},
        product="made",
        loss={"d": "d_loss", "g": "g_loss"},
        train={"d": "d_train", "g": "g_train"},
    )


def convolutional():
    """A convolutional network with a fused batch norm, an embedding beside it, and momentum."""

    def build():
        x = tf.placeholder(tf.float32, [None, 8, 8, 2], "x")
        y = tf.placeholder(tf.int64, [None], "y")
        training = tf.placeholder(tf.bool, [], "training")
        with tf.variable_scope("conv"):
            kernel = tf.get_variable("weights", [3, 3, 2, 4], tf.float32)
            bias = tf.get_variable("biases", [4], tf.float32, tf.zeros_initializer())
        h = tf.nn.bias_add(tf.nn.conv2d(x, kernel, strides=[1, 2, 2, 1], padding="SAME"), bias)
        h = tf.nn.relu(batch_norm(h, training, "bn"), name="active")
        h = tf.nn.max_pool(h, [1, 2, 2, 1], [1, 2, 2, 1], "VALID", name="pooled")
        table = tf.get_variable("table", [3, 16], tf.float32)
        h = tf.reshape(h, [-1, 16]) + tf.nn.embedding_lookup(table, y)
        logits = dense(h, 3, "logits")
        loss = tf.reduce_sum(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
        )
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            train = tf.train.MomentumOptimizer(0.05, 0.9, use_nesterov=True).minimize(loss)
        return {"logits": logits, "loss": loss, "train": train}

    return pair.tf1(
        build,
        feeds={"x": "x", "y": "y"},
        product="logits",
        loss="loss",
        train="train",
        training={"training": (True, False)},
    )


def gated():
    """A GRU by `dynamic_rnn`, with lengths, on embedded tokens whose table is also the output's."""
    x = tf.placeholder(tf.int32, [None, 5], "x")
    length = tf.placeholder(tf.int32, [None], "length")
    y = tf.placeholder(tf.int64, [None], "y")
    table = tf.get_variable("table", [7, 4])
    cell = tf.nn.rnn_cell.GRUCell(4)
    outputs, state = tf.nn.dynamic_rnn(
        cell, tf.nn.embedding_lookup(table, x), sequence_length=length, dtype=tf.float32
    )
    logits = tf.matmul(state, table, transpose_b=True)
    loss = tf.losses.sparse_softmax_cross_entropy(y, logits)
    gradients = tf.gradients(loss, tf.trainable_variables())
    clipped = [tf.clip_by_value(tf.convert_to_tensor(item), -0.01, 0.01) for item in gradients]
    pairs = zip(clipped, tf.trainable_variables())
    train = tf.train.AdamOptimizer(0.01).apply_gradients(pairs)
    return pair.tf1(
        tf.get_default_graph(),
        feeds={"x": x, "length": length, "y": y},
        product={"logits": logits, "outputs": outputs},
        loss=loss,
        train=train,
    )


TOKENS = {
    "x": GENERATOR.randint(0, 7, size=(4, 5)),
    "length": np.array([5, 2, 4, 1]),
    "y": GENERATOR.randint(0, 7, size=4),
}


def tape_of(phase):
    """Return draws that answer the same every time."""
    return Draws(phase)
