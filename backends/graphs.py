"""Walks through TensorFlow's graphs, for both backends that build them: what a tensor is computed from, by the graph's own account.

Imports no framework: tensors and operations know their inputs.
"""

from __future__ import annotations

from typing import Any, List, Mapping, Tuple

from backends.teaching import WEIGHT, Node, Walk, walk

#: Operations that are variables, or read one.
VARIABLES = ("VarHandleOp", "ReadVariableOp", "Variable", "VariableV2")

Leaf = Tuple[str, str]


def node(tensor: Any, leaves: Mapping[str, Leaf]) -> Node:
    """Return the node that a tensor is: a leaf, a weight, or the name of the operation that computes it."""
    if tensor.name in leaves:
        return leaves[tensor.name]
    if tensor.op.type in VARIABLES or tensor.dtype.base_dtype.name == "resource":
        return WEIGHT, tensor.name
    return tensor.op.name


def ancestry(tensor: Any, leaves: Mapping[str, Leaf]) -> Walk:
    """Return everything upstream of a tensor.

    Args:
        tensor: where to start.
        leaves: what ends the walk, by the name of a tensor: data, noise, the teacher's values. The tensor itself may be one.
    """
    graph = tensor.graph

    def inputs(name: Node) -> List[Node]:
        return [node(given, leaves) for given in graph.get_operation_by_name(name).inputs]

    return walk(node(tensor, leaves), inputs)
