"""What is changed in a copy of the user's GraphDef before it is run: float64 in the place of
float32, the tape in the place of randomness, losses before updates.

The copy is imported by `tf.import_graph_def` and not by `tf.train.import_meta_graph`: what the
latter adds (variables, savers and while contexts of Python's) is only needed to build on, and of
the collections the user's own graph is asked.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Set

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.core.framework import node_def_pb2, types_pb2
from tensorflow.python.framework import op_def_registry, tensor_util

from backends.contract import Unsupported
from backends.tf1.adapter.cones import operation_of
from backends.tf1.adapter.draws import BOUNDED, LEFT, RANDOM, Answers
from backends.tf1.adapter.graph_source import SEED, digest

SINGLE, DOUBLE = types_pb2.DT_FLOAT, types_pb2.DT_DOUBLE
#: Those that a graph that Python builds here does not get, see `graph_source`.
FUSED = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")


def pruned(definition: Any, wanted: Set[str]) -> Any:
    """Return a GraphDef of some of the nodes of another, in the same order.

    Args:
        definition: the other. wanted: names of nodes, closed under what they need.
    """
    part = tf.GraphDef()
    part.versions.CopyFrom(definition.versions)
    part.library.CopyFrom(definition.library)
    part.node.extend(node for node in definition.node if node.name in wanted)
    return part


# -- float64 ---------------------------------------------------------------------------------------


def widen(definition: Any, constants: Mapping[bytes, np.ndarray], loaded: bool) -> None:
    """Make float64 of all float32 in a GraphDef: types, constants, function libraries.

    A constant becomes what Python had when it was made, or else the double of its shortest decimal
    spelling where it is one number, which is what a program said: 0.001, not 0.0010000000474974513.

    Args:
        definition: changed in place. constants: what constants were made of, by their digest.
        loaded: whether the graph was not built here.

    Raises:
        Unsupported: an operation has no float64, or is a fused batch norm of a loaded graph.
    """
    functions = [node for item in definition.library.function for node in item.node_def]
    for node in [*definition.node, *functions]:
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
        if allowed and DOUBLE not in allowed and node.attr[attribute.name].type == SINGLE:
            raise Unsupported(f"TensorFlow's {node.op} has no float64 ({node.name})")
    for argument in [*operation.input_arg, *operation.output_arg]:
        if argument.type == SINGLE:
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
    if not 0.0 <= slope <= 1.0 or node.attr["T"].type != DOUBLE:
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


# -- randomness ------------------------------------------------------------------------------------


def seed(definition: Any) -> None:
    """Give random operations that have no seed one each: initial values are the same every time.

    Args:
        definition: changed in place.
    """
    for index, node in enumerate(definition.node):
        if node.op in RANDOM and not node.attr["seed"].i and not node.attr["seed2"].i:
            if node.op.startswith("Stateless"):
                continue
            node.attr["seed"].i, node.attr["seed2"].i = SEED, index + 1


def answer(definition: Any, answers: Answers, double: bool) -> None:
    """Put Python functions that answer from the tape in the place of random operations; loops run
    one iteration after the other.

    Args:
        definition: changed in place. answers: what answers. double: whether it was widened.
    """
    for node in definition.node:
        if node.op in ("Enter", "RefEnter"):
            node.attr["parallel_iterations"].i = 1
        if node.name not in answers.sites or node.op in LEFT:
            continue
        site = answers.sites[node.name]
        data = [item for item in node.input if not item.startswith("^")]
        after = [item for item in node.input if item.startswith("^")]
        kind = node.attr["dtype"].type or (DOUBLE if double else SINGLE)
        kinds = [node.attr["T"].type or types_pb2.DT_INT32]
        inputs = [data[0]]
        if node.op in BOUNDED:
            inputs, kind = data, node.attr["Tout"].type
            kinds += [kind, kind]
        if site.threshold is not None:
            inputs, kinds = [*inputs, site.threshold], [*kinds, kind]
        node.Clear()
        node.name, node.op = site.name, "PyFunc"
        node.input.extend([*inputs, *after])
        node.attr["token"].s = answers.tokens[site.name].encode()
        node.attr["Tin"].list.type.extend(kinds)
        node.attr["Tout"].list.type.extend([kind])


# -- order -----------------------------------------------------------------------------------------


def hold_back(definition: Any, writers: Mapping[str, Iterable[str]]) -> None:
    """Have operations that move state wait for what is to be seen as it was before.

    Args:
        definition: changed in place. writers: by their names, those of what they wait for.
    """
    by_name: Dict[str, Any] = {node.name: node for node in definition.node}
    for name, before in writers.items():
        node = by_name[name]
        known = set(node.input)
        node.input.extend("^" + item for item in before if "^" + item not in known)
