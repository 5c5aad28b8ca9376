"""The original, in Keras."""

import keras
from keras import layers


def build():
    model = keras.Sequential(
        [
            keras.Input((10, 10, 2)),
            layers.Conv2D(8, 3, strides=2, padding="same", name="stem"),
            layers.LeakyReLU(negative_slope=0.25, name="leaky"),
            layers.Conv2D(8, 3, activation="silu", name="middle"),
            layers.AveragePooling2D(2, padding="same", name="pool"),
            layers.Flatten(name="flat"),
            layers.Dense(16, name="hidden"),
            layers.BatchNormalization(momentum=0.875, epsilon=2**-10, name="norm"),
            layers.ReLU(name="relu"),
            layers.Dropout(0.25, name="dropout"),
            layers.Dense(4, name="classes"),
        ]
    )
    rate = keras.optimizers.schedules.ExponentialDecay(0.25, 4, 0.5, staircase=True)
    model.compile(
        optimizer=keras.optimizers.SGD(rate, weight_decay=2**-7, global_clipnorm=0.5),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.125),
    )
    return model
