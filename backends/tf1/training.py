"""How a TF1 port trains: its losses, gradients and updates, each built once for all phases that
share it, and when the first of them is needed."""

from __future__ import annotations

import collections
from typing import Any, Dict, Mapping, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from backends.tf1.optimizers import Optimizer

#: The scope of a model's variables.
SCOPE = "model"

Tensors = Dict[str, Any]


class Phase:
    """The tensors of one phase.

    Attributes:
        names, values: of the loss terms, `total` last; the values as one vector.
        gradients: of `total`, by parameter. scale: the loss scale on their way, see `Optimizer`.
        update: the operation that runs one update.
        step: runs one native update on (key, row numbers) and returns the values; made when it is
            first needed.
    """

    def __init__(self, terms: Tensors, gradients: Tensors, scale: Any, update: Any) -> None:
        self.names, self.values = list(terms), tf.stack(list(terms.values()))
        self.gradients, self.scale, self.update = gradients, scale, update
        self.step: Any = None


def build_optimizers(
    config: Mapping[str, Any], weights: Mapping[str, Any], dtype: Any, table: Mapping[str, Any]
) -> Dict[str, Optimizer]:
    """Return each optimizer over all parameters that any of its updates moves."""
    optimizers: Dict[str, Optimizer] = collections.OrderedDict()
    for name, options in config["optimizers"].items():
        union: Dict[str, Any] = collections.OrderedDict()
        for update in config["updates"]:
            if update["optimizer"] == name:
                union.update((parameter, weights[parameter]) for parameter in update["parameters"])
        optimizers[name] = Optimizer(name, options, union, dtype, table)
    return optimizers


class Phases:
    """The phases of a port by name, each built when it is first asked for.

    Phases of a kind share losses and gradients, those that also share the optimizer are one.
    """

    def __init__(self, port: Any) -> None:
        self._port = port
        self._updates = {update["phase"]: update for update in port.config["updates"]}
        self._losses: Dict[str, Any] = {}
        self._gradients: Dict[Any, Tensors] = {}
        self._built: Dict[Any, Phase] = {}
        self._phases: Dict[str, Phase] = {}

    def __getitem__(self, phase: str) -> Phase:
        if phase not in self._phases:
            with self._port.graph.as_default():
                self._phases[phase] = self._build(self._updates[phase])
        return self._phases[phase]

    def _build(self, update: Mapping[str, Any]) -> Phase:
        port, phase = self._port, update["phase"]
        kind, optimizer = port.kind(phase), port.optimizers[update["optimizer"]]
        if kind not in self._losses:
            port.changes = []
            with tf.name_scope("losses"), tf.variable_scope(SCOPE, reuse=tf.AUTO_REUSE):
                terms = port.loss_terms(phase, port.arrays, port.noise.sites.get(phase, {}))
            self._losses[kind] = terms, port.changes
        terms, changes = self._losses[kind]
        port.observed_dtypes["loss"] = terms["total"].dtype.name
        # A dynamic loss scale is inside the gradients, and each optimizer has its own.
        scaled = (kind, tuple(update["parameters"]), optimizer.name if optimizer.growth else "")
        if scaled not in self._gradients:
            with tf.name_scope("gradients"):
                weights = {name: port.weights[name] for name in update["parameters"]}
                self._gradients[scaled] = gradients_of(optimizer, terms["total"], weights)
        gradients, same = self._gradients[scaled], scaled + (optimizer.name,)
        if same not in self._built:
            pairs = [(gradient, port.weights[name]) for name, gradient in gradients.items()]
            # All gradients first: an update copies a variable that somebody still reads.
            first = [*terms.values(), *gradients.values()]
            with tf.control_dependencies(first), tf.name_scope("update"):
                operation = optimizer.update(pairs, changes)
                self._built[same] = Phase(terms, gradients, optimizer.scale, operation)
        return self._built[same]


def gradients_of(optimizer: Optimizer, total: Any, weights: Mapping[str, Any]) -> Tensors:
    """Return the gradients of a loss by parameter, those that there are."""
    gradients: Tensors = collections.OrderedDict()
    values = optimizer.gradients(total, list(weights.values()))
    for name, value in zip(weights, values):
        if value is not None:
            gradients[name] = tf.convert_to_tensor(value)
    return gradients


def probe(port: Any) -> Tuple[Any, Dict[Any, Any]]:
    """Return the fetches and a feed of zeros with which a whole update of a port can be tried."""
    phase = port.config["phases"][0]
    tensors = list(port.rows.entries.values()) + list(port.noise.entries.get(phase, {}).values())
    batch = port.config["batch"]
    feed = {tensor: np.zeros([batch] + tensor.shape.as_list()[1:]) for tensor in tensors}
    return port.phases[phase].gradients, feed
