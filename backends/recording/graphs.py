"""Walks through TensorFlow's graphs, for both backends that build them: what a tensor is computed
from, by the graph's own account.

Imports no framework: tensors and operations know their inputs.
"""

from __future__ import annotations

import re
from typing import Any, Collection, Dict, List, Mapping, Optional, Tuple

from backends.recording.teacher_forcing import TEACHER, WEIGHT, Node, Walk, walk

#: Operations that are variables, or read one.
VARIABLES = ("VarHandleOp", "ReadVariableOp", "Variable", "VariableV2")

#: Operations whose result is their operand again, unless its dtype is another one.
COPIES = ("Identity", "Cast", "Snapshot")
#: Operations that are matrix products, convolutions, or hold such.
CONTRACTIONS = re.compile(
    r"(Sparse|Batch|_?Fused)*(MatMul|Conv2D|Conv3D|Einsum)|DepthwiseConv2d|.*(LSTM|GRU|RNN)"
)

Leaf = Tuple[str, str]


def node(tensor: Any, leaves: Mapping[str, Leaf]) -> Node:
    """Return the node that a tensor is: a leaf, a weight, or the name of its operation.

    Args:
        tensor: of a graph. leaves: what ends a walk, by the name of a tensor.
    """
    if tensor.name in leaves:
        return leaves[tensor.name]
    if tensor.op.type in VARIABLES or tensor.dtype.base_dtype.name == "resource":
        return WEIGHT, tensor.name
    return tensor.op.name


def _original(tensor: Any, leaves: Mapping[str, Leaf], shown: Collection[str]) -> Optional[Leaf]:
    """Return the teacher's value that a tensor is a plain copy of.

    A tensor that is shown as an activation is no copy.
    """
    while (
        tensor.name not in leaves
        and tensor.name not in shown
        and tensor.op.type in COPIES
        and len(tensor.op.inputs) == 1
    ):
        if tensor.op.inputs[0].dtype != tensor.dtype:
            return None
        tensor = tensor.op.inputs[0]
    leaf = leaves.get(tensor.name)
    return leaf if leaf is not None and leaf[0] == TEACHER else None


def ancestry(tensor: Any, leaves: Mapping[str, Leaf], shown: Collection[str] = ()) -> Walk:
    """Return everything upstream of a tensor.

    Args:
        tensor: where to start.
        leaves: what ends the walk, by the name of a tensor: data, noise, the teacher's values. The
            tensor itself may be one. A copy of a teacher's value is that value, so that two layers
            which share it are told apart.
        shown: the names of the tensors that are activations.
    """
    graph = tensor.graph

    def inputs(name: Node) -> List[Node]:
        operands = graph.get_operation_by_name(name).inputs
        return [_original(item, leaves, shown) or node(item, leaves) for item in operands]

    return walk(node(tensor, leaves), inputs)


def contractions_above(tensors: Mapping[str, Any]) -> List[str]:
    """Return the names of the tensors that a contraction is upstream of.

    Contractions in loops and in called functions count, too.
    """
    contracted: List[str] = []
    functions: Dict[str, bool] = {}
    for name, tensor in tensors.items():
        graph = tensor.graph
        names = [item for item in ancestry(tensor, {}) if not isinstance(item, tuple)]
        if any(_contracts(graph.get_operation_by_name(item), functions) for item in names):
            contracted.append(name)
    return contracted


def _contracts(operation: Any, functions: Dict[str, bool]) -> bool:
    """Return whether an operation is a contraction, or calls a function that holds one."""
    if CONTRACTIONS.match(operation.type):
        return True
    return _calls_contraction(operation.graph, operation.node_def, functions)


def _calls_contraction(graph: Any, definition: Any, functions: Dict[str, bool]) -> bool:
    """Return whether a node calls a function that holds a contraction."""
    called = [item.func.name for item in definition.attr.values() if item.HasField("func")]
    return any(_function_contracts(graph, name, functions) for name in called)


def _function_contracts(graph: Any, name: str, functions: Dict[str, bool]) -> bool:
    if name not in functions:
        functions[name] = False  # a function that calls itself
        library = {
            item.signature.name: item
            for item in graph.as_graph_def(add_shapes=False).library.function
        }
        nodes = list(library[name].node_def) if name in library else []
        functions[name] = any(
            bool(CONTRACTIONS.match(item.op)) or _calls_contraction(graph, item, functions)
            for item in nodes
        )
    return functions[name]
