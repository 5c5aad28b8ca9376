"""Which of torch's losses and clippings a step calls."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, Dict, Iterator, Set

import torch

from backends.torch.adapter.steps import Watch

FUNCTIONAL = os.path.join("torch", "nn", "functional.py")
CLIPPING = os.path.join("torch", "nn", "utils", "clip_grad.py")


class Calls:
    """Notes which of torch's losses and clippings a step calls, however it got hold of them: by
    the code that runs."""

    def __init__(self, seen: Watch) -> None:
        self.reductions: Set[str] = set()
        #: By the number of updates before it.
        self.clippings: Dict[int, Dict[str, float]] = {}
        self._seen = seen

    def _called(self, frame: Any, event: str, _: Any) -> None:
        if event != "call":
            return
        file, name, held = frame.f_code.co_filename, frame.f_code.co_name, frame.f_locals
        if file.endswith(FUNCTIONAL) and "reduction" in held:
            self.reductions.add(str(held["reduction"]))
        elif file.endswith(CLIPPING):
            clippings = self.clippings.setdefault(len(self._seen.updated), {})
            if name == "clip_grad_norm_":
                word = "clip_norm" if _is_one(held["parameters"]) else "clip_global_norm"
                clippings[word] = float(held["max_norm"])
                if float(held["norm_type"]) != 2.0:
                    clippings["clip_norm_order"] = float(held["norm_type"])
            elif name == "clip_grad_value_":
                clippings["clip_value"] = float(held["clip_value"])

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch, for as long as this lasts."""
        before = sys.getprofile()
        sys.setprofile(self._called)
        try:
            yield
        finally:
            sys.setprofile(before)


def _is_one(parameters: Any) -> bool:
    """Return whether what is clipped is a single parameter; a generator is not to be touched."""
    single = isinstance(parameters, (list, tuple)) and len(parameters) == 1
    return single or isinstance(parameters, torch.Tensor)
