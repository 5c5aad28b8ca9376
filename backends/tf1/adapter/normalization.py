"""Batch normalization and layer normalization, by the names of their variables and the operations
that add their offset."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Set, Tuple

from backends.tf1.adapter.cones import behind, variable_behind
from backends.tf1.adapter.constants import constant, decimal
from backends.tf1.adapter.float64 import FUSED, decimal_attribute
from backends.tf1.adapter.forward import Forward, Recognized, grouped

MEAN = re.compile(r"(moving|running|pop|population)_mean$")
VARIANCE = re.compile(r"(moving|running|pop|population)_(var|variance)$")
ROLES = {"gamma": "gamma", "scale": "gamma", "beta": "beta", "offset": "beta"}
#: What lies between an offset and the sum that it goes into.
BETWEEN = ("Switch", "Reshape", "Sub", "Mul", "Identity", "Cast", "ExpandDims")


def batch_norms(forward: Forward, names: Set[str]) -> List[Recognized]:
    """Return the layers whose scopes have running statistics.

    Args:
        forward: the forward pass. names: variables to be had.
    """
    result = []
    for scope, roles in grouped(names).items():
        means = [name for role, name in roles.items() if MEAN.search(role)]
        variances = [name for role, name in roles.items() if VARIANCE.search(role)]
        if len(means) != 1 or len(variances) != 1:
            continue
        layer = _layer(forward, scope, "batch_norm", roles)
        layer.add("moving_mean", means)
        layer.add("moving_variance", variances)
        _running(forward, layer, means[0], variances[0])
        result.append(layer)
    return result


def layer_norms(forward: Forward, names: Set[str]) -> List[Recognized]:
    """Return the layers that have a factor and an offset, and nothing else.

    Args:
        forward: the forward pass. names: variables to be had.
    """
    result = []
    for scope, roles in grouped(names).items():
        if sorted(ROLES.get(role, role) for role in roles) == ["beta", "gamma"]:
            result.append(_layer(forward, scope, "layer_norm", roles))
    return result


def _layer(forward: Forward, scope: str, kind: str, roles: Dict[str, str]) -> Recognized:
    layer = Recognized(scope, kind, kind, 0)
    own = {ROLES[role]: name for role, name in roles.items() if role in ROLES}
    for role in ("gamma", "beta"):
        if role in own:
            layer.add(role, [own[role]])
    start = own.get("beta") or own.get("gamma")
    sums = [] if start is None else _sums(forward, start)
    for op in sums:
        output = op.outputs[0]
        merged = [item for item in forward.next(output) if item.type == "Merge"]
        output = merged[0].outputs[0] if merged else output
        if op.name in forward.inference and str(output.name) not in layer.calls:
            layer.calls.append(str(output.name))
    if sums:
        layer.place, layer.type = forward.order[sums[-1].name], sums[0].type
        epsilon = _epsilon(sums[0])
        if epsilon is not None:
            layer.attributes["epsilon"] = epsilon
        if sums[0].type in FUSED and sums[0].get_attr("data_format").startswith(b"NC"):
            layer.axes = (0, 2, 3, 1)
    return layer


def _sums(forward: Forward, variable: str) -> List[Any]:
    """Return the operations that give what a layer gives: fused ones, or the addition that an
    offset, on whatever way, goes into."""
    result: Dict[str, Any] = {}
    waiting = [op for op, _ in forward.readers(variable)]
    while waiting:
        op = waiting.pop()
        if op.type in FUSED or op.type in ("Add", "AddV2", "BiasAdd"):
            result[op.name] = op
        elif op.type in BETWEEN:
            for output in op.outputs:
                waiting += forward.next(output)
    return sorted(result.values(), key=lambda op: forward.order[op.name])


def _epsilon(op: Any) -> Optional[float]:
    """Return what is added to a variance: the constant below the reciprocal root before a sum."""
    if op.type in FUSED:
        return decimal_attribute(op.get_attr("epsilon"))
    waiting, depth = [op], 0
    while waiting and depth < 12:
        depth += 1
        upper = []
        for item in waiting:
            if item.type in ("Rsqrt", "Sqrt"):
                for operand in item.inputs[0].op.inputs:
                    value = constant(operand)
                    if value is not None and value.size == 1:
                        return decimal(value.reshape(-1)[0])
            upper += [operand.op for operand in item.inputs if item.type not in ("Merge", "Mean")]
        waiting = upper
    return None


def _running(forward: Forward, layer: Recognized, mean: str, variance: str) -> None:
    """Note the share of a running statistic that is kept each step, and whether the variance is
    the unbiased one."""
    graph = forward.graph
    for op in _writers(graph, mean):
        share = _kept(op)
        if share is not None:
            layer.measured.setdefault("keep", share)
    for op in _writers(graph, variance):
        above = [op]
        for _ in range(8):
            above = [operand.op for item in above for operand in item.inputs]
            if any(item.type in FUSED or "FusedBatchNorm" in item.name for item in above):
                layer.attributes["unbiased_variance"] = True
        layer.attributes.setdefault("unbiased_variance", False)


def _writers(graph: Any, variable: str) -> List[Any]:
    """Return the operations that move a variable, its first assignment apart."""
    first, result = variable + "/Assign", []
    waiting = [graph.get_operation_by_name(variable).outputs[0]]
    while waiting:
        for op in waiting.pop().consumers():
            if op.type in ("Switch", "RefSwitch"):  # an update in a branch
                waiting += op.outputs
            elif op.type.startswith("Assign") and op.name != first:
                result.append(op)
    return result


def _kept(op: Any) -> Optional[Tuple[str, bool]]:
    """Return the tensor that says which share an update keeps, and whether as its complement:
    `x -= (x - new) * (1 - keep)`, or `x = x * keep + new * (1 - keep)`."""
    value = behind(op.inputs[1])
    if "Sub" in op.type and value.op.type == "Mul":
        return _scalar(value.op, complement=True)
    if value.op.type in ("Add", "AddV2"):
        for product in value.op.inputs:
            reads = [variable_behind(item) for item in product.op.inputs]
            if product.op.type == "Mul" and variable_behind(op.inputs[0]) in reads:
                return _scalar(product.op, complement=False)
    return None


def _scalar(product: Any, complement: bool) -> Optional[Tuple[str, bool]]:
    scalars = [item for item in product.inputs if item.shape.ndims in (0, None)]
    return (str(scalars[-1].name), complement) if scalars else None
