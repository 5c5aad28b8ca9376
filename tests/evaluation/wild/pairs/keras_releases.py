"""MobileNet of keras.applications: Keras 2, Keras 3."""

import numpy as np

from backends import pair


@pair.side("tf2.10")
def older():
    import tensorflow as tf

    net = tf.keras.applications.MobileNet((32, 32, 3), 0.25, weights=None, classes=10, dropout=0.2)
    net.compile(tf.keras.optimizers.SGD(0.0625, momentum=0.9), "sparse_categorical_crossentropy")
    return pair.keras(net)


@pair.side("tf2")
def newer():
    return older()


@pair.data
def data():
    random = np.random.RandomState(0)
    return pair.arrays(4, x=random.rand(32, 32, 32, 3), y=random.randint(0, 10, 32))
