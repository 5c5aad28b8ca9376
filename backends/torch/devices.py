"""Devices of torch: which one a setting asks for, or why it cannot be had, and the switches in
effect on it."""

from __future__ import annotations

from typing import Any, Dict

import torch

from backends.contract import Setting, Unsupported

DEVICES = ("cpu", "gpu")


def device(setting: Setting) -> torch.device:
    """Return the device that a setting names.

    Raises:
        Unsupported: it cannot be had, and why.
    """
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
    return torch.device("cuda" if setting.device == "gpu" else "cpu")


def effective(device: torch.device, policy: str, keeps_freed: bool) -> Dict[str, Any]:
    """Return the switches in effect, read from torch, as `contract.Port.effective` does.

    Args:
        device: that runs. policy: dtypes, in words. keeps_freed: see `backends.torch.memory`.
    """
    gpu = device.type == "cuda"
    return {
        "threads": torch.get_num_threads(),
        "inter_threads": torch.get_num_interop_threads(),
        "device": torch.cuda.get_device_name() if gpu else "cpu",
        "tf32": bool(gpu and torch.backends.cuda.matmul.allow_tf32),
        "xla": False,
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "dtype_policy": policy,
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "mkldnn": torch.backends.mkldnn.is_available(),
        "keeps_freed_memory": keeps_freed,
    }
