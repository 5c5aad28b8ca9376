"""Energy that the GPU has used, as NVML counts it. Talks to the driver's own library: no package
has to be installed."""

from __future__ import annotations

import ctypes
import os
from typing import Any, Mapping, Optional

from backends.contract import Unsupported

LIBRARY = "libnvidia-ml.so.1"


class Meter:
    """The counter of the first GPU that this process sees; only differences of its readings mean
    something.

    Args:
        library: the driver's library; loaded if not given.
        environ: where CUDA_VISIBLE_DEVICES stands, the process' own if not given.

    Raises:
        Unsupported: (also from `joules`) there is no driver, or this GPU has no counter (older than
            Volta).
    """

    def __init__(self, library: Any = None, environ: Optional[Mapping[str, str]] = None) -> None:
        self.library = _load() if library is None else library
        self._check(self.library.nvmlInit_v2(), "nvmlInit")
        self.device = ctypes.c_void_p()
        visible = (os.environ if environ is None else environ).get("CUDA_VISIBLE_DEVICES", "")
        first = visible.split(",")[0].strip() or "0"
        # CUDA counts the visible devices, NVML all of them.
        if first.isdigit():
            code = self.library.nvmlDeviceGetHandleByIndex_v2(
                ctypes.c_uint(int(first)), ctypes.byref(self.device)
            )
        else:
            code = self.library.nvmlDeviceGetHandleByUUID(first.encode(), ctypes.byref(self.device))
        self._check(code, f"the GPU '{first}'")

    def joules(self) -> float:
        """Return the energy that the board has used since the driver was loaded, joules."""
        millijoules = ctypes.c_ulonglong()
        self._check(
            self.library.nvmlDeviceGetTotalEnergyConsumption(
                self.device, ctypes.byref(millijoules)
            ),
            "the counter of energy",
        )
        return millijoules.value / 1000.0

    def _check(self, code: int, what: str) -> None:
        if code != 0:
            raise Unsupported(f"NVML answers {code} when asked for {what}")


def _load() -> Any:
    try:
        return ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise Unsupported(f"no NVML here: {error}") from error
