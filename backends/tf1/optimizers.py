"""TF1's own optimizers, bent to exactly the semantics that a workload asks for.

`tf.train.AdamOptimizer` is of the `hat` form. It turns its hyper-parameters into tensors and makes
the powers of beta out of them, so *their type decides the dtype of the chain*: Python floats give
float32 powers even for float64 variables (what TF1's users get), NumPy scalars of the variables'
dtype give powers in that dtype. No subclass is needed for either.
"""

from __future__ import annotations

import collections
from typing import Any, Callable, Dict, List, Mapping, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from backends.contract import ADAMS, Unsupported

POWERS = ("beta1", "beta2")


class CorrectedAdam(tf.train.AdamOptimizer):
    """Adam with epsilon added after the bias correction, as torch does it (Kingma & Ba 2015,
    algorithm 1).

    lr/(1-p1) * m / (sqrt(v)/sqrt(1-p2) + eps) is the `hat` form with eps * sqrt(1-p2) for epsilon:
    the kernel stays.
    """

    _epsilon_t: Any  # TensorFlow's own attribute

    def __init__(self, dtype: Any, *args: Any, **options: Any) -> None:
        tf.train.AdamOptimizer.__init__(self, *args, **options)
        self._variable_dtype = dtype

    def _prepare(self) -> None:
        tf.train.AdamOptimizer._prepare(self)
        power = tf.cast(self._get_beta_accumulators()[1], self._variable_dtype)
        self._epsilon_t = tf.cast(self._epsilon_t, self._variable_dtype) * tf.sqrt(1.0 - power)


def build(name: str, options: Mapping[str, Any], dtype: Any) -> Any:
    """Return the optimizer that `options` (see `harness/workloads/spec.py`) describes, for
    variables of `dtype`.

    Raises:
        Unsupported: a kind or a placement that this backend does not know.
    """
    exact = np.dtype(dtype.as_numpy_dtype).type
    if options["kind"] == "sgd":
        return tf.train.GradientDescentOptimizer(exact(options["learning_rate"]), name=name)
    kind = options["kind"]
    if kind not in ADAMS:
        adams = " and ".join(ADAMS)
        raise Unsupported(f"the tf1 backend has the optimizers sgd, {adams}, not {kind!r}")
    powers, place = options["beta_power_dtype"], options["epsilon_place"]
    if powers not in ("variable", "float32"):
        raise Unsupported(f"Adam's beta_power_dtype is variable or float32, not {powers!r}")
    scalar = exact if powers == "variable" else float
    values = [scalar(options[name]) for name in ("learning_rate", "beta1", "beta2", "epsilon")]
    if place == "hat":
        return tf.train.AdamOptimizer(*values, name=name)
    if place == "corrected":
        return CorrectedAdam(dtype, *values, name=name)
    raise Unsupported(f"Adam's epsilon_place is hat or corrected, not {place!r}")


class Optimizer:
    """One optimizer of a workload with all that it remembers.

    Attributes:
        state: its variables under the contract's names: slots, `step` and, where it is dynamic, the
            loss scale.
        scale: the loss scale that gradients are multiplied by on their way: a tensor, None where it
            is not dynamic. It is the variable's value unless something else is fed.
        powers: Adam's powers of beta by the hyper-parameter's name, else empty.
    """

    def __init__(
        self,
        name: str,
        options: Mapping[str, Any],
        parameters: Mapping[str, Any],
        dtype: Any,
        table: Mapping[str, Any],
    ) -> None:
        """Args:
        name, options: the entry of `config["optimizers"]`.
        parameters: the variables that it may update, by canonical name.
        dtype, table: of the variables; the precision's row.
        """
        plain = "".join(letter if letter.isalnum() else "_" for letter in name)
        scope = tf.get_default_graph().unique_name(plain, False)
        self.name, self.options, self.growth = name, options, int(table["loss_scale_growth"])
        exact = np.dtype(dtype.as_numpy_dtype).type
        self.decay = exact(options["learning_rate"]) * exact(options.get("weight_decay", 0.0))
        self.inner = build(scope, options, dtype)
        # The slots of all parameters at once: one phase may update some of them and another the
        # rest.
        self.inner._create_slots(list(parameters.values()))
        self.state: Dict[str, Any] = collections.OrderedDict()
        for parameter, variable in parameters.items():
            for slot in self.inner.get_slot_names():
                self.state[f"{name}/{parameter}/{slot}"] = self.inner.get_slot(variable, slot)
        self.step = self._scalar("step", 0, tf.int64)
        self.powers: Dict[str, Any] = {}
        if options["kind"] in ADAMS:
            self.powers = dict(zip(POWERS, self.inner._get_beta_accumulators()))
        self.scale: Any = None
        if self.growth:
            self.loss_scale = self._scalar("loss_scale", table["loss_scale"], dtype)
            self.scale = tf.convert_to_tensor(self.loss_scale)
            self.good = self._scalar("good", 0, tf.int64)
            self.skipped = self._scalar("skipped", 0, tf.int64)

    def _scalar(self, name: str, value: Any, dtype: Any) -> Any:
        full = f"{self.name}/{name}"
        self.state[full] = tf.Variable(
            value, False, dtype=dtype, use_resource=True, name=self.inner.get_name() + "/" + name
        )
        return self.state[full]

    def gradients(self, total: Any, variables: List[Any]) -> List[Any]:
        """Return the gradients of the loss, None where there is none; scaled on the way where the
        precision asks for it."""
        if not self.growth:
            return list(tf.gradients(total, variables))
        scaled = tf.gradients(total * self.scale, variables)
        return [
            None if gradient is None else tf.convert_to_tensor(gradient) / self.scale
            for gradient in scaled
        ]

    def update(self, pairs: List[Tuple[Any, Any]], changes: List[Tuple[Any, Any]]) -> Any:
        """Return the operation that applies gradients and subtracts `changes` from running
        statistics, all or nothing."""

        def apply() -> Any:
            decays = []
            if self.decay:
                for _, variable in pairs:
                    share = self.decay * variable
                    decays.append(variable.assign_sub(share, read_value=False))
            with tf.control_dependencies(decays):
                done = [self.inner.apply_gradients(pairs, global_step=self.step)]
            for statistic, change in changes:
                done.append(statistic.assign_sub(change, read_value=False))
            return tf.group(done)

        if not self.growth:
            return apply()
        finite_each = [tf.reduce_all(tf.is_finite(gradient)) for gradient, _ in pairs]
        finite = tf.reduce_all(tf.stack(finite_each))
        return tf.cond(finite, lambda: self._grow(apply), self._skip).op

    def _grow(self, apply: Callable[[], Any]) -> Any:
        """Apply; `growth` good updates in a row double the scale."""
        good = self.good + 1
        full = tf.equal(good, self.growth)
        scale = tf.where(full, 2.0 * self.loss_scale, tf.convert_to_tensor(self.loss_scale))
        with tf.control_dependencies([good, scale, apply()]):
            good = tf.where(full, tf.zeros_like(good), good)
            done = [
                self.good.assign(good, read_value=False),
                self.loss_scale.assign(scale, read_value=False),
            ]
        with tf.control_dependencies(done):
            return tf.constant(True)

    def _skip(self) -> Any:
        done = [
            self.loss_scale.assign(0.5 * self.loss_scale, read_value=False),
            self.good.assign(tf.zeros([], tf.int64), read_value=False),
            self.skipped.assign_add(tf.ones([], tf.int64), read_value=False),
        ]
        with tf.control_dependencies(done):
            return tf.constant(False)

    def variables(self) -> List[Any]:
        """Return everything that a reset sets back."""
        return list(self.state.values()) + list(self.powers.values())

    def powers_at(self, step: int) -> List[Tuple[Any, np.ndarray]]:
        """Return the powers' variables with their values after `step` updates: the same chain of
        products."""
        return [
            (variable, chain(self.options[name], variable, step)[-1])
            for name, variable in self.powers.items()
        ]


def check(values: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> None:
    """Raise unless `values` has exactly the names and shapes of `state`.

    Raises:
        KeyError: a name is missing or unknown. ValueError: a shape differs.
    """
    missing, unknown = sorted(set(state) - set(values)), sorted(set(values) - set(state))
    if missing or unknown:
        missing_names, unknown_names = ", ".join(missing), ", ".join(unknown)
        raise KeyError(
            f"optimizer state: missing {missing_names or 'none'}; unknown {unknown_names or 'none'}"
        )
    for name, variable in state.items():
        shape, expected = np.shape(values[name]), variable.shape.as_list()
        if shape != tuple(expected):
            raise ValueError(f"optimizer state: {name} has shape {shape}, expected {expected}")


def chain(beta: float, variable: Any, step: int) -> np.ndarray:
    """Return the powers beta^1 ... beta^(step + 1) as TF multiplies them up: one product an update,
    in the variable's dtype, denormal results flushed to zero."""
    dtype = np.dtype(variable.dtype.base_dtype.as_numpy_dtype)
    powers = np.multiply.accumulate(np.full(step + 1, beta, dtype))
    powers[powers < np.finfo(dtype).tiny] = 0
    return powers


def saturation(beta: float, variable: Any) -> int:
    """Return the smallest number of updates after which the power is zero."""
    dtype = np.dtype(variable.dtype.base_dtype.as_numpy_dtype)
    if not beta:
        return 0
    about = int(np.log(np.finfo(dtype).tiny) / np.log(beta))
    return int(np.argmax(chain(beta, variable, about + about // 1000 + 8) == 0))


def infer_step(optimizer: Any, powers: Mapping[str, Any]) -> Tuple[int, str]:
    """Return how many updates made these powers of beta, and how that is known.

    Args:
        optimizer: an `Optimizer`, or what has its `name`, `options` and `powers`.
        powers: the values that were read, by the name of the hyper-parameter.

    Raises:
        ValueError: no number of updates gives them.
    """
    steps, least = [], []
    for name in reversed(POWERS):  # beta2's power lasts longer
        beta, variable, power = optimizer.options[name], optimizer.powers[name], float(powers[name])
        if power < np.finfo(variable.dtype.base_dtype.as_numpy_dtype).tiny:
            least.append(saturation(beta, variable))
            continue
        about = int(np.log(power) / np.log(beta)) if 0.0 < power < 1.0 and 0.0 < beta < 1.0 else 0
        candidates = chain(beta, variable, about + about // 1000 + 8)
        step = int(np.argmin(np.abs(candidates - power)))
        if abs(candidates[step] - power) > 0.25 * (1.0 - beta) * power:
            raise ValueError(
                f"{optimizer.name}: no number of updates gives the power of {name} {power!r}"
            )
        steps.append(step)
    if not steps:
        return max(least), "saturated: the powers of beta have underflowed"
    # A power that is zero takes so many updates at least.
    if len(set(steps)) > 1 or max(least + steps) > steps[0]:
        raise ValueError(
            f"{optimizer.name}: its powers of beta1 and beta2 are those of different steps:"
            f" {steps + least}"
        )
    return steps[0], "inferred from the powers of beta"
