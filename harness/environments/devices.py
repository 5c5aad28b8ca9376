"""Whether this machine has an accelerator, judged by what the driver has put on it.

Owns nothing but file facts: it starts no process and imports no framework, so it answers at once
and before gigabytes of a framework are downloaded. Whether a framework can *use* the device is
known only to the worker. Standard library only: tox's inline plugin imports this module too.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

#: Devices that need hardware of their own; `cpu` is everywhere.
ACCELERATORS = ("gpu", "tpu")
# nvidia-uvm and nvidiactl exist where the driver is loaded without a card; a card is nvidia0,
# nvidia1, ...
_NVIDIA_CARD = "nvidia[0-9]*"
_TPU_NODES = ("accel[0-9]*", "vfio/[0-9]*")
#: Set on Cloud TPU VMs or by users of a remote TPU.
_TPU_VARIABLES = ("TPU_NAME", "TPU_WORKER_ID", "TPU_ACCELERATOR_TYPE")


def missing(device: str, environ: Mapping[str, str], root: Path = Path("/")) -> str | None:
    """Return why this machine cannot serve a device, or None where it can.

    Args:
        device: one of `backends.contract.DEVICES`.
        environ: the process environment.
        root: the file system's root; another one in tests.

    Returns:
        One sentence with what was looked for and what to do, as the end of "X needs a GPU, and
        ...".
    """
    if device == "gpu" and not _has_gpu(environ, root):
        return (
            "this machine has no NVIDIA GPU (no /dev/nvidia0, no /dev/dxg, no nvidia-smi on PATH): "
            "use the CPU instead, or a machine with a card and its driver."
        )
    if device == "tpu" and not _has_tpu(environ, root):
        return (
            "this machine has no TPU (no /dev/accel0, no /dev/vfio/0, none of"
            f" {', '.join(_TPU_VARIABLES)} is set): use the CPU instead, or a Cloud TPU VM."
        )
    return None


def _has_gpu(environ: Mapping[str, str], root: Path) -> bool:
    # dxg: WSL hands the card on by that name.
    if any((root / "dev").glob(_NVIDIA_CARD)) or (root / "dev/dxg").exists():
        return True
    return shutil.which("nvidia-smi", path=environ.get("PATH", "")) is not None


def _has_tpu(environ: Mapping[str, str], root: Path) -> bool:
    if any(environ.get(name) for name in _TPU_VARIABLES):
        return True
    return any(any((root / "dev").glob(pattern)) for pattern in _TPU_NODES)
