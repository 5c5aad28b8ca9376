"""The original, in Keras."""

import keras
from keras import layers


def gelu(x):
    return 0.5 * x * (1.0 + keras.ops.erf(x / 2.0**0.5))


def build():
    words = keras.Input((6,), dtype="int32")
    there = keras.ops.not_equal(words, 0)
    x = layers.Embedding(20, 16, name="words")(words)
    attend = layers.MultiHeadAttention(4, 4, dropout=0.25, name="attend")
    context = attend(x, x, attention_mask=keras.ops.expand_dims(there, 1))
    x = layers.LayerNormalization(epsilon=2**-17, name="norm1")(x + context)
    hidden = layers.Dense(24, activation=gelu, name="wide")(x)
    hidden = layers.Dense(16, name="narrow")(layers.Dropout(0.125, name="dropout")(hidden))
    x = layers.LayerNormalization(epsilon=2**-17, name="norm2")(x + hidden)
    logits = layers.Dense(3, name="classes")(layers.GlobalAveragePooling1D(name="mean")(x))
    model = keras.Model(words, logits)
    model.compile(
        optimizer=keras.optimizers.SGD(0.125, momentum=0.75, nesterov=True),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model
