"""What torch computes from what: every operation is watched, below autograd and modules, as it
runs."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from backends.recording.teacher_forcing import TEACHER, UNKNOWN, Node, Walk, walk

#: Operations whose result is their first operand again, unless its dtype is another one.
COPIES = re.compile(r"aten\.(clone|contiguous|_to_copy|lift_fresh)\.")

#: A tensor's memory, and how it lies in it.
Key = Tuple[int, Tuple[Any, ...]]


def storage(tensor: torch.Tensor) -> int:
    """Return what tells a tensor's memory from any other's, for as long as it is kept: views of a
    tensor are that tensor."""
    address: int = tensor.untyped_storage()._cdata
    return address


class Tracer(TorchDispatchMode):
    """Notes for each memory the operation that wrote to it last, and for each operation what it
    read.

    A memory that is written to again is another node from then on. A copy of a teacher's value is
    that value, so that two layers which share the copy are told apart; a copy or a view that is
    itself shown as an activation is not. What leaves torch (`.numpy()`, `.item()`) and comes back
    is not followed: what is computed from it rests on something unknown.

    Attributes:
        operations: the names of torch's operations, by node.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations: Dict[Node, str] = {}
        self._inputs: Dict[Node, Set[Node]] = {}
        self._memories: Dict[int, Node] = {}
        self._whole: Set[Key] = set()  # teachers' values and copies of them
        self._shown: Dict[Key, Node] = {}
        self._kept: List[Any] = []  # memory that is given back would be another tensor's next

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        operands, name = _tensors((args, kwargs)), str(func)
        # Before it runs: the operation may write to what it reads.
        read = {self.node(value) for value in operands}
        memories: Dict[int, Any] = {
            storage(value): self._shown.get(_key(value)) for value in operands
        }
        copied = None
        if operands and COPIES.match(name) and _key(operands[0]) in self._whole:
            copied = self.node(operands[0])
        result = func(*args, **(kwargs or {}))
        operation = f"operation {len(self._kept)}"
        self._kept.append((args, kwargs, result))
        self.operations[operation], self._inputs[operation] = name, read
        for value in _written(func, args, kwargs or {}):
            self._write(value, operation)
        for value in _tensors(result):
            shown = memories.get(storage(value), value)
            if shown is value:
                self._write(value, operation)
                if copied is not None and copied[0] == TEACHER and value.dtype == operands[0].dtype:
                    self.mark(copied, value)
            elif shown is not None:
                self._shown[_key(value)] = shown
        return result

    def _write(self, value: torch.Tensor, operation: Node) -> None:
        memory = storage(value)
        node = f"memory of {operation}, {memory}"
        self._inputs[node], self._memories[memory] = {operation}, node
        self._whole = {key for key in self._whole if key[0] != memory}
        self._shown = {key: shown for key, shown in self._shown.items() if key[0] != memory}

    def mark(self, leaf: Node, tensor: torch.Tensor) -> torch.Tensor:
        """Let a tensor be a leaf; return it."""
        self._memories[storage(tensor)] = leaf
        self._kept.append(tensor)
        if leaf[0] == TEACHER:
            self._whole.add(_key(tensor))
        return tensor

    def node(self, tensor: torch.Tensor) -> Node:
        """Return what a tensor is at this moment."""
        memory = storage(tensor)
        return (
            self._shown.get(_key(tensor))
            or self._memories.get(memory)
            or (UNKNOWN, f"memory {memory}")
        )

    def show(self, name: str, tensor: torch.Tensor) -> Node:
        """Return the node of a tensor that is shown as an activation, its own from now on if it is
        a view or a copy of a leaf."""
        self._kept.append(tensor)
        node = self.node(tensor)
        if not isinstance(node, tuple):
            return node
        own = f"activation {name}"
        self._inputs[own] = {node}
        if node[0] == TEACHER:
            self._shown[_key(tensor)] = own
            self._whole.discard(_key(tensor))
        return own

    def ancestry(self, node: Node) -> Walk:
        """Return everything upstream of a node."""
        return walk(node, lambda other: self._inputs.get(other, ()))


def _key(tensor: torch.Tensor) -> Key:
    return storage(tensor), (
        tuple(tensor.shape),
        tensor.stride(),
        tensor.storage_offset(),
        tensor.is_conj(),
        tensor.is_neg(),
    )


def _tensors(tree: Any) -> List[torch.Tensor]:
    return [
        value
        for value in tree_leaves(tree)
        if isinstance(value, torch.Tensor) and value.layout == torch.strided
    ]


def _written(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> List[torch.Tensor]:
    """Return the operands that an operation writes to, by its schema."""
    written: List[Any] = []
    for index, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            value: Optional[Any] = args[index] if index < len(args) else kwargs.get(argument.name)
            written += _tensors(value)
    return written
