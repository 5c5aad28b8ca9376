"""Where a torch port keeps state that nobody declared: buffers, and attributes of its modules and
of its own that are tensors."""

from __future__ import annotations

from typing import Any, Iterator, Set

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
        "low",
        "compiler",
        "model",
        "weights",
        "trainable",
        "updaters",
        "optimizers",
        "updates",
        "drawing",
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
        return (
            value.detach().clone() if isinstance(value, torch.Tensor) else Memory.copy(self, value)
        )

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
    found = {
        (value.untyped_storage().data_ptr(), value.storage_offset(), value.shape): value.numel()
        for value in declared + beside
    }
    return sum(found.values())


def leaves(total: torch.Tensor) -> Set[int]:
    """Return the identities of the parameters that a loss can be differentiated by."""
    found, seen, waiting = set(), set(), [total.grad_fn]  # type: Set[int], Set[Any], List[Any]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if variable is not None:
            found.add(id(variable))
        waiting += [following for following, _ in node.next_functions]
    return found


def _places(port: Any) -> Iterator[Place]:
    declared = {id(value) for value in port.weights.values()}
    attributes = vars(port)
    modules = [("", port.model)] + [
        (name + ".", value)
        for name, value in attributes.items()
        if isinstance(value, torch.nn.Module) and value is not port.model
    ]
    for prefix, model in modules:
        for path, module in model.named_modules():
            begin = prefix + (path + "." if path else "")
            for name, value in module._buffers.items():
                # The count of batches decides something only where the average is cumulative.
                counts = (
                    name == "num_batches_tracked" and getattr(module, "momentum", None) is not None
                )
                yield Place(
                    begin + name, module._buffers, name, id(value) not in declared and not counts
                )
            for name in vars(module):
                if name not in MODULE:
                    yield Place(begin + name, vars(module), name, True)
    for name in attributes:
        if name not in PORT:
            yield Place("port." + name, attributes, name, True)
