"""Phases: losses, gradients and updates, each built once for all phases that share it."""

from __future__ import annotations

import collections
from typing import Any, Dict, Mapping

import tensorflow.compat.v1 as tf

from backends.tf1.optimizers import Optimizer

#: The scope of a model's variables.
SCOPE = "model"

Tensors = Dict[str, Any]


class Phase(object):
    """The tensors of one phase.

    Attributes:
        names, values: of the loss terms, `total` last; the values as one vector.
        gradients: of `total`, by parameter.
        update: the operation that runs one update.
        step: runs one native update on (key, row numbers) and returns the values; made when it is first needed.
    """

    def __init__(self, terms: Tensors, gradients: Tensors, update: Any) -> None:
        self.names, self.values = list(terms), tf.stack(list(terms.values()))
        self.gradients, self.update = gradients, update
        self.step = None  # type: Any


def build_optimizers(
    config: Mapping[str, Any], weights: Mapping[str, Any], dtype: Any, table: Mapping[str, Any]
) -> Dict[str, Optimizer]:
    """Return each optimizer over all parameters that any of its updates moves."""
    found = collections.OrderedDict()  # type: Dict[str, Optimizer]
    for name, options in config["optimizers"].items():
        updated = [update["parameters"] for update in config["updates"] if update["optimizer"] == name]
        union = collections.OrderedDict((parameter, weights[parameter]) for names in updated for parameter in names)
        found[name] = Optimizer(name, options, union, dtype, table)
    return found


def build_phases(port: Any) -> Dict[str, Phase]:
    """Return the phases of a port by name: losses and gradients are built once a kind, updates once a kind and optimizer."""
    losses, gradients, built = {}, {}, {}  # type: Dict[str, Any], Dict[Any, Tensors], Dict[Any, Phase]
    phases = {}  # type: Dict[str, Phase]
    for update in port.config["updates"]:
        phase, kind, optimizer = update["phase"], port.kind(update["phase"]), port.optimizers[update["optimizer"]]
        if kind not in losses:
            port.changes = []
            with tf.name_scope("losses"), tf.variable_scope(SCOPE, reuse=tf.AUTO_REUSE):
                losses[kind] = port.loss_terms(phase, port.arrays, port.noise.sites.get(phase, {})), port.changes
        terms, changes = losses[kind]
        port.observed_dtypes["loss"] = terms["total"].dtype.name
        # A dynamic loss scale is inside the gradients, and each optimizer has its own.
        scaled = (kind, tuple(update["parameters"]), optimizer.name if optimizer.growth else "")
        if scaled not in gradients:
            with tf.name_scope("gradients"):
                gradients[scaled] = _gradients(optimizer, terms["total"], {name: port.weights[name] for name in update["parameters"]})
        same = scaled + (optimizer.name,)
        if same not in built:
            pairs = [(gradient, port.weights[name]) for name, gradient in gradients[scaled].items()]
            # All gradients first: an update copies a variable that somebody still reads.
            with tf.control_dependencies(list(terms.values()) + [gradient for gradient, _ in pairs]), tf.name_scope("update"):
                built[same] = Phase(terms, gradients[scaled], optimizer.update(pairs, changes))
        phases[phase] = built[same]
    return phases


def _gradients(optimizer: Optimizer, total: Any, weights: Mapping[str, Any]) -> Tensors:
    found = zip(weights, optimizer.gradients(total, list(weights.values())))
    return collections.OrderedDict((name, tf.convert_to_tensor(value)) for name, value in found if value is not None)
