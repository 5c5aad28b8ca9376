"""What `torch.compile` has made of the user's modules and functions, and where it is run.

Hooks, draws from a tape and a teacher's values need code that runs step by step, so that compiled
code runs eagerly while it is looked at: the same function, which is what is to be proved. What is
compiled is compared where nothing has to be looked into: in what inference gives.
"""

from __future__ import annotations

import contextlib
import types
from typing import Any, Callable, ContextManager, List, Optional

import torch

from backends.torch.adapter.inventory import COMPILED
from backends.torch.adapter.state import Snapshot

#: What `torch.compile` puts on a function.
ORIGINAL = "_torchdynamo_orig_callable"
EAGERLY = (
    "torch.compile: layers, draws, losses and gradients are looked at eagerly, the same function"
)


def _reason(error: BaseException) -> str:
    """Return what failed and why, which stand in two lines."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2]) or type(error).__name__


def eagerly() -> ContextManager[Any]:
    """Run what is compiled as it was written. An older torch cannot, and nothing is compiled there:
    such sides are refused when they are built."""
    if hasattr(torch.compiler, "set_stance"):
        stance: ContextManager[Any] = torch.compiler.set_stance("force_eager")
        return stance
    return contextlib.nullcontext()


class Compiled:
    """The compiled code of one side.

    Args:
        reached: from the user's functions.

    Attributes:
        modules, functions: whether there are any that are compiled.
    """

    def __init__(self, reached: Snapshot) -> None:
        self.modules = any(
            hasattr(module, COMPILED) or getattr(module, "_compiled_call_impl", None) is not None
            for module in reached.reached(torch.nn.Module)
        )
        functions = reached.reached((types.FunctionType, types.MethodType))
        self.functions = any(hasattr(function, ORIGINAL) for function in functions)
        self._failure: Optional[str] = None

    def run(self, call: Callable[[], Any]) -> Any:
        """Return what a call gives, compiled; eagerly, where that fails: see `remarks`.

        Args:
            call: of the user's inference.
        """
        if self._failure is None:
            try:
                return call()
            except torch._dynamo.exc.TorchDynamoException as error:
                self._failure = _reason(error)
        with eagerly():
            return call()

    def remarks(self, runs: bool) -> List[str]:
        """Return what is said of compiled code, in sentences.

        Args:
            runs: whether inference can run as it is compiled; it has been run, if so.
        """
        if not (self.modules or self.functions):
            return []
        if self._failure is not None:
            return [f"{EAGERLY}; so is inference, for it cannot be compiled here: {self._failure}"]
        if self.modules and runs:
            return [f"{EAGERLY}; what inference gives at the end is the compiled code's"]
        why = "" if self.modules else ": only functions are compiled"
        return [f"{EAGERLY}; so is inference{why}. The compiled code itself is not compared"]
