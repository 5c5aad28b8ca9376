"""float64 in the place of float32 throughout a GraphDef.

Types, constants and function libraries become double. A constant becomes what Python had when it
was made, or else the double of its shortest decimal spelling where it is one number, which is what
a program said: 0.001, not 0.0010000000474974513. So a hard-coded `tf.float32`, and the casts that
TF1's own code makes, are lifted.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Set

import numpy as np
from tensorflow.core.framework import node_def_pb2, types_pb2
from tensorflow.python.framework import op_def_registry, tensor_util

from backends.contract import Unsupported
from backends.tf1.adapter.cones import operation_of
from backends.tf1.adapter.graph_source import digest

SINGLE, DOUBLE = types_pb2.DT_FLOAT, types_pb2.DT_DOUBLE
#: Those that a graph that Python builds here does not get, see `graph_source`.
FUSED = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
#: Arrays of tensors hand on a number without a meaning, the flow, that is a float32 for ever.
FLOWING = "TensorArray"
#: What a flow goes through on its way: these stay float32 with it.
WAYS = (
    *("Enter", "Exit", "Merge", "Switch", "NextIteration", "Identity", "LoopCond"),
    *("AddN", "Add", "AddV2", "Const", "ZerosLike", "StackV2", "StackPushV2", "StackPopV2"),
)
#: Attributes that say what passes.
PASSED = ("T", "dtype", "elem_type")


def widen(definition: Any, constants: Mapping[bytes, np.ndarray], loaded: bool) -> None:
    """Make float64 of all float32 in a GraphDef.

    Args:
        definition: changed in place. constants: what constants were made of, by their digest.
        loaded: whether the graph was not built here.

    Raises:
        Unsupported: an operation has no float64, or is a fused batch norm of a loaded graph.
    """
    flows = _flows(definition)
    functions = [node for item in definition.library.function for node in item.node_def]
    for node in [*definition.node, *functions]:
        if node.name in flows:
            continue
        _require_double(node, loaded)
        for value in node.attr.values():
            _widen_attribute(value, constants)
    for item in definition.library.function:
        for argument in [*item.signature.input_arg, *item.signature.output_arg]:
            argument.type = DOUBLE if argument.type == SINGLE else argument.type
        for value in item.attr.values():
            _widen_attribute(value, constants)
    nodes: List[Any] = []
    for node in definition.node:
        nodes += _exact_slopes(node)
    del definition.node[:]
    definition.node.extend(nodes)


def kind_of(node: Any, attribute: str) -> int:
    """Return a type that a node has as an attribute, or 0; asking a node itself would set it.

    Args:
        node: of a GraphDef. attribute: its name.
    """
    return int(node.attr[attribute].type) if attribute in node.attr else 0


def _flows(definition: Any) -> Set[str]:
    """Return the nodes that hand on the flow of an array of tensors."""
    nodes = {node.name: node for node in definition.node}
    ways = {name for name, node in nodes.items() if node.op in WAYS and _passes_single(node)}
    # What is behind a flow is one, and what is before one: both ways, until nothing is added.
    linked: Dict[str, Set[str]] = {name: set() for name in ways}
    waiting: List[str] = []
    for node in definition.node:
        for index, item in enumerate(node.input):
            name = operation_of(item)
            if item.startswith("^") or (node.op == "Switch" and index == 1):
                continue
            if node.op in ("StackPushV2", "StackPopV2") and index == 0:
                name = _stack(nodes, name)
            if node.name in ways and name in ways:
                linked[node.name].add(name)
                linked[name].add(node.name)
            elif node.op.startswith(FLOWING) and name in ways and _is_flow_in(node, index):
                waiting.append(name)
            elif node.name in ways and _gives_flow(nodes, item):
                waiting.append(node.name)
    flows: Set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in flows:
            flows.add(name)
            waiting += linked[name]
    return flows


def _passes_single(node: Any) -> bool:
    return any(kind_of(node, word) == SINGLE for word in PASSED)


def _stack(nodes: Mapping[str, Any], name: str) -> str:
    """Return the name of the stack that a handle is of."""
    while nodes[name].op in ("Enter", "Identity"):
        name = operation_of(nodes[name].input[0])
    return name


def _is_flow_in(node: Any, index: int) -> bool:
    arguments = _operation(node.op).input_arg
    return index < len(arguments) and arguments[index].type == SINGLE


def _gives_flow(nodes: Mapping[str, Any], item: str) -> bool:
    name, _, index = item.partition(":")
    if not nodes[name].op.startswith(FLOWING):
        return False
    return bool(_operation(nodes[name].op).output_arg[int(index or 0)].type == SINGLE)


def _operation(kind: str) -> Any:
    if hasattr(op_def_registry, "get_registered_ops"):
        return op_def_registry.get_registered_ops().get(kind)
    return op_def_registry.get(kind)


def _require_double(node: Any, loaded: bool) -> None:
    if node.op.startswith(FUSED):
        where = "a loaded graph" if loaded else "this graph, which was not built here"
        raise Unsupported(
            f"TensorFlow's fused batch norm has no float64, and {where} has one ({node.name});"
            " give the function that builds the graph, or build it with fused=False"
        )
    operation = _operation(node.op)
    if operation is None:
        return
    for attribute in operation.attr:
        allowed = attribute.allowed_values.list.type
        if allowed and DOUBLE not in allowed and kind_of(node, attribute.name) == SINGLE:
            raise Unsupported(f"TensorFlow's {node.op} has no float64 ({node.name})")
    for argument in [*operation.input_arg, *operation.output_arg]:
        if argument.type == SINGLE and not node.op.startswith(FLOWING):
            raise Unsupported(f"TensorFlow's {node.op} computes in float32 alone ({node.name})")


def _widen_attribute(value: Any, constants: Mapping[bytes, np.ndarray]) -> None:
    word = value.WhichOneof("value")
    if word == "type" and value.type == SINGLE:
        value.type = DOUBLE
    elif word == "tensor":
        _widen_tensor(value.tensor, constants)
    elif word == "func":
        for inner in value.func.attr.values():
            _widen_attribute(inner, constants)
    elif word == "list":
        for index, kind in enumerate(value.list.type):
            value.list.type[index] = DOUBLE if kind == SINGLE else kind
        for tensor in value.list.tensor:
            _widen_tensor(tensor, constants)
        for function in value.list.func:
            for inner in function.attr.values():
                _widen_attribute(inner, constants)


def _widen_tensor(tensor: Any, constants: Mapping[bytes, np.ndarray]) -> None:
    if tensor.dtype != SINGLE:
        return
    single = tensor_util.MakeNdarray(tensor)
    exact = constants.get(digest(single))
    if exact is not None and exact.size in (1, single.size):
        value = np.broadcast_to(exact.reshape(-1), [single.size]).reshape(single.shape)
    elif single.size == 1:
        value = np.reshape(float(str(single.reshape(-1)[0])), single.shape)
    else:
        value = single.astype(np.float64)
    tensor.CopyFrom(tensor_util.make_tensor_proto(np.array(value, np.float64)))


def _exact_slopes(node: Any) -> List[Any]:
    """Return a leaky relu as operations whose slope is a double; its attribute is a float32."""
    if node.op not in ("LeakyRelu", "LeakyReluGrad"):
        return [node]
    slope = decimal_attribute(node.attr["alpha"].f)
    if not 0.0 <= slope <= 1.0 or kind_of(node, "T") != DOUBLE:
        return [node]
    data = [item for item in node.input if not item.startswith("^")]
    after = [item for item in node.input if item.startswith("^")]
    # A constant in a loop is made anew in each iteration.
    anchor = "^" + operation_of(data[0])
    factor = _constant(node.name + "/exact_slope", slope, anchor)
    scaled = _node(node.name + "/exact_product", "Mul", [data[0], factor.name])
    if node.op == "LeakyRelu":
        return [factor, scaled, _node(node.name, "Maximum", [data[0], scaled.name, *after])]
    zero = _constant(node.name + "/exact_zero", 0.0, anchor)
    positive = _node(node.name + "/exact_sign", "Greater", [data[1], zero.name])
    chosen = [positive.name, data[0], scaled.name, *after]
    return [factor, scaled, zero, positive, _node(node.name, "Select", chosen)]


def decimal_attribute(value: float) -> float:
    """Return what an attribute, which is a float32, was written as.

    Args:
        value: of the attribute.
    """
    return float(str(np.float32(value)))


def _node(name: str, kind: str, inputs: Iterable[str]) -> Any:
    node = node_def_pb2.NodeDef(name=name, op=kind, input=list(inputs))
    node.attr["T"].type = DOUBLE
    return node


def _constant(name: str, value: float, anchor: str) -> Any:
    node = node_def_pb2.NodeDef(name=name, op="Const", input=[anchor])
    node.attr["dtype"].type = DOUBLE
    node.attr["value"].tensor.CopyFrom(tensor_util.make_tensor_proto(np.float64(value)))
    return node
