"""The original, in Keras."""

import keras
from keras import layers


class StochasticDepth(layers.Layer):
    """Leave a branch out for some rows, in training."""

    def __init__(self, rate, **options):
        super().__init__(**options)
        self.rate = rate
        self.seeds = keras.random.SeedGenerator(5)

    def call(self, branch, training=False):
        if not training:
            return branch
        shape = (keras.ops.shape(branch)[0], 1)
        drawn = keras.random.uniform(shape, dtype=branch.dtype, seed=self.seeds)
        kept = keras.ops.cast(drawn >= self.rate, branch.dtype)
        return branch * kept / (1.0 - self.rate)


def build():
    series = keras.Input((6, 5))
    x = layers.LSTM(8, return_sequences=True, dropout=0.25, name="lower")(series)
    x = layers.LSTM(8, name="upper")(layers.Dropout(0.125, name="between")(x))
    mixing = layers.Dense(8, activation="tanh", name="mixing")
    x = x + StochasticDepth(0.5, name="depth1")(mixing(x))
    x = x + StochasticDepth(0.25, name="depth2")(mixing(x))
    x = layers.LayerNormalization(epsilon=2**-10, name="norm")(x)
    model = keras.Model(series, layers.Dense(1, name="value")(x))
    model.compile(optimizer=keras.optimizers.SGD(0.125, momentum=0.5), loss="mse")
    return model
