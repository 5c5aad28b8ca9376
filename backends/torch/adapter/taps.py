"""What layers return, looked at as they return it: hooks on all modules, for as long as a look
takes."""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import torch
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)

from backends.adapter.side import Tap
from backends.survey import LAST
from backends.torch.adapter import rules, values
from backends.torch.adapter.functions import Function, Functions
from backends.torch.adapter.packed import Lengths, packed
from backends.torch.adapter.rules import Description

#: Called with a layer's path, the number of the call, the module, what went in and what came out;
#: returns what is to come out.
Seen = Callable[[str, int, Any, Any, Any], Any]


class Running:
    """Which layers are running, and how often each has been called.

    Args:
        paths: of each module that has one, by its identity.
        top: path of the model around all of them, if there is one: a function that it calls stands
            in no layer.
        seen: called when a layer returns.
    """

    def __init__(self, paths: Mapping[int, str], top: str, seen: Seen) -> None:
        self.paths, self.top, self.seen = paths, top, seen
        self.calls: Dict[str, int] = {}
        self.functions: Dict[str, Function] = {}
        self._lengths = Lengths()
        #: Module, path, and how often it has called each function so far.
        self._stack: List[Tuple[Any, str, Dict[str, int]]] = []

    def place(self) -> str:
        """Return the path of the innermost layer that is running."""
        return self._stack[-1][1] if self._stack else ""

    def _enter(self, module: Any, inputs: Any) -> None:
        path = self.paths.get(id(module))
        if path is not None:
            self._stack.append((module, path, {}))

    def _leave(self, module: Any, inputs: Any, output: Any) -> Any:
        path = self.paths.get(id(module))
        if path is None:
            return output
        while self._stack and self._stack.pop()[0] is not module:
            pass  # a layer in it has raised something that was caught
        if torch._C._current_graph_task_id() != -1:
            return output  # computed again in a backward pass
        call = self.calls.get(path, 0)
        self.calls[path] = call + 1
        result = self._answered(path, call, module, inputs, output)
        if isinstance(module, torch.nn.RNNBase):
            self._show_last(f"{path}/{LAST}", call, module, result[1])
        return result

    def _answered(self, path: str, call: int, module: Any, inputs: Any, output: Any) -> Any:
        """Return what is to come out of a layer; a packed sequence is shown padded."""
        batch_first = getattr(module, "batch_first", True)
        shown = self._lengths.padded(output, batch_first)
        answer = self.seen(path, call, module, inputs, shown)
        if shown is output:
            return answer
        return output if answer is shown else packed(answer, output, batch_first)

    def _show_last(self, path: str, call: int, module: Any, state: Any) -> None:
        """Show the last output of a recurrent layer, [batch, units], as a layer of its own: other
        frameworks return that alone where all of them are not asked for."""
        hidden = state[0] if isinstance(state, tuple) else state
        if hidden.ndim == 3:
            directions = 2 if module.bidirectional else 1
            last = Function(LAST, Description(kind="other"))
            self.functions[path], self.calls[path] = last, call + 1
            self.seen(path, call, last, (), torch.cat(list(hidden[-directions:]), -1))

    def _called(self, function: Function, output: Any) -> Any:
        """Take a function for a layer, unless a layer that is known calls it."""
        if not self._stack or torch._C._current_graph_task_id() != -1:
            return output
        inner, place, counts = self._stack[-1]
        if rules.describe(inner).kind not in ("container", "other"):
            return output
        path = function.name if place in ("", self.top) else f"{place}/{function.name}"
        count = counts[path] = counts.get(path, -1) + 1
        path = f"{path}_{count}" if count else path
        call = self.calls.get(path, 0)
        self.functions[path], self.calls[path] = function, call + 1
        return self.seen(path, call, function, (), output)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Have the hooks on."""
        handles = [
            register_module_forward_pre_hook(self._enter),
            register_module_forward_hook(self._leave),
        ]
        try:
            with Functions(self._called, self._lengths.note):
                yield
        finally:
            for handle in handles:
                handle.remove()
            self._stack.clear()


class Record:
    """Copies of what is tapped.

    Args:
        taps: what is wanted.

    Attributes:
        kept: by the tap's name, in the order of execution.
    """

    def __init__(self, taps: Sequence[Tap]) -> None:
        self.kept: Dict[str, torch.Tensor] = {}
        self._wanted: Dict[Tuple[str, int], Dict[int, List[str]]] = {}
        for tap in taps:
            outputs = self._wanted.setdefault((tap.layer, tap.call), {})
            outputs.setdefault(tap.output, []).append(tap.name)

    def wanted(self, path: str, call: int) -> Mapping[int, List[str]]:
        """Return the names of taps on one call of a layer, by the number of the output."""
        return self._wanted.get((path, call), {})

    def seen(self, path: str, call: int, module: Any, inputs: Any, output: Any) -> Any:
        """Keep what is wanted of a layer's output, as `Seen` says."""
        wanted = self.wanted(path, call)
        if wanted:
            parts = [tensor for _, tensor in values.tensors(output)]
            for index, names in wanted.items():
                if index < len(parts):
                    copied = parts[index].detach().clone()
                    self.kept.update(dict.fromkeys(names, copied))
        return output


class Layers:
    """Notes of every layer what a survey wants to know of its calls.

    Attributes:
        order: paths, in the order in which the first calls return.
        outputs: shapes of what the first call returned. axes: see `backends.survey.Layer`.
    """

    def __init__(self) -> None:
        self.order: List[str] = []
        self.outputs: Dict[str, Tuple[Tuple[int, ...], ...]] = {}
        self.axes: Dict[str, Optional[Tuple[int, ...]]] = {}
        self._known: Dict[Tuple[int, ...], Tuple[int, ...]] = {}

    def seen(self, path: str, call: int, module: Any, inputs: Any, output: Any) -> Any:
        """Note one call, as `Seen` says."""
        if path not in self.outputs:
            parts = [tensor for _, tensor in values.tensors(output)]
            self.order.append(path)
            self.outputs[path] = tuple(tuple(part.shape) for part in parts)
            self.axes[path] = self._axes_of(module, parts[0]) if parts else None
        return output

    def _axes_of(self, module: Any, output: torch.Tensor) -> Optional[Tuple[int, ...]]:
        shape = tuple(output.shape)
        own = rules.axes(rules.describe(module).first, output.ndim)
        if own is not None:
            self._known[shape] = own
            return own
        # An activation, a dropout, a block with a shortcut: in the layout of what was as large.
        return self._known.get(shape)
