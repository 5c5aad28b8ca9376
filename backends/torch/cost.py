"""What PyTorch can tell of a step's cost: its own counter of floating-point operations, and its
allocator's peak."""

from __future__ import annotations

from typing import Any, Callable, List

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from backends.contract import PRECISION_TABLE, Unsupported

SOURCE = "torch.utils.flop_counter"
#: Parts of the names of operations that compute products inside a kernel that the counter does not
#: know.
UNKNOWN = ("rnn", "lstm", "gru")


class _Seen(TorchDispatchMode):
    """Notes the operations that a counter of contractions would overlook."""

    def __init__(self) -> None:
        super().__init__()
        self.unknown: List[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func)
        if any(word in name for word in UNKNOWN) and name not in self.unknown:
            self.unknown.append(name)
        return func(*args, **(kwargs or {}))


class _Parts(TorchDispatchMode):
    """Takes composite operations apart, as the counter of newer torch does: inference mode hands
    them over whole."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result: Any = NotImplemented
        if isinstance(func, torch._ops.OpOverload):
            with self:
                result = func.decompose(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {})) if result is NotImplemented else result


def flops(port: Any, timer: Any) -> float:
    """Return the operations of one step's matrix products and convolutions; runs one.

    Raises:
        Unsupported: some of them run where the counter cannot see.
    """
    if port.setting.execution in ("compiled", "cudagraph"):
        raise Unsupported("compiled kernels do not pass PyTorch's counter")
    with _Seen() as seen, FlopCounterMode(display=False) as counter, _Parts():
        timer.run(1)
    if seen.unknown:
        raise Unsupported(f"PyTorch's counter does not know {', '.join(seen.unknown)}")
    total = counter.get_total_flops()
    if not total:
        raise Unsupported("PyTorch's counter saw no matrix product in this step")
    return float(total)


def product(port: Any, side: int) -> Callable[[], Any]:
    """Return a function that multiplies two square matrices in the setting's dtype of contractions
    and waits."""
    device = torch.device("cuda" if port.setting.device == "gpu" else "cpu")
    dtype = getattr(torch, PRECISION_TABLE[port.setting.precision]["contraction"])
    # Not a constant: a GPU multiplies those with less power, and faster.
    x = torch.rand((side, side), device=device).to(dtype)

    def run() -> None:
        with torch.no_grad():
            torch.matmul(x, x)
        if device.type == "cuda":
            torch.cuda.synchronize()

    return run


def reset_device_peak(port: Any) -> None:
    """Let the allocator's peak begin anew."""
    if port.setting.device == "gpu":
        torch.cuda.reset_peak_memory_stats()


def device_peak(port: Any) -> int:
    """Return the largest memory of all tensors on the GPU since `reset_device_peak`, bytes."""
    if port.setting.device != "gpu":
        raise Unsupported("it ran on the CPU, whose memory is the process' own")
    return int(torch.cuda.max_memory_allocated())
