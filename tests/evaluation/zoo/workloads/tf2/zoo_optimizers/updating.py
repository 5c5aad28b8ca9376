"""TensorFlow's own optimizers, as models come with them: those of `tf.compat.v1.train`, and
Keras'."""

import tensorflow as tf

from backends.tf2.optimizers import KerasOptimizer, Optimizer, inner

train = tf.compat.v1.train


class Compat(Optimizer):
    """One of `tf.compat.v1.train`.

    Args:
        optimizer: the optimizer.
        variables: what it updates, by name.
        slots: canonical words for its slots, and its own.
    """

    def __init__(self, optimizer, variables, slots):
        self.optimizer, self.words = optimizer, slots
        self.updated = {name: inner(variable) for name, variable in variables.items()}
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
        optimizer._create_slots(
            list(self.updated.values())
        )  # tf.function allows no new variables after its first trace
        self.start = [
            (variable, variable.numpy()) for variable in [self.step] + optimizer.variables()
        ]

    def apply(self, gradients):
        """Update; the gradient of a table may be a pair of rows and their numbers."""
        pairs = [
            (as_rows(gradient, self.updated[name]), self.updated[name])
            for name, gradient in gradients.items()
        ]
        self.optimizer.apply_gradients(pairs, global_step=self.step)

    def slots(self):
        """Return the slot variables by name."""
        return {
            f"{name}/{word}": self.optimizer.get_slot(variable, own)
            for name, variable in self.updated.items()
            for word, own in self.words.items()
        }

    def reset(self):
        """Return to the state before the first update: not all slots begin at zero."""
        for variable, value in self.start:
            variable.assign(value)


def as_rows(gradient, variable):
    """Return a gradient as TensorFlow has it."""
    return (
        tf.IndexedSlices(*gradient, dense_shape=variable.shape)
        if isinstance(gradient, tuple)
        else gradient
    )


class ClippedTogether(Compat):
    """An optimizer whose gradients are clipped by their global norm before."""

    limit = None

    def apply(self, gradients):
        """Clip, and update."""
        clipped, _ = tf.clip_by_global_norm(list(gradients.values()), self.limit)
        super().apply(dict(zip(gradients, clipped, strict=True)))


class Guarded(KerasOptimizer):
    """An optimizer whose gradients are clipped, and that passes over an update whose norm is not
    finite."""

    limit = None

    def apply(self, gradients):
        """Clip and update, or do nothing."""
        clipped, norm = tf.clip_by_global_norm(list(gradients.values()), self.limit)

        def update():
            KerasOptimizer.apply(self, dict(zip(gradients, clipped, strict=True)))
            return self.step.read_value()

        tf.cond(tf.math.is_finite(norm), update, self.step.read_value)


def keras_adam(config, variables, kind=KerasOptimizer):
    """Return Keras' Adam; epsilon is of the hat form."""
    return kind(
        tf.keras.optimizers.Adam(
            config["rate"], config["beta1"], config["beta2"], config["epsilon"]
        ),
        variables,
    )


def keras_adamw(config, variables):
    """Return Keras' AdamW, which does not let the biases decay here."""
    optimizer = tf.keras.optimizers.AdamW(
        config["rate"], config["weight_decay"], config["beta1"], config["beta2"], config["epsilon"]
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return KerasOptimizer(optimizer, variables)


def rmsprop(config, variables):
    """Return TF1's RMSprop: its mean square begins at 1, and epsilon is inside the root."""
    optimizer = train.RMSPropOptimizer(
        config["rate"], config["rmsprop_decay"], config["momentum"], config["rmsprop_epsilon"]
    )
    return Compat(optimizer, variables, {"rms": "rms", "momentum": "momentum"})


def adagrad(config, variables):
    """Return TF1's Adagrad: the accumulator begins above 0, and there is no epsilon."""
    return Compat(
        train.AdagradOptimizer(config["rate"], config["accumulator"]),
        variables,
        {"accumulator": "accumulator"},
    )


def clip_each(config, variables):
    """Return Keras' SGD with the gradient of each variable clipped by its own norm."""
    return KerasOptimizer(
        tf.keras.optimizers.SGD(config["rate"], clipnorm=config["clip_norm"]), variables
    )


def clip_together(config, variables):
    """Return TF1's SGD on gradients clipped by their global norm."""
    optimizer = ClippedTogether(train.GradientDescentOptimizer(config["rate"]), variables, {})
    optimizer.limit = config["clip_norm"]
    return optimizer


def guarded(config, variables):
    """Return Keras' Adam with gradients clipped by their global norm, where that is finite."""
    optimizer = keras_adam(config, variables, Guarded)
    optimizer.limit = config["clip_norm"]
    return optimizer


def table_adam(config, variables):
    """Return TF1's Adam: the moments of all rows decay, and all rows move."""
    optimizer = train.AdamOptimizer(
        config["rate"], config["beta1"], config["beta2"], config["table_epsilon"]
    )
    return Compat(optimizer, variables, {"m": "m", "v": "v"})


def table_momentum(config, variables):
    """Return TF1's momentum: it leaves rows that a batch does not look up as they are."""
    return Compat(
        train.MomentumOptimizer(config["rate"], config["momentum"]),
        variables,
        {"momentum": "momentum"},
    )


OPTIMIZERS = {
    "adam": keras_adam,
    "adamw": keras_adamw,
    "rmsprop": rmsprop,
    "adagrad": adagrad,
    "clip_each": clip_each,
    "clip_together": clip_together,
    "guarded": guarded,
    "table_adam": table_adam,
    "table_momentum": table_momentum,
    "first_turn": keras_adam,
    "second_turn": keras_adam,
}
