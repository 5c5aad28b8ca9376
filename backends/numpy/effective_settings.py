"""What NumPy does in this process; it has no switches of its own."""

from __future__ import annotations

from typing import Any, Callable, Dict, Set

from backends.measuring import host_environment


class Reading:
    """Reads one port; made before the port is built, because what a process has done for earlier
    ports is not this one's."""

    def contractions(self, port: Any, step: Callable[[], Any]) -> Set[str]:
        """Return the dtypes of the contractions of a step: their operands are the weights and
        arrays of their dtype."""
        return _dtypes(port)

    def settings(self, port: Any) -> Dict[str, Any]:
        """Return what is in effect, whatever the port says of itself."""
        return {
            "parameter_dtypes": "+".join(sorted(_dtypes(port))) or "unknown",
            "matmul_precision": "float32",
            "convolution_precision": "float32",
            "framework_denormals": host_environment.denormals(),
            "onednn": False,
            "debugging": False,
        }


def _dtypes(port: Any) -> Set[str]:
    weights = getattr(port, "weights", {})  # a port may be built on `contract.Port` alone
    return {value.dtype.name for value in weights.values()}
