"""The original, in Keras, which scales the loss by itself."""

import keras
from scaled.points import INPUTS, KINDS

CLIP = 0.0625


def build():
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    net = keras.Sequential(
        [
            keras.Input((INPUTS,)),
            keras.layers.Dense(12, activation="tanh", name="hidden"),
            keras.layers.Dropout(0.25, name="drop"),
            keras.layers.Dense(KINDS, name="out"),
            keras.layers.Activation("linear", dtype="float32", name="logits"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(keras.optimizers.SGD(0.125, momentum=0.5, clipvalue=CLIP), loss)
    return net
