"""The port to Keras."""

import keras
from keras import layers


def build():
    l2 = keras.regularizers.L2(0.5**9)
    model = keras.Sequential(
        [
            keras.Input((17, 17, 1)),
            layers.Conv2D(8, 3, padding="same", kernel_regularizer=l2, name="edges"),
            layers.BatchNormalization(momentum=0.875, name="norm"),
            layers.ReLU(),
            layers.Conv2D(
                12, 4, 2, "same", activation="relu", kernel_regularizer=l2, name="shapes"
            ),
            layers.Flatten(),
            layers.Dense(16, activation="relu", kernel_regularizer=l2, name="hidden"),
            layers.Dropout(0.25, name="dropout"),
            layers.Dense(3, kernel_regularizer=l2, name="species"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.0625, momentum=0.875), loss)
    return model
