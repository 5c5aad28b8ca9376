"""Teacher forcing of a port that does not read its record back: the graph of its activations in a
session, cut where the teacher's values go.

The traced function is copied into a plain graph without its control edges: those would run reads of
variables that are fed, and the updates of running statistics.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy as np
import tensorflow as tf

from backends.contract import ForcedActivations, Unsupported
from backends.recording import graph_feeding
from backends.tf2.training import Tensors


def teacher_forced(
    port: Any,
    inputs: Tuple[Tensors, Optional[Tensors]],
    training: bool,
    teacher: Mapping[str, np.ndarray],
) -> ForcedActivations:
    """Return what `Port.forward_from` promises, of a `Tf2Port`.

    Args:
        port: whose activations are looked at.
        inputs: arrays and noise of a batch.
        training, teacher: as for `Port.forward_from`.

    Raises:
        Unsupported: a variable goes into an operation other than its read, where its value cannot
            be fed.
    """
    names: List[str] = []

    def look(arrays: Tensors, noise: Optional[Tensors]) -> List[Any]:
        record = port.activations(arrays, noise, training)
        names.extend(record)
        return list(record.values())

    traced = tf.function(look, autograph=port.AUTOGRAPH).get_concrete_function(*inputs)
    captured = [inner.name for _, inner in traced.graph.captures]
    arguments = [tensor for tensor in traced.graph.inputs if tensor.name not in captured]
    feed = _held(port, traced.graph)
    values = [value for value in tf.nest.flatten(list(inputs)) if value is not None]
    feed.update((tensor.name, value.numpy()) for tensor, value in zip(arguments, values))
    definition = traced.graph.as_graph_def()
    for node in definition.node:
        node.input[:] = [source for source in node.input if not source.startswith("^")]
    graph = tf.Graph()
    with graph.as_default():
        tf.graph_util.import_graph_def(definition, name="")
    shown = {
        name: graph.get_tensor_by_name(tensor.name)
        for name, tensor in zip(names, tf.nest.flatten(traced.graph.structured_outputs))
    }
    leaves = [graph.get_tensor_by_name(tensor.name) for tensor in arguments]
    config = tf.compat.v1.ConfigProto()
    # It would go over the whole graph for every activation.
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    try:
        with tf.compat.v1.Session(graph=graph, config=config) as session:
            return graph_feeding.teacher_forced(
                shown, leaves, feed, teacher, session.run, tf.get_static_value
            )
    except tf.errors.InvalidArgumentError as error:
        if "feed a value for placeholder" not in str(error):
            raise
        workload = port.config["workload"]
        raise Unsupported(f"a variable of {workload} goes where it cannot be fed") from error


def _held(port: Any, graph: Any) -> Dict[str, np.ndarray]:
    """Return the values of what a traced function has captured: of variables, what their reads
    give."""
    feed: Dict[str, np.ndarray] = {}
    undeclared = port.undeclared.arrays().values()
    variables = list(port.weights.values())
    variables += [value for value in undeclared if isinstance(value, tf.Variable)]
    for outer, inner in graph.captures:
        if inner.dtype != tf.resource:
            feed[inner.name] = outer.numpy()
            continue
        value = next((variable.numpy() for variable in variables if variable.handle is outer), None)
        for reader in inner.consumers():
            if value is not None and reader.type == "ReadVariableOp":
                feed[reader.outputs[0].name] = value
    return feed
