"""The peak of TensorFlow's allocator on the GPU, for both of its generations. Takes
`tf.config.experimental`; imports no framework."""

from __future__ import annotations

from typing import Any

from backends.contract import Unsupported


def reset_peak(experimental: Any, device: str) -> None:
    """Let the peak begin anew; before TensorFlow 2.5 it stays that of the process' life.

    Args:
        experimental: `tf.config.experimental`.
        device: of the setting; nothing is done but on a `gpu`.
    """
    reset = getattr(experimental, "reset_memory_stats", None)
    if device == "gpu" and reset is not None:
        reset("GPU:0")


def peak(experimental: Any, device: str) -> int:
    """Return the most that the allocator held since the peak was reset, bytes.

    Args:
        experimental: `tf.config.experimental`. device: of the setting.

    Raises:
        Unsupported: the CPU's memory is the process' own; TensorFlow before 2.4 does not tell.
    """
    if device != "gpu":
        raise Unsupported("it ran on the CPU, whose memory is the process' own")
    tell = getattr(experimental, "get_memory_info", None)
    if tell is None:
        raise Unsupported("this TensorFlow does not tell what its allocator held")
    return int(tell("GPU:0")["peak"])
