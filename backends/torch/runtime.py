"""torch's process-wide switches: what this build can be asked for, how it is asked, and what it
then does."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Dict

import numpy as np
import torch

from backends.contract import Setting, Unsupported

DEVICES = ("cpu", "gpu")
#: On every device; on a GPU there is also `CUDAGRAPH`.
EXECUTIONS = ("default", "eager", "compiled")
CUDAGRAPH = "cudagraph"


def synchronize(device: str) -> None:
    """Return when the device has finished all work."""
    if device == "gpu":
        torch.cuda.synchronize()


def framework_versions() -> Dict[str, str]:
    """Return the versions that decide what this backend computes."""
    return {"torch": torch.__version__, "numpy": np.__version__, "cuda": str(torch.version.cuda)}


def require(setting: Setting) -> torch.device:
    """Return the device that a setting names; set what is set once a process.

    Raises:
        Unsupported: this machine and this torch cannot do what is asked.
    """
    executions = (*EXECUTIONS, CUDAGRAPH)
    if setting.execution not in executions:
        raise Unsupported(
            f"torch has no {setting.execution} execution; it has {', '.join(executions)}"
        )
    if setting.execution == CUDAGRAPH and setting.device != "gpu":
        raise Unsupported(f"CUDA graphs need an NVIDIA GPU; this is the {setting.device.upper()}")
    if setting.device not in DEVICES:
        raise Unsupported(f"the torch backend has no device '{setting.device}'")
    if setting.device == "gpu" and not torch.cuda.is_available():
        raise Unsupported(
            f"no GPU is visible to torch {torch.__version__} (built for CUDA: {torch.version.cuda})"
        )
    if setting.precision == "tf32" and setting.device != "gpu":
        raise Unsupported(
            "tf32 needs an NVIDIA GPU of the Ampere generation or newer; this is the CPU"
        )
    if setting.precision == "tf32" and torch.cuda.get_device_capability()[0] < 8:
        raise Unsupported(
            f"tf32 needs the Ampere generation or newer; this is a {torch.cuda.get_device_name()}"
        )
    _switch(setting)
    return torch.device("cuda" if setting.device == "gpu" else "cpu")


def _switch(setting: Setting) -> None:
    """Set torch's own switches as a setting asks; they are the whole process'."""
    torch.set_num_threads(setting.threads)
    with contextlib.suppress(RuntimeError):  # may be set once a process; a second port is too late
        torch.set_num_interop_threads(1)
    tf32 = setting.precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    # Without it cuBLAS refuses to be deterministic; it reads it when its first handle is made.
    if setting.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(setting.deterministic)


def effective(device: torch.device) -> Dict[str, Any]:
    """Return what torch reports.

    Args:
        device: that computes.
    """
    gpu = device.type == "cuda"
    return {
        "threads": torch.get_num_threads(),
        "inter_threads": torch.get_num_interop_threads(),
        "device": torch.cuda.get_device_name() if gpu else "cpu",
        "tf32": bool(gpu and torch.backends.cuda.matmul.allow_tf32),
        "xla": False,
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "mkldnn": torch.backends.mkldnn.is_available(),
    }
