"""`zoo_losses` on TF2: its own losses where they compute in float64 what they say."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """Seven heads, ten losses."""

    PRODUCT = "classes"

    def build(self):
        """Return the layers."""
        sizes = {"hidden": self.config["units"], **self.config["heads"]}
        return {
            name: tf.keras.layers.Dense(size, dtype=self.policies["low"])
            for name, size in sizes.items()
        }

    def inputs(self):
        """Return what goes in."""
        floats = {
            name: (self.dtype, [None, width])
            for name, width in (("x", self.config["features"]), ("value", 1))
        }
        return {
            **floats,
            "class": (tf.int64, [None]),
            "rare": (tf.int64, [None, 1]),
            "known": (tf.int64, [None, 1]),
        }

    def activations(self, arrays, noise, training):
        """Return the hidden units, their deviation over the batch, and the heads."""
        hidden = tf.tanh(self.layers["hidden"](arrays["x"]))
        found = {"hidden": hidden, "deviation": tf.math.reduce_std(hidden, axis=0)}
        wide = tf.concat(
            [hidden, tf.reduce_mean(found["deviation"]) * tf.ones_like(hidden[:, :1])], axis=1
        )
        found.update({name: self.layers[name](wide) for name in self.config["heads"]})
        found["chance"] = tf.sigmoid(found["chance"] - self.config["rare"])
        return found

    def loss_terms(self, phase, arrays, noise):
        """Return every loss, and their sum."""
        config, heads = self.config, self.activations(arrays, noise, training=True)
        known, rare = (tf.cast(arrays[name], self.dtype) for name in ("known", "rare"))
        value, logits = arrays["value"], heads["classes"]
        one_hot = tf.one_hot(arrays["class"], 3, dtype=self.dtype)
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=arrays["class"], logits=logits)
        weights = tf.gather(tf.constant(config["class_weights"], self.dtype), arrays["class"])
        smoothed = tf.keras.losses.categorical_crossentropy(
            one_hot, logits, from_logits=True, label_smoothing=config["smoothing"]
        )
        # Never 0: of a loss of nothing but 1e-14 torch's formula loses every digit.
        expected = (1.0 - config["smoothing"]) * rare + 0.5 * config["smoothing"]
        # Not Keras' loss of probabilities: where it meets a sigmoid in a graph it goes back to the
        # logits and clips nothing.
        chance = tf.clip_by_value(heads["chance"], config["clip"], 1.0 - config["clip"])
        mean, log_variance = heads["mean"], heads["log_variance"]
        latent = -0.5 * tf.reduce_sum(
            1.0 + log_variance - tf.square(mean) - tf.exp(log_variance), axis=1
        )
        targets = (1.0 - config["smoothing"]) * one_hot + config["smoothing"] / 3.0
        terms = {
            "cross_entropy": tf.reduce_mean(each),
            "weighted": tf.reduce_mean(weights * each),
            "smoothed": tf.reduce_mean(smoothed),
            "chance": -tf.reduce_mean(
                rare * tf.math.log(chance) + (1.0 - rare) * tf.math.log(1.0 - chance)
            ),
            "event": tf.reduce_mean(
                tf.nn.sigmoid_cross_entropy_with_logits(expected, heads["event"] - config["never"])
            ),
            "known": tf.math.divide_no_nan(
                tf.reduce_sum(known * tf.square(heads["value"] - value)), tf.reduce_sum(known)
            ),
            "huber": tf.reduce_mean(
                tf.keras.losses.huber(value, heads["value"], delta=config["delta"])
            ),
            "kl": tf.reduce_mean(latent),
            "divergence": tf.reduce_mean(
                tf.keras.losses.kullback_leibler_divergence(targets, tf.nn.softmax(heads["parts"]))
            ),
        }
        return {**terms, "total": tf.add_n(list(terms.values()))}
