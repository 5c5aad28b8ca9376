"""The original, in Keras."""

import keras
import numpy as np
import tensorflow as tf
from recipes.words import LENGTH, WORDS

PARTS = 2


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.words = keras.layers.Embedding(WORDS, 8)
        self.frozen = keras.layers.Dense(8, activation="tanh", trainable=False)
        self.lower = keras.layers.Dense(12, activation="tanh")
        self.upper = keras.layers.Dense(8, activation="tanh")
        self.drop = keras.layers.Dropout(0.25)
        self.norm = keras.layers.LayerNormalization(epsilon=2**-10)

    def block(self, x):
        return self.upper(self.lower(x))

    def call(self, x, training=False):
        x = self.frozen(self.words(x))
        inner = tf.recompute_grad(self.block)(x) if training else self.block(x)
        x = self.norm(x + self.drop(inner, training=training))
        logits = tf.matmul(x, tf.cast(self.words.embeddings, x.dtype), transpose_b=True)
        return tf.cast(logits, self.words.embeddings.dtype)


class Trainer:
    def __init__(self):
        keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
        self.net = Net()
        self.net(np.zeros((1, LENGTH), "int32"))
        slow, fast = keras.optimizers.SGD(0.125, momentum=0.5), keras.optimizers.SGD(0.5)
        self.optimizers = {"slow": slow, "fast": fast}

    def step(self, batch):
        variables = self.net.trainable_variables
        total, gradients = 0.0, None
        for x, y in zip(tf.split(batch["x"], PARTS), tf.split(batch["y"], PARTS)):
            with tf.GradientTape() as tape:
                each = keras.losses.sparse_categorical_crossentropy(
                    y, self.net(x, training=True), from_logits=True
                )
                loss = tf.reduce_mean(each) / PARTS
            new = [tf.convert_to_tensor(item) for item in tape.gradient(loss, variables)]
            gradients = new if gradients is None else [a + b for a, b in zip(gradients, new)]
            total += loss
        words = {id(item) for item in self.net.words.trainable_variables}
        pairs = list(zip(gradients, variables))
        self.optimizers["slow"].apply_gradients([item for item in pairs if id(item[1]) in words])
        self.optimizers["fast"].apply_gradients(
            [item for item in pairs if id(item[1]) not in words]
        )
        return total
