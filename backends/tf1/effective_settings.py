"""What TensorFlow does in this process and in a session's graph, read from TensorFlow itself, for
graphs of the TF1 kind."""

from __future__ import annotations

import os
import re
from typing import Any, Callable, Dict, List, Mapping, Set

import numpy as np
import tensorflow.compat.v1 as tf

from backends.measuring.host_environment import tensorflow_tries_algorithms, word_for_denormals

CONTRACTIONS = re.compile(
    r"(Sparse|Batch|_?Fused)*(MatMul|Conv2D|Conv3D|Einsum)|DepthwiseConv2d|.*(LSTM|GRU|RNN)"
)


class Reading:
    """Reads one port; made before the port is built, because what a process has done for earlier
    ports is not this one's."""

    def contractions(self, port: Any, step: Callable[[], Any]) -> Set[str]:
        """Return the dtypes of the contractions of the port's graph: it is what every session runs,
        so no step has to."""
        graph = getattr(port, "graph", None)  # a port may be built on `contract.Port` alone
        operations = graph.get_operations() if isinstance(graph, tf.Graph) else []
        dtypes: Set[Any] = set()
        for op in operations:
            if CONTRACTIONS.match(op.type):
                dtypes.update(tensor.dtype.base_dtype for tensor in op.inputs)
        return {dtype.name for dtype in dtypes if dtype.is_floating}

    def settings(self, port: Any) -> Dict[str, Any]:
        """Return what is in effect, whatever the port says of itself."""
        config = getattr(getattr(port, "session", None), "_config", None)
        settings: Dict[str, Any] = {
            "matmul_precision": matmul_precision(),
            "convolution_precision": matmul_precision(),
            "framework_denormals": denormals(config),
            "onednn": onednn(),
            "debugging": False,
        }
        if port.setting.device == "gpu":
            deterministic = bool(port.effective().get("deterministic"))
            settings["cudnn_benchmark"] = tensorflow_tries_algorithms(os.environ, deterministic)
        if getattr(port, "weights", None):
            settings["parameter_dtypes"] = "+".join(_dtypes(port.weights))
        if config is not None:
            settings["inter_threads"] = config.inter_op_parallelism_threads
            # The process's pool has the size that the first session asked for: the port knows that
            # one, the session its own wish.
            settings["session_threads"] = config.intra_op_parallelism_threads
            settings["grappler"] = not config.graph_options.rewrite_options.disable_meta_optimizer
        return settings


def _dtypes(weights: Mapping[str, Any]) -> List[str]:
    return sorted({variable.dtype.base_dtype.name for variable in weights.values()})


def matmul_precision() -> str:
    """Return what float32 products may be computed in on an accelerator."""
    switch = getattr(tf.config.experimental, "tensor_float_32_execution_enabled", None)
    return "tf32" if switch is not None and switch() else "float32"


def denormals(config: Any) -> str:
    """Return what a session makes of denormal numbers: TensorFlow flushes them in the threads of
    its own."""
    with tf.Graph().as_default():
        numbers = tf.placeholder(tf.float32, [64])
        halved = numbers * tf.constant(0.5)
        with tf.Session(config=config) as session:
            values = session.run(halved, {numbers: np.full(64, 1e-40, np.float32)})
        return word_for_denormals(values.max())


def onednn() -> Any:
    """Return whether oneDNN's kernels are in use; it is not part of the public interface."""
    try:
        from tensorflow.python.util import _pywrap_util_port as port
    except ImportError:
        try:
            from tensorflow.python import pywrap_tensorflow as port
        except ImportError:
            return "unknown"
    enabled = getattr(port, "IsMklEnabled", None)
    return "unknown" if enabled is None else bool(enabled())
