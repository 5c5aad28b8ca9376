"""`zoo_recurrent` on TF2: Keras' own LSTM and GRU, with masks."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """LSTM, GRU, mean over the steps, ten classes."""

    PRODUCT = "probabilities"

    def build(self):
        """Return the layers."""
        config, low, layers = self.config, self.policies["low"], tf.keras.layers
        return {
            "lstm": layers.LSTM(config["units"], return_sequences=True, dtype=low),
            "gru": layers.GRU(
                config["units"],
                recurrent_activation="hard_sigmoid",
                reset_after=False,
                return_sequences=True,
                dtype=low,
            ),
            "dense": layers.Dense(config["classes"], dtype=low),
        }

    def inputs(self):
        """Return what goes in."""
        series = (self.dtype, [None, self.config["steps"], self.config["features"]])
        return {"x": series, "length": (tf.int64, [None]), "y": (tf.int64, [None])}

    def variables(self):
        """Return the variables; a recurrent layer's belong to its cell."""
        owners = {
            "lstm": self.layers["lstm"].cell,
            "gru": self.layers["gru"].cell,
            "dense": self.layers["dense"],
        }
        names = [item["name"].split("/") for item in self.config["parameters"]]
        return {
            f"{layer}/{attribute}": getattr(owners[layer], attribute) for layer, attribute in names
        }

    def activations(self, arrays, noise, training):
        """Return the outputs of the layers."""
        x, found = arrays["x"], {}
        mask = tf.sequence_mask(arrays["length"], self.config["steps"])
        for name in ("lstm", "gru"):
            x = found[name] = self.layers[name](x, mask=mask, training=training)
            if training:
                x = self.dropout(x, self.config["dropout_rate"], noise, name)
            found[f"{name}/dropout"] = x
        found["pooled"] = tf.reduce_mean(x, axis=1)
        found["logits"] = self.layers["dense"](found["pooled"])
        found["probabilities"] = tf.nn.softmax(found["logits"])
        return found

    def loss_terms(self, phase, arrays, noise):
        """Return the cross-entropy."""
        logits = self.activations(arrays, noise, training=True)["logits"]
        return {
            "total": tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=arrays["y"], logits=logits)
            )
        }
