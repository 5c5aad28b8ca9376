"""Tells whether a model moved between TensorFlow 1, TensorFlow 2 and PyTorch is still the same
model, and what the move cost.

    from harness import compare, load, Report

    report = compare("pair.py", until="update", speed=False)
    report.raise_for_verdict()

The orchestrator: it imports no framework, ever. The three names are imported when they are first
used: `import harness` alone, which every run of pytest does that has the plugin, stays cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from harness.results.version import VERSION as __version__  # noqa: N811  (its usual name)

if TYPE_CHECKING:
    from harness.api import Report, compare, load

__all__ = ["Report", "__version__", "compare", "load"]


def __getattr__(name: str) -> Any:
    """Return a public name, imported when it is first asked for (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module("harness.api"), name)
    globals()[name] = value  # the next time it is found without this function
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
