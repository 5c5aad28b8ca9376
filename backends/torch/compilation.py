"""`torch.compile`, with the evidence that it compiled: dynamo hands every graph that it captures to
the backend below.

With CUDA graphs, inductor records what it compiled and replays it as one launch; where it declines,
it only counts that it did.
"""

from __future__ import annotations

import sys
from typing import Any, Callable, Dict

import torch
from torch._dynamo import config, exc, lookup_backend
from torch._dynamo.utils import counters

from backends.contract import Unsupported

#: What a missing C++ compiler or Triton, a kernel that inductor lacks, and too many versions of one
#: function raise.
REFUSALS = tuple(
    getattr(exc, name)
    for name in ("BackendCompilerFailed", "FailOnRecompileLimitHit")
    if hasattr(exc, name)
)


class Compiler:
    """Compiles the functions of one port with inductor, and counts the graphs of each.

    Args:
        cudagraphs: have them replayed as CUDA graphs.
    """

    def __init__(self, cudagraphs: bool = False) -> None:
        # Or versions made for an earlier port would count against this one's limit.
        torch._dynamo.reset()
        # By default dynamo may run a function eagerly and only warn.
        config.suppress_errors = False
        if hasattr(config, "fail_on_recompile_limit_hit"):
            config.fail_on_recompile_limit_hit = True
        else:  # before torch 2.7: no version is one too many, so that none runs eagerly
            config.cache_size_limit = config.accumulated_cache_size_limit = sys.maxsize
        self.graphs: Dict[str, int] = {}
        self._breaks = self._graph_breaks()
        self.cudagraphs, self._skips = cudagraphs, self._skipped()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function compiled; it raises Unsupported where it would run eagerly."""
        name, inductor = function.__name__, lookup_backend("inductor")
        patches = {"config_patches": {"triton.cudagraphs": True}} if self.cudagraphs else {}
        self.graphs[name] = 0

        def backend(graph: Any, inputs: Any) -> Any:
            made = inductor(graph, inputs, **patches)
            self.graphs[name] += 1
            return made

        compiled = torch.compile(function, backend=backend)

        def run(*inputs: Any) -> Any:
            if self.cudagraphs:  # what the last call returned may be overwritten now
                torch.compiler.cudagraph_mark_step_begin()
            try:
                result = compiled(*inputs)
            except REFUSALS as error:
                reason = " ".join(str(error).split("Set TORCHDYNAMO_VERBOSE")[0].split())[:300]
                raise Unsupported(f"torch {torch.__version__} cannot compile: {reason}") from error
            if not self.graphs[name]:
                raise Unsupported(
                    f"torch {torch.__version__} captured no graph: {name} ran eagerly"
                )
            if self.cudagraphs and self._skipped() > self._skips:
                raise Unsupported(
                    f"torch {torch.__version__} compiled {name}, and declined to make CUDA graphs"
                    " of it"
                )
            return result

        return run

    def effective(self) -> Dict[str, Any]:
        """Return what was compiled so far."""
        execution = "cudagraph" if self.cudagraphs else "compiled"
        captured = any(self.graphs.values())
        return {
            "execution": execution if captured else "unknown",
            "graph_breaks": self._graph_breaks() - self._breaks,
        }

    def _graph_breaks(self) -> int:
        return sum(counters["graph_break"].values())

    @staticmethod
    def _skipped() -> int:
        return int(counters["inductor"]["cudagraph_skips"])
