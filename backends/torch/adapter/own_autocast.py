"""The autocast of the user's own code: off where the harness runs it in float32 or float64, and as
it stands in the lower precisions."""

from __future__ import annotations

import contextlib
from typing import Any, Dict, Iterator, List

import torch


class OwnAutocast:
    """Switches it off, and says so.

    Args:
        precision: that the setting asks for.
    """

    def __init__(self, precision: str) -> None:
        self.precision = precision
        self._seen: Dict[str, None] = {}

    @contextlib.contextmanager
    def off(self) -> Iterator[None]:
        """Have it off, for as long as this lasts."""
        kind: Any = torch.autocast
        enter = kind.__enter__

        def entered(own: Any) -> Any:
            enabled = own._enabled
            if enabled:
                self._seen[str(own.fast_dtype).replace("torch.", "")] = None
            own._enabled = False
            try:
                return enter(own)
            finally:
                own._enabled = enabled  # one object may be entered again

        kind.__enter__ = entered
        try:
            yield
        finally:
            kind.__enter__ = enter

    def remarks(self) -> List[str]:
        """Return what has been switched off, in sentences."""
        return [
            f"the code's own autocast to {dtype} is off in {self.precision}: compare it in"
            f" --precision {'bf16' if dtype == 'bfloat16' else 'fp16'}"
            for dtype in self._seen
        ]
