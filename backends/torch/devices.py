"""Devices of torch: which one a setting asks for, or why it cannot be had."""

from __future__ import annotations

import torch

from backends.contract import Setting, Unsupported

DEVICES = ("cpu", "gpu")


def device(setting: Setting) -> torch.device:
    """Return the device asked for, or say why it cannot be had."""
    if setting.device not in DEVICES:
        raise Unsupported("the torch backend has no device '%s'" % setting.device)
    if setting.device == "gpu" and not torch.cuda.is_available():
        raise Unsupported(
            "no GPU is visible to torch %s (built for CUDA: %s)"
            % (torch.__version__, torch.version.cuda)
        )
    if setting.precision == "tf32" and setting.device != "gpu":
        raise Unsupported(
            "tf32 needs an NVIDIA GPU of the Ampere generation or newer; this is the CPU"
        )
    if setting.precision == "tf32" and torch.cuda.get_device_capability()[0] < 8:
        raise Unsupported(
            "tf32 needs the Ampere generation or newer; this is a %s" % torch.cuda.get_device_name()
        )
    return torch.device("cuda" if setting.device == "gpu" else "cpu")
