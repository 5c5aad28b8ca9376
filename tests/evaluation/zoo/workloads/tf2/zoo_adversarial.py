"""`zoo_adversarial` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """Generator and critic with a shared matrix."""

    PRODUCT = "real"

    def build(self):
        """Return the layers."""
        config, low = self.config, self.policies["low"]
        code, units = config["code"], config["units"]
        sizes = {
            "shared": (config["features"], code),
            "generator/hidden": (code, units),
            "generator/code": (units, code),
            "critic/hidden": (code, units),
            "critic/score": (units, 1),
        }
        found = {
            name: tf.keras.layers.Dense(size, use_bias=name != "shared", dtype=low)
            for name, (_, size) in sizes.items()
        }
        for name, layer in found.items():
            layer.build([None, sizes[name][0]])
        return found

    def inputs(self):
        """Return what goes in."""
        return {"x": (self.dtype, [None, self.config["features"]])}

    def variables(self):
        """Return the variables; a layer's name may have a slash."""
        split = [item["name"].rsplit("/", 1) for item in self.config["parameters"]]
        return {
            f"{layer}/{attribute}": getattr(self.layers[layer], attribute)
            for layer, attribute in split
        }

    def fake(self, z):
        """Return generated flowers."""
        code = self.layers["generator/code"](tf.tanh(self.layers["generator/hidden"](z)))
        return tf.matmul(code, self.layers["shared"].kernel, transpose_b=True)

    def hidden(self, x):
        """Return the critic's hidden units."""
        return tf.tanh(self.layers["critic/hidden"](tf.tanh(self.layers["shared"](x))))

    def score(self, x):
        """Return the critic's logits."""
        return self.layers["critic/score"](self.hidden(x))

    def activations(self, arrays, noise, training):
        """Return the critic's logits, in training also those of generated flowers."""
        found = {"hidden": self.hidden(arrays["x"]), "real": self.score(arrays["x"])}
        if training:
            found["made"] = self.fake(noise["z"])
            found["fake"] = self.score(found["made"])
        return found

    def loss_terms(self, phase, arrays, noise):
        """Return the cross-entropies of a phase."""

        def error(logits, label):
            return tf.reduce_mean(
                tf.nn.sigmoid_cross_entropy_with_logits(
                    labels=label * tf.ones_like(logits), logits=logits
                )
            )

        fake = self.fake(noise["z"])
        if phase == "generator":
            return {"total": error(self.score(fake), 1.0)}
        terms = {
            "real": error(self.score(arrays["x"]), 1.0),
            "fake": error(self.score(tf.stop_gradient(fake)), 0.0),
        }
        return {**terms, "total": terms["real"] + terms["fake"]}
