"""What a build really is: its interpreter, resolved versions and platform, as the worker itself
reports them."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any, Dict, Optional

import numpy as np


def build(core: Any) -> Dict[str, Any]:
    """Return the identity of the running build.

    Args:
        core: the backend's module `core`, which knows its framework's versions.
    """
    versions = {"numpy": np.__version__}
    versions.update(core.framework_versions())
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cpus": _cpus(),
        "versions": versions,
    }


def _cpus() -> Optional[int]:
    """Return how many processors this process may use; where that is not told, how many there
    are.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _processor() -> str:
    """Return the processor's name as the kernel gives it."""
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor()
