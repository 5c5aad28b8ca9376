"""Devices of torch: which one a setting asks for, or why it cannot be had."""

from __future__ import annotations

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
