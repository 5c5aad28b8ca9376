"""The workload `linear` as plain objects: TensorFlow 1, Keras, PyTorch."""

import numpy as np

from backends import pair


@pair.side("tf1")
def graph():
    import tensorflow.compat.v1 as tf

    def build():
        x, y = (tf.placeholder(tf.float32, [None, n], name) for n, name in ((10, "x"), (1, "y")))
        w, b = tf.get_variable("w", [10, 1]), tf.get_variable("b", [1])
        out = tf.matmul(x, w) + b
        loss = tf.reduce_mean((out - y) ** 2) + 2.0**-6 * tf.reduce_sum(w**2)
        train = tf.train.GradientDescentOptimizer(2.0**-6).minimize(loss)
        return {"out": out, "loss": loss, "train": train}

    return pair.tf1(build, {"x": "x:0", "y": "y:0"}, "out", loss="loss", train="train")


@pair.side("tf2")
def keras():
    import tensorflow as tf

    layer = tf.keras.layers.Dense(1, kernel_regularizer=tf.keras.regularizers.L2(2.0**-6))
    net = tf.keras.Sequential([tf.keras.Input((10,)), layer])
    net.compile(tf.keras.optimizers.SGD(2.0**-6), "mse")
    return pair.keras(net)


@pair.side("torch")
def module():
    import torch

    net = torch.nn.Linear(10, 1)
    loss = lambda out, batch: ((out - batch["y"]) ** 2).mean() + 2.0**-6 * (net.weight**2).sum()
    return pair.torch(net, torch.optim.SGD(net.parameters(), 2.0**-6), loss=loss)


@pair.data
def data():
    random = np.random.RandomState(0)
    return pair.arrays(16, x=random.randn(398, 10), y=random.randn(398, 1))
