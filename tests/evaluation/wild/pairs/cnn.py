"""The workload `cnn` as plain objects, with momentum for Adam: TensorFlow 1, Keras, PyTorch."""

import numpy as np

from backends import pair


@pair.side("tf1")
def graph():
    import tensorflow.compat.v1 as tf

    def build():
        x, y = (
            tf.placeholder(tf.float32, [None, 8, 8, 1], "x"),
            tf.placeholder(tf.int64, [None], "y"),
        )
        training = tf.placeholder_with_default(False, [], "training")
        h = x
        for filters in (32, 64):
            h = tf.layers.conv2d(h, filters, 3, padding="same", activation=tf.nn.relu)
            h = tf.layers.max_pooling2d(h, 2, 2)
        h = tf.layers.dense(tf.layers.flatten(h), 128, activation=tf.nn.relu)
        h = tf.layers.dropout(h, 0.125, training=training)
        h = tf.layers.batch_normalization(h, momentum=0.75, epsilon=2.0**-10, training=training)
        out = tf.layers.dense(h, 10)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=out))
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            train = tf.train.MomentumOptimizer(0.0625, 0.5).minimize(loss)
        return {"out": out, "loss": loss, "train": train}

    feeds, training = {"x": "x:0", "y": "y:0"}, {"training:0": (True, False)}
    return pair.tf1(build, feeds, "out", loss="loss", train="train", training=training)


@pair.side("tf2")
def keras():
    import tensorflow as tf

    made, net = tf.keras.layers, tf.keras.Sequential([tf.keras.Input((8, 8, 1))])
    for filters in (32, 64):
        net.add(made.Conv2D(filters, 3, padding="same", activation="relu"))
        net.add(made.MaxPooling2D(2))
    for layer in (made.Flatten(), made.Dense(128, "relu"), made.Dropout(0.125)):
        net.add(layer)
    net.add(made.BatchNormalization(momentum=0.75, epsilon=2.0**-10))
    net.add(made.Dense(10))
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits
    loss = lambda y, out: entropy(tf.cast(tf.reshape(y, [-1]), tf.int64), out)
    net.compile(tf.keras.optimizers.SGD(0.0625, 0.5), loss)
    return pair.keras(net)


@pair.side("torch")
def module():
    import torch
    from torch import nn

    from backends.torch.normalization import BatchNorm

    layers = [nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    layers += [nn.Linear(256, 128), nn.ReLU(), nn.Dropout(0.125)]
    net = nn.Sequential(
        *layers, BatchNorm(128, epsilon=2.0**-10, momentum=0.75), nn.Linear(128, 10)
    )
    optimizer = torch.optim.SGD(net.parameters(), 0.0625, 0.5)
    loss = lambda out, batch: nn.functional.cross_entropy(out, batch["y"])
    forward = lambda batch: net(batch["x"].permute(0, 3, 1, 2))
    return pair.torch(net, optimizer, forward=forward, loss=loss)


@pair.data
def data():
    random = np.random.RandomState(0)
    return pair.arrays(16, x=random.rand(128, 8, 8, 1), y=random.randint(0, 10, 128))
