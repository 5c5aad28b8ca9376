"""The original: a bidirectional LSTM in Keras."""

import keras
from keras import layers


def build():
    model = keras.Sequential(
        [
            keras.Input((20, 12)),
            layers.Bidirectional(layers.LSTM(16), name="encoder"),
            layers.BatchNormalization(name="norm"),
            layers.Dense(24, activation="relu", name="hidden"),
            layers.Dropout(0.25, name="dropout"),
            layers.Dense(3, name="classes"),
        ]
    )
    rate = keras.optimizers.schedules.ExponentialDecay(0.002, decay_steps=5, decay_rate=0.5)
    model.compile(
        optimizer=keras.optimizers.Adam(rate, epsilon=1e-7),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model
