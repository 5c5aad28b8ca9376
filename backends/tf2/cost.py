"""What TensorFlow 2 can tell of a step's cost: its formulas for contractions, its allocator's
peak."""

from __future__ import annotations

from typing import Any, Callable, Iterable, List

import tensorflow as tf

from backends.contract import PRECISION_TABLE, Unsupported
from backends.measuring import allocator
from backends.measuring import flops as contractions
from backends.tf2.training import calls

SOURCE = "TensorFlow's registry of float operations, on the traced functions"


def flops(port: Any, timer: Any) -> float:
    """Return the operations of one step's matrix products and convolutions; runs one, and notes
    what functions are called.

    Raises:
        Unsupported: nothing was traced, or the graph holds what has no formula.
    """
    if port.setting.execution == "compiled":
        raise Unsupported(
            "XLA fuses contractions; TensorFlow's counter knows the graph before it only"
        )
    with calls() as functions:
        timer.run(1)
    if not functions:
        raise Unsupported("TensorFlow counts operations of graphs, and this port traces none")
    total = sum(contractions.count(_run(function.graph), _formula, _body) for function in functions)
    if not total:
        raise Unsupported("TensorFlow's counter saw no matrix product in this step")
    return float(total)


def _run(graph: Any) -> List[Any]:
    """Return the operations that a call runs: a tape leaves gradients behind that nobody asked
    for."""
    outputs = [tensor.op for tensor in graph.outputs]
    return contractions.reachable(outputs + list(graph.control_outputs))


def _formula(operation: Any) -> Any:
    from tensorflow.python.framework import ops  # the profiler's registry has no public name
    from tensorflow.python.profiler.internal import flops_registry  # noqa: F401  (fills it)

    return ops.get_stats_for_node_def(operation.graph, operation.node_def, "flops").value


def _body(operation: Any) -> Iterable[Any]:
    """Return the operations of the function that an operation calls."""
    if operation.type not in ("PartitionedCall", "StatefulPartitionedCall"):
        return ()
    name = operation.get_attr("f").name
    operations: List[Any] = []
    graph = operation.graph
    while graph is not None and not operations:
        function = graph._get_function(name) if hasattr(graph, "_get_function") else None
        operations = _run(function.graph) if function is not None else []
        graph = getattr(graph, "outer_graph", None)
    if not operations:
        raise Unsupported(f"TensorFlow does not show the function {name}")
    return operations


def product(port: Any, side: int) -> Callable[[], Any]:
    """Return a function that multiplies two square matrices in the setting's dtype of contractions
    and waits."""
    dtype = PRECISION_TABLE[port.setting.precision]["contraction"]
    x = tf.cast(tf.random.uniform([side, side]), dtype)
    # One element read back: it waits for the device and transfers nothing to speak of.
    return lambda: tf.cast(tf.matmul(x, x)[0, 0], tf.float32).numpy()


def reset_device_peak(port: Any) -> None:
    """Let the allocator's peak begin anew, where TensorFlow can."""
    allocator.reset_peak(tf.config.experimental, port.setting.device)


def device_peak(port: Any) -> int:
    """Return the most that the allocator held since `reset_device_peak`, bytes."""
    return allocator.peak(tf.config.experimental, port.setting.device)
