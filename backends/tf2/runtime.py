"""TensorFlow's process-wide switches: what this build can be asked for, how it is asked, and what
it then does."""

from __future__ import annotations

import contextlib
from typing import Any, Dict, Iterator

import numpy as np
import tensorflow as tf

from backends.contract import PRECISION_TABLE, Setting, Unsupported
from backends.tf2 import releases

DEVICES = ("cpu", "gpu")
EXECUTIONS = ("default", "eager", "graph", "compiled")

KERAS = releases.keras_version(tf.keras)
KERAS_3 = int(KERAS.split(".")[0]) >= 3
#: What a missing kernel, or an operation that XLA cannot compile, says.
REFUSALS = (
    "OpKernel",
    "No registered",
    "Could not find device",  # so says TensorFlow 2.4
    "not supported",
    "unsupported operation",
    "not implemented",
    "Unsupported",
)
#: As which of TensorFlow's errors.
REFUSING = (
    tf.errors.UnimplementedError,
    tf.errors.NotFoundError,
    tf.errors.InvalidArgumentError,
)


def synchronize(device: str) -> None:
    """Return when the device has finished all work; before TensorFlow 2.9 nothing but reading a
    result waits."""
    wait = getattr(tf.test.experimental, "sync_devices", None)
    if device != "cpu" and wait is not None:
        wait()


def framework_versions() -> Dict[str, str]:
    """Return the versions that decide what this backend computes."""
    return {"tensorflow": tf.__version__, "keras": KERAS, "numpy": np.__version__}


def require(setting: Setting) -> None:
    """Raise Unsupported unless this machine and this TensorFlow can do what is asked; set what is
    set once a process."""
    if setting.execution not in EXECUTIONS:
        raise Unsupported(f"the tf2 backend has no {setting.execution} execution")
    if setting.device not in DEVICES:
        raise Unsupported(f"the tf2 backend has no device '{setting.device}'")
    if setting.device == "gpu" and not tf.config.list_physical_devices("GPU"):
        raise Unsupported(f"no GPU is visible to TensorFlow {tf.__version__}")
    if setting.precision == "tf32" and setting.device != "gpu":
        raise Unsupported(
            "tf32 needs an NVIDIA GPU of the Ampere generation or newer; this is the CPU"
        )
    try:
        tf.config.threading.set_intra_op_parallelism_threads(setting.threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        if setting.device == "cpu":
            tf.config.set_visible_devices([], "GPU")
        for device in tf.config.get_visible_devices("GPU"):
            tf.config.experimental.set_memory_growth(device, True)
    except RuntimeError as error:  # these are fixed when the first op runs
        raise Unsupported(
            f"this process's TensorFlow was started with another setting ({error})"
        ) from error
    tf.config.experimental.enable_tensor_float_32_execution(setting.precision == "tf32")
    if setting.deterministic:
        releases.ask_determinism(setting)


def policies(precision: str) -> Dict[str, Any]:
    """Return Keras' dtype policies for contractions (`low`) and for all the rest, to be given to
    each layer.

    The global policy is never set: it would outlive the port, and put batch-norm in the low dtype.
    """
    table = PRECISION_TABLE[precision]
    mixed = {"bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
    names = {"low": mixed.get(table["contraction"], table["master"]), "rest": table["master"]}
    return {kind: tf.keras.mixed_precision.Policy(name) for kind, name in names.items()}


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Turn TensorFlow's ways of saying "no kernel for that" into Unsupported, one line.

    Raises:
        Unsupported: it was said in the block. Other errors pass as they are.
    """
    try:
        yield
    except REFUSING as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        telling = [line for line in lines if _refuses(line)]
        if not telling and not isinstance(error, tf.errors.UnimplementedError):
            raise
        raise Unsupported(f"TensorFlow {tf.__version__}: {(telling or lines)[0]}") from error


def _refuses(line: str) -> bool:
    return any(word in line for word in REFUSALS)


def readable(tensor: Any) -> np.ndarray:
    """Return a tensor in a dtype that NumPy has: low precisions as float32."""
    if tensor.dtype in (tf.bfloat16, tf.float16):
        tensor = tf.cast(tensor, tf.float32)
    return np.asarray(tensor)


def effective(graph: bool, xla: bool, variable: Any) -> Dict[str, Any]:
    """Return what TensorFlow reports.

    Args:
        graph, xla: how updates run, as the functions themselves know.
        variable: any weight; it lies on the device that computes.
    """
    gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
    execution = "graph" if graph else "eager"
    return {
        "execution": "compiled" if xla else execution,
        "threads": tf.config.threading.get_intra_op_parallelism_threads(),
        "inter_threads": tf.config.threading.get_inter_op_parallelism_threads(),
        "device": variable.device if "GPU" in variable.device else "cpu",
        "tf32": bool(gpus and tf.config.experimental.tensor_float_32_execution_enabled()),
        "xla": xla,
        "deterministic": releases.deterministic(),
        "versions": framework_versions(),
    }
