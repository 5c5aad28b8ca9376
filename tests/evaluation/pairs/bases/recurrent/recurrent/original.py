"""The original, in Keras."""

import keras
from keras import layers


def build():
    model = keras.Sequential(
        [
            keras.Input((7, 5)),
            layers.Masking(name="masking"),
            layers.Bidirectional(layers.LSTM(6, return_sequences=True), name="encoder"),
            layers.GRU(8, name="summary"),
            layers.Dropout(0.25, name="dropout"),
            layers.Dense(
                6,
                activation="sigmoid",
                kernel_regularizer=keras.regularizers.L2(2**-5),
                name="gate",
            ),
            layers.Dense(1, name="value"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(0.0625, momentum=0.5, clipnorm=0.25),
        loss=keras.losses.Huber(delta=0.5),
    )
    return model
