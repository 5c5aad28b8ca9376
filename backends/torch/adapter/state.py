"""Everything that a step of the user's may move, wherever it is kept: found by following references
from the functions and objects that the user has declared.

Parameters, buffers, optimizers, schedulers, scalers, averages of weights, metrics, generators and
plain counters all live in objects, dicts, lists and closures. Of each of these that can be reached
its contents are kept, one level deep, and put back into the very same object, so that whoever holds
it sees it as it was. Nothing has to be known about schedulers and the like.

Not reached: what lies in Python's modules, in generators that are half way through.
"""

from __future__ import annotations

import argparse
import collections
import functools
import random
import sys
import types
from typing import Any, Callable, Collection, Dict, Iterable, Iterator, List, Set, Tuple

import numpy as np
import torch

#: Data that is kept beside the models, and not copied above this size: a step does not write to it.
LARGEST_BYTES = 64 << 20
PLAIN = (type(None), bool, int, float, complex, str, bytes, type, range, torch.dtype, torch.device)
LIBRARIES = frozenset(
    [
        *getattr(sys, "stdlib_module_names", ("builtins", "functools", "collections", "logging")),
        *("numpy", "backends"),
    ]
)
NAMESPACES = (types.SimpleNamespace, argparse.Namespace)
#: What a class may keep in itself.
HELD = (bool, int, float, complex, str, list, dict, set, torch.Tensor, np.ndarray)
Restore = Callable[[], None]


def _library(value: Any) -> bool:
    """Return whether a function or the class of an object is none of the user's or of torch's."""
    package = (getattr(value, "__module__", None) or "builtins").split(".")[0]
    return package != "__main__" and package in LIBRARIES


def _of_users(kind: Any) -> bool:
    """Return whether a class is the user's own."""
    return not _library(kind) and kind.__module__.split(".")[0] != "torch"


def _global_names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _global_names(constant)


class Snapshot:
    """A copy of all state that can be reached.

    Args:
        roots: what is followed.
        without: identities of tensors whose values are not kept.

    Attributes:
        large: types of arrays beside the models that were too large to be copied.
    """

    def __init__(self, roots: Iterable[Any], without: Collection[int] = ()) -> None:
        self._without = frozenset(without)
        self.large: List[str] = []
        self._undo: List[Restore] = []
        self._seen: Dict[int, Any] = {}
        waiting = collections.deque(roots)
        #: Tensors of models and optimizers, which are copied whatever their size.
        self._owned: Set[int] = set()
        for root in waiting:
            self._own(root)
        while waiting:
            value = waiting.popleft()
            own_class = isinstance(value, type) and _of_users(value)
            if (isinstance(value, PLAIN) and not own_class) or id(value) in self._seen:
                continue
            self._seen[id(value)] = value  # kept, so that no other object gets its identity
            waiting.extend(self._keep(value))

    def reached(self, class_: Any) -> List[Any]:
        """Return the objects of a class that were reached, in order.

        Args:
            class_: of all of them.
        """
        return [value for value in self._seen.values() if isinstance(value, class_)]

    def restore(self) -> None:
        """Put everything back."""
        with torch.no_grad():
            for undo in self._undo:
                undo()

    # -- kinds of objects --------------------------------------------------------------------------

    def _keep(self, value: Any) -> Iterable[Any]:  # noqa: PLR0911  (one a kind)
        """Keep what one object holds; return what it refers to."""
        if isinstance(value, type):
            return self._keep_class(value)
        if isinstance(value, torch.Tensor):
            return self._keep_tensor(value)
        if isinstance(value, (types.FunctionType, types.MethodType, functools.partial)):
            return self._keep_function(value)
        if isinstance(value, types.CellType):
            return self._keep_cell(value)
        if isinstance(value, (dict, list, set, collections.deque)):
            return self._keep_container(value)
        if isinstance(value, (tuple, frozenset)):
            return list(value)
        if isinstance(value, np.ndarray):
            return self._keep_array(value)
        if isinstance(value, (torch.Generator, random.Random, np.random.RandomState)):
            return self._keep_generator(value)
        if isinstance(value, np.random.Generator):
            bits, state = value.bit_generator, value.bit_generator.state
            self._undo.append(lambda: setattr(bits, "state", state))
            return []
        module = isinstance(value, torch.nn.Module)  # also one that a library of ours brings
        if isinstance(value, types.ModuleType) or (_library(type(value)) and not module):
            return [vars(value)] if isinstance(value, NAMESPACES) else []
        self._own(value)
        content = getattr(value, "__dict__", None)
        held = [content] if isinstance(content, dict) else []
        return [*held, *(kind for kind in type(value).__mro__ if _of_users(kind))]

    def _own(self, value: Any) -> None:
        if isinstance(value, torch.nn.Module) and id(value) not in self._seen:
            self._owned.update(id(each) for each in (*value.parameters(), *value.buffers()))
        elif isinstance(value, torch.optim.Optimizer):
            for slots in value.state.values():
                self._owned.update(id(each) for each in slots.values())

    def _keep_tensor(self, value: torch.Tensor) -> Iterable[Any]:
        gradient = value.grad if value.is_leaf else None
        if value.is_leaf:
            self._undo.append(lambda: setattr(value, "grad", gradient))
        large = value.numel() * value.element_size() > LARGEST_BYTES
        beside = large and id(value) not in self._owned
        if beside:
            self.large.append(f"{type(value).__name__} {tuple(value.shape)}")
        if beside or value.is_inference() or not value.is_leaf or value.layout != torch.strided:
            return []
        if any(step == 0 and size > 1 for step, size in zip(value.stride(), value.shape)):
            return []  # an expanded one, which nobody can write to
        if id(value) in self._without:
            return [] if gradient is None else [gradient]
        kept, data = value.detach().clone(), value.data

        def undo() -> None:
            if value.data_ptr() != data.data_ptr() or value.shape != data.shape:
                value.data = data
            value.copy_(kept)

        self._undo.append(undo)
        return [] if gradient is None else [gradient]

    def _keep_array(self, value: np.ndarray) -> Iterable[Any]:
        if value.nbytes > LARGEST_BYTES or not value.flags.writeable or value.dtype.hasobject:
            if value.nbytes > LARGEST_BYTES:
                self.large.append(f"ndarray {value.shape}")
            return []
        kept = value.copy()
        self._undo.append(lambda: np.copyto(value, kept))
        return []

    def _keep_class(self, value: Any) -> Iterable[Any]:
        """Keep what stands in a class itself: a counter of all its objects, a list that they
        share."""
        items = {
            name: entry
            for name, entry in vars(value).items()
            if not name.startswith("__") and isinstance(entry, HELD)
        }

        def undo() -> None:
            for name, entry in items.items():
                setattr(value, name, entry)

        self._undo.append(undo)
        return list(items.values())

    def _keep_generator(self, value: Any) -> Iterable[Any]:
        if isinstance(value, torch.Generator):
            state = value.get_state()
            self._undo.append(lambda: value.set_state(state))
        elif isinstance(value, random.Random):
            kept = value.getstate()
            self._undo.append(lambda: value.setstate(kept))
        else:
            words = value.get_state()
            self._undo.append(lambda: value.set_state(words))
        return []

    def _keep_cell(self, value: Any) -> Iterable[Any]:
        try:
            content = value.cell_contents
        except ValueError:  # not filled yet
            return []
        self._undo.append(lambda: setattr(value, "cell_contents", content))
        return [content]

    def _keep_container(self, value: Any) -> Iterable[Any]:
        if isinstance(value, dict):
            items = dict(value)
            self._undo.append(lambda: _refill(value, items))
            return [*items.values(), *getattr(value, "__dict__", {}).values()]
        entries = list(value)
        if isinstance(value, list):
            self._undo.append(lambda: value.__setitem__(slice(None), entries))
        else:
            self._undo.append(value.clear)
            add = value.update if isinstance(value, set) else value.extend
            self._undo.append(lambda: add(entries))
        return entries

    def _keep_function(self, value: Any) -> Iterable[Any]:
        if isinstance(value, functools.partial):
            return [value.func, value.args, value.keywords]
        if isinstance(value, types.MethodType):
            return [value.__self__, value.__func__]
        if _library(value) or (value.__module__ or "").split(".")[0] == "torch":
            # A decorator of a library's may be around a function of the user's.
            return [*(value.__closure__ or ()), getattr(value, "__wrapped__", None)]
        self._keep_globals(value)
        names = set(_global_names(value.__code__))
        return [
            *(value.__closure__ or ()),
            *(value.__defaults__ or ()),
            *(value.__kwdefaults__ or {}).values(),
            *(value.__globals__[name] for name in names if name in value.__globals__),
        ]

    def _keep_globals(self, function: Any) -> None:
        space = function.__globals__
        ends = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)
        items = {
            name: space[name]
            for name in set(_global_names(function.__code__))
            if name in space and not isinstance(space[name], ends)
        }
        self._undo.append(lambda: space.update(items))


def _refill(value: Dict[Any, Any], items: Dict[Any, Any]) -> None:
    same = all(mine is other for mine, other in zip(value.values(), items.values()))
    if same and list(value) == list(items):
        return  # most are as they were; a class may not like its attributes to vanish
    # Of a class of the user's the plain methods, whatever it has made of them.
    base: Any = collections.OrderedDict if isinstance(value, collections.OrderedDict) else dict
    base.clear(value)
    for key, entry in items.items():
        base.__setitem__(value, key, entry)


def large_kept(snapshot: Snapshot) -> Tuple[str, ...]:
    """Return what a snapshot has left out because of its size.

    Args:
        snapshot: which.
    """
    return tuple(dict.fromkeys(snapshot.large))
