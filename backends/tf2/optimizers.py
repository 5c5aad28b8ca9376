"""Optimizers for TF 2, exactly as a workload asks: Keras' own where it computes that, else one on TensorFlow's kernel.

Both offer `apply(gradients)`, `reset()`, `step` and `slots()`. Keras' Adam is of the `hat` form and takes the powers of
beta with `pow` in the variable's dtype. But hyper-parameters given as Python floats pass through float32 even for float64
variables: Keras 2 stores them so, Keras 3 stores the learning rate so and casts the betas so on their way to `pow`. Hence
callables, which are not stored, and tensors where Keras 3 takes no callable.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence

import tensorflow as tf

from backends.contract import Unsupported
from backends.tf2.runtime import KERAS_3


class KerasOptimizer(object):
    """One of Keras' optimizers on a fixed list of variables.

    Args:
        optimizer: from `tf.keras.optimizers`.
        variables: what it updates, in the order of the gradients.
    """

    def __init__(self, optimizer: Any, variables: Sequence[Any]) -> None:
        self.optimizer, self.variables = optimizer, list(variables)
        # Slots are made now: tf.function allows no new variables after its first trace.
        if KERAS_3:
            optimizer.build(self.variables)
        else:
            optimizer._create_all_weights(self.variables)

    @property
    def step(self) -> Any:
        """The variable that counts updates."""
        return self.optimizer.iterations

    def apply(self, gradients: Sequence[Any]) -> None:
        """Update the variables."""
        self.optimizer.apply_gradients(zip(gradients, self.variables))

    def slots(self) -> Dict[str, List[Any]]:
        """Return the slots by canonical name, each a list in the order of the variables."""
        if not isinstance(self.optimizer, tf.keras.optimizers.Adam):
            return {}
        if KERAS_3:
            return {"m": self.optimizer._momentums, "v": self.optimizer._velocities}
        return {slot: [self.optimizer.get_slot(variable, slot) for variable in self.variables] for slot in ("m", "v")}

    def reset(self) -> None:
        """Return to the state before the first update."""
        zero([self.step] + [slot for values in self.slots().values() for slot in values])


class Adam(object):
    """Adam on `ResourceApplyAdam`, the kernel of TF1's own Adam, for what Keras' Adam does not compute.

    Args:
        options: see `harness/workloads/spec.py`. `beta_power_dtype` float32 reproduces `tf.compat.v1.train.AdamOptimizer`:
            the powers are a chain of float32 products, and hyper-parameters pass through float32. `epsilon_place`
            corrected (torch; Kingma & Ba 2015, algorithm 1) is the hat form with eps * sqrt(1 - beta2^t) for eps.
        variables: `tf.Variable`s of one dtype, in the order of the gradients.
    """

    def __init__(self, options: Mapping[str, Any], variables: Sequence[Any]) -> None:
        self.variables = list(variables)
        self.dtype = self.variables[0].dtype.base_dtype
        self.power_dtype = tf.float32 if options["beta_power_dtype"] == "float32" else self.dtype
        self.corrected = options["epsilon_place"] == "corrected"
        self.rate, self.beta1, self.beta2, self.epsilon = [
            tf.constant(options[name], self.power_dtype) for name in ("learning_rate", "beta1", "beta2", "epsilon")]
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.power1, self.power2 = [tf.Variable(beta, trainable=False) for beta in (self.beta1, self.beta2)]
        self.m, self.v = [[tf.Variable(tf.zeros_like(item), trainable=False) for item in self.variables] for _ in "mv"]

    def apply(self, gradients: Sequence[Any]) -> None:
        """Update the variables, then move the powers on."""
        power1, power2, rate, beta1, beta2, epsilon = [
            tf.cast(value, self.dtype)
            for value in (self.power1, self.power2, self.rate, self.beta1, self.beta2, self.epsilon)]
        if self.corrected:
            epsilon *= tf.sqrt(1.0 - power2)
        for variable, m, v, gradient in zip(self.variables, self.m, self.v, gradients):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=m.handle, v=v.handle, beta1_power=power1, beta2_power=power2, lr=rate, beta1=beta1,
                beta2=beta2, epsilon=epsilon, grad=gradient)
        self.power1.assign(self.power1 * self.beta1)
        self.power2.assign(self.power2 * self.beta2)
        self.step.assign_add(1)

    def slots(self) -> Dict[str, List[Any]]:
        """Return the slots by canonical name, each a list in the order of the variables."""
        return {"m": self.m, "v": self.v}

    def reset(self) -> None:
        """Return to the state before the first update."""
        zero([self.step] + self.m + self.v)
        self.power1.assign(self.beta1)
        self.power2.assign(self.beta2)


def zero(variables: Sequence[Any]) -> None:
    """Set variables to zero."""
    for variable in variables:
        variable.assign(tf.zeros(variable.shape, variable.dtype))


def build(options: Mapping[str, Any], keras_variables: Sequence[Any], variables: Sequence[Any]) -> Any:
    """Return the optimizer that `options` (see `harness/workloads/spec.py`) describes.

    Args:
        options: the workload's `optimizer`.
        keras_variables: the trainable variables as Keras knows them.
        variables: the same as `tf.Variable`s (with Keras 2 they are the same objects).

    Raises:
        Unsupported: a kind or a placement that this backend does not know.
    """
    dtype = variables[0].dtype.base_dtype

    def exact(name: str) -> Any:
        return lambda: tf.constant(options[name], dtype)

    if options["kind"] == "sgd":
        return KerasOptimizer(tf.keras.optimizers.SGD(exact("learning_rate")), keras_variables)
    if options["kind"] != "adam":
        raise Unsupported("the tf2 backend has the optimizers sgd and adam, not %r" % options["kind"])
    if options["beta_power_dtype"] not in ("variable", "float32"):
        raise Unsupported("Adam's beta_power_dtype is variable or float32, not %r" % options["beta_power_dtype"])
    if options["epsilon_place"] not in ("hat", "corrected"):
        raise Unsupported("Adam's epsilon_place is hat or corrected, not %r" % options["epsilon_place"])
    if options["epsilon_place"] == "corrected" or options["beta_power_dtype"] == "float32":
        return Adam(options, variables)
    beta1, beta2 = [exact(name)() if KERAS_3 else exact(name) for name in ("beta1", "beta2")]
    adam = tf.keras.optimizers.Adam(exact("learning_rate"), beta1, beta2, options["epsilon"])
    return KerasOptimizer(adam, keras_variables)
