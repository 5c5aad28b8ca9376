"""Sessions: what this TensorFlow can be asked for, how it is asked, and what it then does."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Dict, Iterator, Sequence, Tuple

import numpy as np
import tensorflow
import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import config_pb2

from backends.contract import Setting, Unsupported

DEVICES = ("cpu", "gpu")
#: `callable`: native steps through a prepared callable and not through `Session.run`, which is what
#: users write.
EXECUTIONS = ("default", "graph", "compiled", "callable")

#: Ops in an executed graph that stand for a cluster which XLA has compiled.
CLUSTERS = ("XlaLaunch", "_XlaRun", "XlaLaunchV2")
XLA_FLAG = "--tf_xla_cpu_global_jit"
CONTRACTIONS = ("Conv2D", "MatMul", "BatchMatMulV2")
#: What a missing kernel, or an operation that XLA cannot compile, says.
REFUSALS = (
    "OpKernel",
    "No registered",
    "not supported",
    "unsupported operation",
    "not implemented",
    "Unsupported",
)

#: Sessions share the process's thread pool, and the first one decides its size: TF keeps no record
#: that could be read.
_pool: Dict[str, int] = {}


def synchronize(device: str) -> None:
    """Return at once: a session's run returns what it fetched, when the device has computed it."""


def framework_versions() -> Dict[str, str]:
    """Return the versions that decide what this backend computes."""
    return {"tensorflow": tensorflow.__version__, "numpy": np.__version__}


def require(setting: Setting) -> None:
    """Raise Unsupported unless this machine and this TensorFlow can do what is asked; set what is
    set once a process.

    Loops are TF1's on both: TF 2's own are functions, whose unused results are computed all the
    same and which run no faster.
    """
    tf.disable_control_flow_v2()
    if setting.execution not in EXECUTIONS:
        raise Unsupported(f"the tf1 backend runs graphs: it has no {setting.execution} execution")
    if setting.device not in DEVICES:
        raise Unsupported(f"the tf1 backend has no device '{setting.device}'")
    if setting.device == "gpu" and not tf.config.experimental.list_physical_devices("GPU"):
        raise Unsupported(f"no GPU is visible to TensorFlow {tensorflow.__version__}")
    switch = getattr(tf.config.experimental, "enable_tensor_float_32_execution", None)
    if setting.precision == "tf32" and (setting.device != "gpu" or switch is None):
        raise Unsupported(
            "tf32 needs an NVIDIA GPU and TensorFlow 2.4 or newer; this is"
            f" {tensorflow.__version__} on the {setting.device}"
        )
    if switch is not None:
        switch(setting.precision == "tf32")
    running = _pool.setdefault("threads", setting.threads)
    if running != setting.threads:
        raise Unsupported(
            f"this process already runs sessions on {running} threads; {setting.threads} need a"
            " process of their own"
        )
    if setting.deterministic:
        _determinism(setting)


def _determinism(setting: Setting) -> None:
    """Ask for deterministic kernels; TF 1.15 has a variable for cuDNN's and none are needed on its
    CPU with one thread."""
    enable = getattr(tf.config.experimental, "enable_op_determinism", None)
    if enable is not None:
        enable()
    elif setting.device == "gpu":
        raise Unsupported(
            f"TensorFlow {tensorflow.__version__} cannot promise deterministic GPU kernels"
        )
    else:
        os.environ["TF_DETERMINISTIC_OPS"] = os.environ["TF_CUDNN_DETERMINISTIC"] = "1"


def session_config(setting: Setting, rewrite: bool) -> Any:
    """Return the ConfigProto of a setting; `rewrite` False leaves the graph as it is built, without
    Grappler."""
    config = tf.ConfigProto(
        intra_op_parallelism_threads=setting.threads, inter_op_parallelism_threads=1
    )
    if setting.device == "cpu":
        config.device_count["GPU"] = 0
    config.gpu_options.allow_growth = True
    config.graph_options.rewrite_options.disable_meta_optimizer = not rewrite
    # Lets a session's jit level count on the CPU, and does nothing by itself. Set for every
    # session, because TensorFlow reads it once, when the process's first session starts.
    if XLA_FLAG not in os.environ.get("TF_XLA_FLAGS", ""):
        os.environ["TF_XLA_FLAGS"] = (os.environ.get("TF_XLA_FLAGS", "") + " " + XLA_FLAG).strip()
    if setting.execution == "compiled":
        config.graph_options.optimizer_options.global_jit_level = tf.OptimizerOptions.ON_1
    return config


def callable_of(session: Any, feeds: Sequence[Any], fetch: Any, target: Any) -> Any:
    """Return a callable on the feeds that runs `target` and returns [value of `fetch`].

    `Session.make_callable` with feeds is `Session.run` under another name; what this calls prepares
    the run once (linear's step on TF 1.15: 23 us, not 180).
    """
    options = config_pb2.CallableOptions()
    options.feed.extend(tensor.name for tensor in feeds)
    options.fetch.append(fetch.name)
    options.target.append(target.name)
    return session._make_callable_from_options(options)


def require_clusters(session: Any, probe: Tuple[Any, Dict[Any, Any]]) -> bool:
    """Run the probe and look for compiled clusters in the graph that was executed.

    Raises:
        Unsupported: there is none, so "compiled" would be the plain graph under another name.
    """
    fetches, feed = probe
    metadata = tf.RunMetadata()
    options = tf.RunOptions(output_partition_graphs=True)
    with refusals():
        session.run(fetches, feed, options=options, run_metadata=metadata)
    for graph in metadata.partition_graphs:
        if any(node.op in CLUSTERS for node in graph.node):
            return True
    raise Unsupported(
        f"TensorFlow {tensorflow.__version__} compiles no part of this graph with XLA"
    )


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Turn TensorFlow's ways of saying "no kernel for that" into Unsupported, one line."""
    try:
        yield
    except (
        tf.errors.UnimplementedError,
        tf.errors.NotFoundError,
        tf.errors.InvalidArgumentError,
    ) as error:
        refused = any(word in str(error) for word in REFUSALS)
        if not refused and not isinstance(error, tf.errors.UnimplementedError):
            raise
        reason = str(error).strip().splitlines()[0]
        raise Unsupported(f"TensorFlow {tensorflow.__version__}: {reason}") from error


def readable(value: Any) -> Any:
    """Return an array in a dtype that NumPy has: low precisions as float32."""
    low = value.dtype.itemsize == 2 and value.dtype.kind not in "iu"
    return value.astype(np.float32) if low else value


def effective(session: Any, dtype: Any, xla: bool) -> Dict[str, Any]:
    """Return what the session, its graph and its devices show; `threads` is what the process's pool
    was made with."""
    operations = session.graph.get_operations()
    low = sorted({op.outputs[0].dtype.name for op in operations if op.type in CONTRACTIONS})
    names = [device.name for device in session.list_devices() if device.device_type == "GPU"]
    switch = getattr(tf.config.experimental, "tensor_float_32_execution_enabled", None)
    return {
        "execution": "compiled" if xla else "graph",
        "threads": _pool["threads"],
        "inter_threads": 1,
        "device": names[0] if names else "cpu",
        "tf32": bool(names and switch is not None and switch()),
        "xla": xla,
        "deterministic": _deterministic(),
        "dtype_policy": f"variables {dtype.name}, contractions {', '.join(low)}",
        "versions": framework_versions(),
    }


def _deterministic() -> bool:
    """Return whether deterministic kernels are asked for; the function that tells is not part of
    the public interface."""
    if not hasattr(tf.config.experimental, "enable_op_determinism"):
        return os.environ.get("TF_DETERMINISTIC_OPS") == "1"
    from tensorflow.python.framework import config

    return bool(config.is_op_determinism_enabled())
