"""TF1's own optimizers, bent to exactly the semantics that a workload asks for.

`tf.train.AdamOptimizer` is of the `hat` form. It turns its hyper-parameters into tensors and makes the powers of beta out
of them, so *their type decides the dtype of the chain*: Python floats give float32 powers even for float64 variables
(what TF1's users get), NumPy scalars of the variables' dtype give powers in that dtype. No subclass is needed for either.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

import numpy as np
import tensorflow.compat.v1 as tf

from backends.contract import Unsupported


class CorrectedAdam(tf.train.AdamOptimizer):
    """Adam with epsilon added after the bias correction, as torch does it (Kingma & Ba 2015, algorithm 1).

    lr/(1-p1) * m / (sqrt(v)/sqrt(1-p2) + eps) is the `hat` form with eps * sqrt(1-p2) for epsilon: the kernel stays.
    """

    def __init__(self, dtype: Any, *args: Any) -> None:
        tf.train.AdamOptimizer.__init__(self, *args)
        self._variable_dtype = dtype

    def _prepare(self) -> None:
        tf.train.AdamOptimizer._prepare(self)
        power = tf.cast(self._get_beta_accumulators()[1], self._variable_dtype)
        self._epsilon_t = tf.cast(self._epsilon_t, self._variable_dtype) * tf.sqrt(1.0 - power)


def build(options: Mapping[str, Any], dtype: Any) -> Any:
    """Return the optimizer that `options` (see `harness/workloads/spec.py`) describes, for variables of `dtype`.

    Raises:
        Unsupported: a kind or a placement that this backend does not know.
    """
    exact = np.dtype(dtype.as_numpy_dtype).type
    if options["kind"] == "sgd":
        return tf.train.GradientDescentOptimizer(exact(options["learning_rate"]))
    if options["kind"] != "adam":
        raise Unsupported("the tf1 backend has the optimizers sgd and adam, not %r" % options["kind"])
    if options["beta_power_dtype"] not in ("variable", "float32"):
        raise Unsupported("Adam's beta_power_dtype is variable or float32, not %r" % options["beta_power_dtype"])
    scalar = exact if options["beta_power_dtype"] == "variable" else float
    values = [scalar(options[name]) for name in ("learning_rate", "beta1", "beta2", "epsilon")]
    if options["epsilon_place"] == "hat":
        return tf.train.AdamOptimizer(*values)
    if options["epsilon_place"] == "corrected":
        return CorrectedAdam(dtype, *values)
    raise Unsupported("Adam's epsilon_place is hat or corrected, not %r" % options["epsilon_place"])


def slots(optimizer: Any, kind: str, variables: Mapping[str, Any], step: Any) -> Dict[str, Any]:
    """Return the tensors of the optimizer's state under the contract's names, `step` being the count of updates."""
    state = {}  # type: Dict[str, Any]
    for name, variable in variables.items():
        for slot in optimizer.get_slot_names():
            state["%s/%s/%s" % (kind, name, slot)] = optimizer.get_slot(variable, slot)
    state["%s/step" % kind] = step
    return state


def initializers(optimizer: Any) -> List[Any]:
    """Return the operations that set slots and powers to their initial values."""
    return [variable.initializer for variable in optimizer.variables()]
