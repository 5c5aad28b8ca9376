"""What TensorFlow 1 can tell of a step's cost: its formulas for contractions, its allocator's peak
where it shows it."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Tuple

import tensorflow.compat.v1 as tf
from tensorflow.python.framework import ops  # the profiler's registry has no public name
from tensorflow.python.profiler.internal import flops_registry  # noqa: F401  (fills it)
from tensorflow.python.util import nest

from backends.contract import PRECISION_TABLE, Unsupported
from backends.measuring import allocator
from backends.measuring import flops as contractions
from backends.schedule import phases_at

SOURCE = "TensorFlow's registry of float operations, on the session's graph"


def flops(port: Any, timer: Any) -> float:
    """Return the operations of one step's matrix products and convolutions, by what its session
    calls fetch.

    Raises:
        Unsupported: the graph is not known, or it holds what has no formula.
    """
    if not all(hasattr(port, name) for name in ("graph", "phases", "inference", "rows", "noise")):
        raise Unsupported("the port does not show which parts of its graph a step runs")
    if port.xla:
        raise Unsupported(
            "XLA fuses contractions; TensorFlow's counter knows the graph before it only"
        )
    if timer.action == "generate":
        calls = _fetched(timer.port, timer)
    elif timer.action == "train":
        calls = [_of_phase(port, name) for name in phases_at(port.config, timer.source.cursor)]
    else:
        calls = [_of_phase(port, timer.action)]
    shaped = _shaped(port, timer.count)
    # Each phase is a call of its own, and computes what it shares with others again.
    total: float = 0
    for call in calls:
        fetched = [shaped.get_operation_by_name(op.name) for op in call]
        total += contractions.count(contractions.reachable(fetched), _formula, _body)
    if not total:
        raise Unsupported("TensorFlow's counter saw no matrix product in this step")
    return float(total)


def _of_phase(port: Any, name: str) -> List[Any]:
    """Return the operations that a phase's session call fetches."""
    phase = port.phases[name]
    return [phase.values.op, getattr(phase.update, "op", phase.update)]


def _fetched(port: Any, timer: Any) -> List[List[Any]]:
    """Run one step; return the operations that each of its session calls fetched: a port may fetch
    more than its product."""
    calls: List[List[Any]] = []
    run = port._run

    def noting(fetches: Any, feed: Any = None) -> Any:
        calls.append([tensor.op for tensor in nest.flatten(fetches)])
        return run(fetches, feed)

    port._run = noting
    try:
        timer.run(1)
    finally:
        del port._run
    return calls


def _shaped(port: Any, count: int) -> Any:
    """Return a copy of the port's graph in which the batch axis, open in the port's, has its
    size."""
    batch = min(count, port.config["batch"])
    inputs = list(port.rows.arrays.values())
    for sites in port.noise.sites.values():
        inputs += sites.values()
    known: Dict[str, Any] = {}
    with tf.Graph().as_default() as copy:
        for tensor in inputs:
            shape = [batch if size is None else size for size in tensor.shape.as_list()]
            known[tensor.name] = tf.zeros(shape, tensor.dtype)
        tf.import_graph_def(port.graph.as_graph_def(), input_map=known, name="")
    return copy


def _formula(operation: Any) -> Any:
    return ops.get_stats_for_node_def(operation.graph, operation.node_def, "flops").value


def _body(operation: Any) -> Tuple[Any, ...]:  # noqa: ARG001
    """Return nothing: the ports call no functions but loops, which are not counted."""
    return ()


def product(port: Any, side: int) -> Callable[[], Any]:
    """Return a function that multiplies two square matrices in the setting's dtype of contractions
    and waits."""
    dtype = tf.as_dtype(PRECISION_TABLE[port.setting.precision]["contraction"])
    session = getattr(port, "session", None)
    if session is None:
        raise Unsupported("the port does not show its session")
    with session.graph.as_default():
        matrix = tf.cast(tf.random.uniform([side, side]), dtype)
        x = tf.Variable(matrix, trainable=False, use_resource=True, collections=[])
        done = tf.matmul(x, x)[0, 0]
    session.run(x.initializer)
    run: Callable[[], Any] = session.make_callable(tf.cast(done, tf.float32))
    return run


def reset_device_peak(port: Any) -> None:
    """Let the allocator's peak begin anew, where TensorFlow can."""
    allocator.reset_peak(tf.config.experimental, port.setting.device)


def device_peak(port: Any) -> int:
    """Return the most that the allocator held since `reset_device_peak`, bytes."""
    return allocator.peak(tf.config.experimental, port.setting.device)
