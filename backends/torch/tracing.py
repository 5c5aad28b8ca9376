"""What torch computes from what: every operation is watched, below autograd and modules, as it runs."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Set

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from backends.teaching import Node, Walk, walk


def storage(tensor: torch.Tensor) -> int:
    """Return what tells a tensor's memory from any other's, for as long as it is kept: views of a tensor are that tensor."""
    return tensor.untyped_storage()._cdata


class Tracer(TorchDispatchMode):
    """Notes for each memory the operations that wrote to it, and for each operation what it read.

    In a memory that is written to again later, what was there first counts as computed from what came last, too: that says too much
    rather than too little. What leaves torch (`.numpy()`, `.item()`) and comes back is not followed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.leaves: Dict[int, Node] = {}
        self._written: Dict[Node, Set[Node]] = {}
        self._kept: List[Any] = []  # memory that is given back would be another tensor's next

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        operation = "operation %d" % len(self._kept)
        self._kept.append((args, kwargs, found))
        self._written[operation] = {storage(value) for value in _tensors((args, kwargs))}
        for value in _tensors(found):
            self._written.setdefault(storage(value), set()).add(operation)
        return found

    def mark(self, leaf: Node, tensor: torch.Tensor) -> torch.Tensor:
        """Let a tensor be a leaf; return it."""
        self.leaves[storage(tensor)] = leaf
        self._kept.append(tensor)
        return tensor

    def node(self, tensor: torch.Tensor) -> Node:
        """Return what a tensor is for `ancestry`."""
        return storage(tensor)

    def ancestry(self, tensor: torch.Tensor) -> Walk:
        """Return everything upstream of a tensor."""
        def inputs(node: Node) -> Iterable[Node]:
            return [self.leaves.get(other, other) for other in self._written.get(node, ())]

        return walk(self.leaves.get(storage(tensor), storage(tensor)), inputs)


def _tensors(tree: Any) -> List[torch.Tensor]:
    return [value for value in tree_leaves(tree) if isinstance(value, torch.Tensor)]
