"""What TensorFlow does in this process and in a port's traces, read from TensorFlow itself, for
ports of TensorFlow 2."""

from __future__ import annotations

import os
import re
import weakref
from typing import Any, Callable, Dict, Iterator, MutableMapping, Set

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework import op_callbacks

from backends.measuring.host_environment import tensorflow_tries_algorithms, word_for_denormals
from backends.tf2.training import Traced

CONTRACTIONS = re.compile(
    r"(Sparse|Batch|_?Fused)*(MatMul|Conv2D|Conv3D|Einsum)|DepthwiseConv2d|.*(LSTM|GRU|RNN)"
)
XLA = "_XlaMustCompile"


class Reading:
    """Reads one port; made before the port is built, because what a process has done for earlier
    ports is not this one's."""

    def contractions(self, port: Any, step: Callable[[], Any]) -> Set[str]:
        """Return the dtypes of the contractions of the port's traces, or of a port without any
        those that one step runs.

        Functions are not looked into in that step: watched, TensorFlow would trace them again.
        """
        traces = list(_traces(port))
        seen: Set[str] = set()
        for trace in traces:
            seen.update(_read(trace).dtypes)
        if traces:
            return seen

        def note(op_type: Any, inputs: Any, *_: Any, **__: Any) -> None:
            name = op_type.decode("ascii") if isinstance(op_type, bytes) else op_type
            if CONTRACTIONS.match(name):
                seen.update(
                    tensor.dtype.base_dtype.name for tensor in inputs if tensor.dtype.is_floating
                )

        op_callbacks.add_op_callback(note)
        try:
            step()
        finally:
            op_callbacks.remove_op_callback(note)
        return seen

    def settings(self, port: Any) -> Dict[str, Any]:
        """Return what is in effect, whatever the port says of itself."""
        tf32 = tf.config.experimental.tensor_float_32_execution_enabled()
        precision = "tf32" if tf32 else "float32"
        halved = tf.constant(np.full(64, 1e-40, np.float32)) * 0.5
        settings: Dict[str, Any] = {
            "matmul_precision": precision,
            "convolution_precision": precision,
            "framework_denormals": word_for_denormals(float(tf.reduce_max(halved))),
            "onednn": onednn(),
            "debugging": bool(context.context().op_callbacks),
            "functions_run_eagerly": bool(tf.config.functions_run_eagerly()),
            "autoclustering": str(tf.config.optimizer.get_jit() or "off"),
            "rewriting": _rewriting(),
            "default_dtype": tf.keras.backend.floatx(),
            "global_policy": _policy(),
            "soft_placement": bool(tf.config.get_soft_device_placement()),
        }
        if port.setting.device == "gpu":
            deterministic = bool(port.effective().get("deterministic"))
            settings["cudnn_benchmark"] = tensorflow_tries_algorithms(os.environ, deterministic)
        weights = getattr(port, "weights", None)
        if weights:
            dtypes = {variable.dtype.base_dtype.name for variable in weights.values()}
            settings["parameter_dtypes"] = "+".join(sorted(dtypes))
        if any(_read(trace).xla for trace in _traces(port)):
            settings["xla"], settings["execution"] = True, "compiled"
        return settings


def _rewriting() -> str:
    """Return what Grappler was told to do otherwise than by default."""
    options = sorted(tf.config.optimizer.get_experimental_options().items())
    return ",".join(f"{name}={value}" for name, value in options) or "as it is"


def _policy() -> str:
    """Return the name of Keras' global policy; Keras 2 and 3 call it differently."""
    keras = tf.keras.mixed_precision
    policy = keras.dtype_policy if hasattr(keras, "dtype_policy") else keras.global_policy
    return str(policy().name)


def _traces(port: Any) -> Iterator[Any]:
    """Yield the concrete functions that a port runs; one that is built on `contract.Port` alone has
    none that are known."""
    trainer = getattr(port, "trainer", None)
    if trainer is None:
        return
    for function in [port._forward, port._product, *trainer._functions.values()]:
        if isinstance(function, Traced):
            yield from function.traces.values()


class Graph:
    """What a trace and the functions that it calls hold.

    Attributes:
        dtypes: of the operands of contractions. xla: whether XLA has to compile any of the
            functions.
    """

    def __init__(self, trace: Any) -> None:
        definition = trace.graph.as_graph_def()
        functions = definition.library.function
        nodes = list(definition.node)
        for function in functions:
            nodes += function.node_def
        kinds = {
            node.attr["T"].type
            for node in nodes
            if CONTRACTIONS.match(node.op) and "T" in node.attr
        }
        self.dtypes = {kind.name for kind in map(tf.as_dtype, kinds) if kind.is_floating}
        self.xla = any(XLA in function.attr and function.attr[XLA].b for function in functions)


#: A trace never changes, and a large one takes a while to go through.
_graphs: MutableMapping[Any, Graph] = weakref.WeakKeyDictionary()


def _read(trace: Any) -> Graph:
    if trace not in _graphs:
        _graphs[trace] = Graph(trace)
    return _graphs[trace]


def onednn() -> Any:
    """Return whether oneDNN's kernels are in use; it is not part of the public interface."""
    try:
        from tensorflow.python.util import _pywrap_util_port as port
    except ImportError:  # before TensorFlow 2.5
        from tensorflow.python import _pywrap_util_port as port

    enabled = getattr(port, "IsMklEnabled", None)
    return "unknown" if enabled is None else bool(enabled())
