"""What NumPy can tell of a step's cost: it counts nothing, so the workload's own count has to
do."""

from __future__ import annotations

from typing import Any, Callable, Optional

import numpy as np

from backends.contract import Unsupported

SOURCE = ""


def flops(port: Any, timer: Any) -> float:  # noqa: ARG001  (the other backends' arguments)
    """Raise Unsupported: NumPy has no counter."""
    raise Unsupported("NumPy counts no floating-point operations")


def product(port: Any, side: int) -> Callable[[], Any]:
    """Return a function that multiplies two square matrices in the port's dtype."""
    x = np.full((side, side), 0.5, getattr(port, "dtype", np.float32))
    return lambda: x.dot(x)


def reset_device_peak(port: Any) -> None:
    """There is no device but the CPU."""


def device_peak(port: Any) -> Optional[int]:  # noqa: ARG001  (the other backends' arguments)
    """Raise Unsupported: there is no device but the CPU."""
    raise Unsupported("it ran on the CPU, whose memory is the process' own")
