"""Optimizers for TF 2, exactly as a workload asks: Keras' own where it computes that, else one on
TensorFlow's kernel.

Both work on variables by canonical name and offer `apply(gradients)`, `reset()`, `step`, `slots()`,
`load(values)` and `variables()`. Keras' Adam is of the `hat` form and takes the powers of beta with
`pow` in the variable's dtype. But hyper-parameters given as Python floats pass through float32 even
for float64 variables: Keras 2 stores them so, Keras 3 stores the learning rate so and casts the
betas so on their way to `pow`. Hence callables, which are not stored, and tensors where Keras 3
takes no callable.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping

import numpy as np
import tensorflow as tf

from backends.contract import ADAMS, Unsupported
from backends.tf2.runtime import KERAS_3


class Optimizer:
    """What both kinds have in common.

    Attributes:
        step: the variable that counts updates.
        loss_scale: the variable of a dynamic one; other optimizers have none.
    """

    step: Any = None
    loss_scale: Any

    def slots(self) -> Dict[str, Any]:
        """Return the slot variables as `<parameter>/<slot>`."""
        raise NotImplementedError

    def apply(self, gradients: Mapping[str, Any]) -> None:
        """Update the parameters that have a gradient."""
        raise NotImplementedError

    def powers(self) -> Dict[str, Any]:
        """Return the variables that follow from the step count."""
        return {}

    def move_powers(self, step: int) -> None:
        """Set the powers to what they are after so many updates."""

    def variables(self) -> Dict[str, Any]:
        """Return every variable of the optimizer by name."""
        return dict(self.slots(), step=self.step, **self.powers())

    def visible(self) -> Dict[str, Any]:
        """Return the variables that `optimizer_state` shows."""
        return dict(self.slots(), step=self.step)

    def load(self, values: Mapping[str, np.ndarray]) -> None:
        """Set the visible variables and what follows from them."""
        for name, variable in self.visible().items():
            variable.assign(tf.constant(values[name], variable.dtype))
        self.move_powers(int(values["step"]))

    def reset(self) -> None:
        """Return to the state before the first update."""
        self.load({name: np.zeros(variable.shape) for name, variable in self.visible().items()})


class KerasOptimizer(Optimizer):
    """One of Keras' optimizers.

    Args:
        optimizer: from `tf.keras.optimizers`.
        variables: what it updates, by name, as Keras knows them.
    """

    def __init__(self, optimizer: Any, variables: Mapping[str, Any]) -> None:
        self.optimizer, self.updated = optimizer, dict(variables)
        # Slots are made now: tf.function allows no new variables after its first trace.
        if KERAS_3:
            optimizer.build(list(self.updated.values()))
        else:
            optimizer._create_all_weights(list(self.updated.values()))
        self.step = inner(optimizer.iterations)

    def apply(self, gradients: Mapping[str, Any]) -> None:
        pairs = [(value, self.updated[name]) for name, value in gradients.items()]
        self.optimizer.apply_gradients(pairs)

    def slots(self) -> Dict[str, Any]:
        if not isinstance(self.optimizer, tf.keras.optimizers.Adam):
            return {}
        slots = {}
        if not KERAS_3:
            for name, item in self.updated.items():
                for slot in "mv":
                    slots[f"{name}/{slot}"] = self.optimizer.get_slot(item, slot)
            return slots
        for slot, values in (("m", self.optimizer._momentums), ("v", self.optimizer._velocities)):
            for name, value in zip(self.updated, values):
                slots[f"{name}/{slot}"] = inner(value)
        return slots


class Adam(Optimizer):
    """Adam on `ResourceApplyAdam`, the kernel of TF1's own Adam, for what Keras' Adam does not
    compute.

    Args:
        options: see `harness/workloads/spec.py`. `beta_power_dtype` float32 reproduces
            `tf.compat.v1.train.AdamOptimizer`: the powers are a chain of float32 products, and
            hyper-parameters pass through float32. `epsilon_place` corrected (torch; Kingma & Ba
            2015, algorithm 1) is the hat form with eps * sqrt(1 - beta2^t) for eps.
        variables: `tf.Variable`s of one dtype by name.
    """

    def __init__(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
        self.updated = dict(variables)
        self.dtype = next(iter(self.updated.values())).dtype.base_dtype
        self.power_dtype = tf.float32 if options["beta_power_dtype"] == "float32" else self.dtype
        self.corrected = options["epsilon_place"] == "corrected"
        self.rate, self.beta1, self.beta2, self.epsilon = [
            tf.constant(options[name], self.power_dtype)
            for name in ("learning_rate", "beta1", "beta2", "epsilon")
        ]
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.power1, self.power2 = [
            tf.Variable(beta, trainable=False) for beta in (self.beta1, self.beta2)
        ]
        self.m, self.v = self._zeros(), self._zeros()

    def _zeros(self) -> Dict[str, Any]:
        """Return a slot of zeros for each parameter."""
        return {
            name: tf.Variable(tf.zeros_like(item), trainable=False)
            for name, item in self.updated.items()
        }

    def apply(self, gradients: Mapping[str, Any]) -> None:
        power1, power2, rate, beta1, beta2, epsilon = [
            tf.cast(value, self.dtype)
            for value in (self.power1, self.power2, self.rate, self.beta1, self.beta2, self.epsilon)
        ]
        if self.corrected:
            epsilon *= tf.sqrt(1.0 - power2)
        for name, gradient in gradients.items():
            tf.raw_ops.ResourceApplyAdam(
                var=self.updated[name].handle,
                m=self.m[name].handle,
                v=self.v[name].handle,
                beta1_power=power1,
                beta2_power=power2,
                lr=rate,
                beta1=beta1,
                beta2=beta2,
                epsilon=epsilon,
                grad=gradient,
            )
        self.power1.assign(self.power1 * self.beta1)
        self.power2.assign(self.power2 * self.beta2)
        self.step.assign_add(1)

    def slots(self) -> Dict[str, Any]:
        slots = {}
        for name in self.updated:
            slots[name + "/m"] = self.m[name]
            slots[name + "/v"] = self.v[name]
        return slots

    def powers(self) -> Dict[str, Any]:
        return {"power1": self.power1, "power2": self.power2}

    def move_powers(self, step: int) -> None:
        for power, beta in ((self.power1, self.beta1), (self.power2, self.beta2)):
            factor = beta.numpy()
            value = factor
            for _ in range(step):
                value = value * factor  # the chain that `apply` runs, in the same dtype
            power.assign(value)


class Around(Optimizer):
    """An optimizer that adds something to the updates of another one, and has its state."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer, self.step = optimizer, optimizer.step

    def slots(self) -> Dict[str, Any]:
        return self.optimizer.slots()

    def powers(self) -> Dict[str, Any]:
        return self.optimizer.powers()

    def move_powers(self, step: int) -> None:
        self.optimizer.move_powers(step)


class Decaying(Around):
    """Adam with decoupled weight decay: before each update, every weight that has a gradient loses
    a share of itself."""

    def __init__(self, optimizer: Optimizer, share: Any, variables: Mapping[str, Any]) -> None:
        Around.__init__(self, optimizer)
        self.share, self.updated = share, dict(variables)

    def apply(self, gradients: Mapping[str, Any]) -> None:
        for name in gradients:
            self.updated[name].assign_sub(self.share * self.updated[name])
        self.optimizer.apply(gradients)


class Scaled(Around):
    """An optimizer with a dynamic loss scale: see `PRECISION_TABLE` in `backends/contract.py`."""

    def __init__(self, optimizer: Optimizer, start: float, growth: int) -> None:
        Around.__init__(self, optimizer)
        self.start, self.growth = start, growth
        self.loss_scale = tf.Variable(start, dtype=tf.float32, trainable=False)
        self.good = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.skipped = tf.Variable(0, dtype=tf.int64, trainable=False)

    def apply(self, gradients: Mapping[str, Any]) -> None:
        finite_each = [tf.reduce_all(tf.math.is_finite(value)) for value in gradients.values()]
        finite = tf.reduce_all(finite_each)

        def update() -> Any:
            self.optimizer.apply(gradients)
            grown = tf.equal(self.good + 1, self.growth)
            self.loss_scale.assign(tf.where(grown, 2.0 * self.loss_scale, self.loss_scale))
            return self.good.assign(tf.where(grown, tf.zeros_like(self.good), self.good + 1))

        def skip() -> Any:
            self.loss_scale.assign(0.5 * self.loss_scale)
            self.skipped.assign_add(1)
            return self.good.assign(tf.zeros_like(self.good))

        tf.cond(finite, update, skip)

    def variables(self) -> Dict[str, Any]:
        return dict(self.visible(), **self.powers())

    def visible(self) -> Dict[str, Any]:
        return dict(
            self.optimizer.visible(),
            loss_scale=self.loss_scale,
            good=self.good,
            skipped=self.skipped,
        )

    def reset(self) -> None:
        Optimizer.reset(self)
        self.loss_scale.assign(self.start)


def inner(variable: Any) -> Any:
    """Return the `tf.Variable` inside of what Keras 3 hands out."""
    return variable if isinstance(variable, tf.Variable) else variable.value


def build(options: Mapping[str, Any], keras_variables: Mapping[str, Any]) -> Optimizer:
    """Return the optimizer that `options` (see `harness/workloads/spec.py`) describes.

    Args:
        options: one of the workload's `optimizers`.
        keras_variables: the variables that it updates by name, as Keras knows them.

    Raises:
        Unsupported: a kind or a placement that this backend does not know.
    """
    variables = {name: inner(variable) for name, variable in keras_variables.items()}
    dtype = next(iter(variables.values())).dtype.base_dtype

    def exact(name: str) -> Any:
        return lambda: tf.constant(options[name], dtype)

    if options["kind"] == "sgd":
        return KerasOptimizer(tf.keras.optimizers.SGD(exact("learning_rate")), keras_variables)
    _require_adam(options)
    if options["kind"] == "adamw":
        adam = build(dict(options, kind="adam"), keras_variables)
        return Decaying(adam, exact("learning_rate")() * exact("weight_decay")(), variables)
    if options["epsilon_place"] == "corrected" or options["beta_power_dtype"] == "float32":
        return Adam(options, variables)
    beta1, beta2 = [exact(name)() if KERAS_3 else exact(name) for name in ("beta1", "beta2")]
    adam = tf.keras.optimizers.Adam(exact("learning_rate"), beta1, beta2, options["epsilon"])
    return KerasOptimizer(adam, keras_variables)


def _require_adam(options: Mapping[str, Any]) -> None:
    """Raise Unsupported unless the options are those of an Adam that this backend knows."""
    kind = options["kind"]
    if kind not in ADAMS:
        adams = " and ".join(ADAMS)
        raise Unsupported(f"the tf2 backend has the optimizers sgd, {adams}, not {kind!r}")
    powers, place = options["beta_power_dtype"], options["epsilon_place"]
    if powers not in ("variable", "float32"):
        raise Unsupported(f"Adam's beta_power_dtype is variable or float32, not {powers!r}")
    if place not in ("hat", "corrected"):
        raise Unsupported(f"Adam's epsilon_place is hat or corrected, not {place!r}")
