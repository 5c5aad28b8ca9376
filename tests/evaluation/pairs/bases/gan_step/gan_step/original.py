"""The original: Keras with a step of its own."""

import keras
import tensorflow as tf
from keras import layers


def bce(logits, target):
    wanted = tf.fill(tf.shape(logits), tf.cast(target, logits.dtype))
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits))


class Gan:
    def __init__(self):
        self.maker = keras.Sequential(
            [
                keras.Input((4,)),
                layers.Dense(12, activation="tanh", name="first"),
                layers.Dense(12, activation="relu", name="second"),
                layers.Dense(2, name="point"),
            ],
            name="maker",
        )
        self.critic = keras.Sequential(
            [
                keras.Input((2,)),
                layers.Dense(12, name="look"),
                layers.LeakyReLU(negative_slope=0.25, name="leaky"),
                layers.Dropout(0.25, name="dropout"),
                layers.Dense(1, name="score"),
            ],
            name="critic",
        )
        self.models = {"maker": self.maker, "critic": self.critic}
        self.optimizers = {
            "maker": keras.optimizers.SGD(0.0625, momentum=0.5),
            "critic": keras.optimizers.SGD(0.125),
        }

    def forward(self, batch, training):
        z = self._noise(batch)
        return self.critic(self.maker(z, training=training), training=training)

    @tf.function
    def train(self, batch):
        with tf.GradientTape() as tape:
            real = bce(self.critic(batch["x"], training=True), 0.875)
            made = self.maker(self._noise(batch), training=True)
            fooled = bce(self.critic(made, training=True), 0.0)
            loss = real + fooled
        self._apply("critic", tape, loss)
        with tf.GradientTape() as tape:
            made = self.maker(self._noise(batch), training=True)
            maker_loss = bce(self.critic(made, training=True), 1.0)
        self._apply("maker", tape, maker_loss)
        return {"critic": loss, "maker": maker_loss}

    def _noise(self, batch):
        return tf.random.normal((tf.shape(batch["x"])[0], 4), dtype=batch["x"].dtype)

    def _apply(self, name, tape, loss):
        weights = self.models[name].trainable_variables
        self.optimizers[name].apply_gradients(zip(tape.gradient(loss, weights), weights))
