"""Where a torch port keeps state that nobody declared: buffers, and attributes of its modules and
of its own that are tensors."""

from __future__ import annotations

from typing import Any, Iterator, List, Set

import torch

from backends.recording.undeclared_state import CONTRACT, Memory, Place, Undeclared

#: What every module has, and what a mode is.
MODULE = frozenset([*vars(torch.nn.Module()), "tracking", "track_running_stats"])
#: What `TorchPort` sets.
PORT = CONTRACT | frozenset(
    [
        "device",
        "keeps_freed",
        "dtype",
        "low_dtype",
        "compiler",
        "model",
        "weights",
        "trainable",
        "updaters",
        "optimizers",
        "updates",
        "noise",
        "undeclared",
        "recording",
        "reached",
        "LAYOUT",
    ]
)


class TensorMemory(Memory):
    """Tensors of torch; one that requires a gradient is a parameter, or follows from some."""

    def holds(self, value: Any) -> bool:
        if isinstance(value, torch.Tensor):
            return (
                not isinstance(value, torch.nn.Parameter)
                and not value.requires_grad
                and value.layout == torch.strided
            )
        return Memory.holds(self, value)

    def copy(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value.detach().clone()
        return Memory.copy(self, value)

    def write(self, value: Any, kept: Any) -> None:
        if not isinstance(value, torch.Tensor):
            Memory.write(self, value, kept)
            return
        with torch.no_grad():
            value.copy_(kept)

    def same(self, value: Any, kept: Any) -> bool:
        if type(value) is not type(kept) or not isinstance(value, torch.Tensor):
            return type(value) is type(kept) and Memory.same(self, value, kept)
        if value.shape != kept.shape or value.dtype != kept.dtype or value.device != kept.device:
            return False
        return bool(((value == kept) | (value.isnan() & kept.isnan())).all())


def of(port: Any) -> Undeclared:
    """Return the undeclared state of a `TorchPort`."""
    return Undeclared(lambda: _places(port), TensorMemory())


def trainable_values(port: Any) -> int:
    """Return what `Port.trainable_values` promises, of a `TorchPort`: memory that several
    parameters share counts once.

    What the workload declares to be trainable, and beside it what a loss or a training loop of the
    port's own was differentiated by so far. A weight that nothing uses is none: many modules have
    some.
    """
    names = {item["name"] for item in port.config["parameters"] if item["trainable"]}
    declared = [value for name, value in port.weights.items() if name in names]
    known = {id(value) for value in port.weights.values()}
    beside = [
        value
        for value in port.model.parameters()
        if value.requires_grad
        and id(value) not in known
        and (value.grad is not None or id(value) in port.reached)
    ]
    sizes = {
        (value.untyped_storage().data_ptr(), value.storage_offset(), value.shape): value.numel()
        for value in declared + beside
    }
    return sum(sizes.values())


def leaves(total: torch.Tensor) -> Set[int]:
    """Return the identities of the parameters that a loss can be differentiated by."""
    identities: Set[int] = set()
    seen: Set[Any] = set()
    waiting: List[Any] = [total.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if variable is not None:
            identities.add(id(variable))
        waiting += [following for following, _ in node.next_functions]
    return identities


def _places(port: Any) -> Iterator[Place]:
    declared = {id(value) for value in port.weights.values()}
    attributes = vars(port)
    models = [("", port.model)]
    for name, value in attributes.items():
        if isinstance(value, torch.nn.Module) and value is not port.model:
            models.append((name + ".", value))
    for prefix, model in models:
        for path, module in model.named_modules():
            yield from _places_of(module, prefix + (path + "." if path else ""), declared)
    for name in attributes:
        if name not in PORT:
            yield Place("port." + name, attributes, name, True)


def _places_of(module: torch.nn.Module, prefix: str, declared: Set[int]) -> Iterator[Place]:
    """Yield where one module keeps state, its submodules apart."""
    for name, value in module._buffers.items():
        # The count of batches decides something only where the average is cumulative.
        counts = name == "num_batches_tracked" and getattr(module, "momentum", None) is not None
        undeclared = id(value) not in declared and not counts
        yield Place(prefix + name, module._buffers, name, undeclared)
    for name in vars(module):
        if name not in MODULE:
            yield Place(prefix + name, vars(module), name, True)
