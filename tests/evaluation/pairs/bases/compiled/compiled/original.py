"""The original, in Keras."""

import keras
from compiled.points import INPUTS, KINDS


def build():
    net = keras.Sequential(
        [
            keras.Input((INPUTS,)),
            keras.layers.Dense(12, activation="tanh", name="hidden"),
            keras.layers.LayerNormalization(epsilon=2**-10, name="norm"),
            keras.layers.Dropout(0.25, name="drop"),
            keras.layers.Dense(KINDS, name="out"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(keras.optimizers.SGD(0.125, momentum=0.5), loss, jit_compile=True)
    return net
