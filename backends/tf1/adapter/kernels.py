"""Layers that multiply by a kernel, or look one up: dense, convolutions, embeddings."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Set, Tuple

from backends.tf1.adapter.forward import Forward, Recognized, scope_of

#: By the type of the operation and the operand that the variable is: kind of layer, role, and the
#: steps to the canonical layout.
USES: Dict[Tuple[str, int], Tuple[str, str, Tuple[Any, ...]]] = {
    ("MatMul", 1): ("dense", "kernel", ()),
    ("BatchMatMul", 1): ("dense", "kernel", ()),
    ("BatchMatMulV2", 1): ("dense", "kernel", ()),
    ("BatchMatMulV3", 1): ("dense", "kernel", ()),
    ("Conv2D", 1): ("conv", "kernel", ()),
    ("Conv3D", 1): ("conv", "kernel", ()),
    ("DepthwiseConv2dNative", 1): ("depthwise_conv", "kernel", ()),
    ("Conv2DBackpropInput", 1): ("conv_transpose", "kernel", (("transpose", (0, 1, 3, 2)),)),
    ("Gather", 0): ("embedding", "embeddings", ()),
    ("GatherV2", 0): ("embedding", "embeddings", ()),
    ("ResourceGather", 0): ("embedding", "embeddings", ()),
    ("EmbeddingLookup", 0): ("embedding", "embeddings", ()),
}
#: Ends of names that are only the role of a variable.
ROLES = re.compile(r"kernel|weights?|W|w|embeddings?|filters?")


def layers(forward: Forward, names: Set[str]) -> List[Recognized]:
    """Return the layers of all kernels, with their biases.

    Args:
        forward: the forward pass. names: variables to be had.
    """
    kernels = {name: _uses(forward, name) for name in names}
    kernels = {name: uses for name, uses in kernels.items() if uses}
    scopes = [scope_of(name) for name in kernels]
    taken: Set[str] = set()
    result = []
    for name in sorted(kernels, key=lambda item: forward.order[kernels[item][0][0].name]):
        alone = scopes.count(scope_of(name)) == 1 and scope_of(name)
        base, _, end = name.rpartition("/")
        own = base if ROLES.fullmatch(end) and base else name
        layer = _layer(forward, alone or own, name, kernels[name])
        bias = layer.attributes.pop("bias_variable")
        if layer.kind != "embedding":
            layer.attributes["bias"] = bool(bias)
        if bias in names and bias not in taken and bias not in kernels:
            taken.add(bias)
            shape = forward.shapes[bias]
            flat = [("reshape", (max(shape),))] if len(shape) > 1 else []
            layer.add("bias", [bias], flat)
        result.append(layer)
    return result


def _uses(forward: Forward, name: str) -> List[Tuple[Any, int]]:
    return [(op, place) for op, place in forward.readers(name) if (op.type, place) in USES]


def _layer(forward: Forward, name: str, variable: str, uses: List[Tuple[Any, int]]) -> Recognized:
    op, place = uses[0]
    kind, role, steps = USES[op.type, place]
    layer = Recognized(name, kind, op.type, forward.order[op.name])
    transposed = "transpose_b" if op.type == "MatMul" else "adj_y"
    if kind == "dense" and op.get_attr(transposed):
        steps = (("transpose", (1, 0)),)
    layer.add(role, [variable], steps)
    layer.attributes["bias_variable"] = ""
    for user, _ in uses:
        if forward.loop(user):
            continue
        output, bias = forward.with_bias(user.outputs[0])
        if kind != "embedding":
            layer.attributes["bias_variable"] = layer.attributes["bias_variable"] or bias
        else:
            output = user.outputs[0]
        if user.name in forward.inference:
            layer.calls.append(str(output.name))
    _describe(layer, op, forward.shapes[variable])
    return layer


def _describe(layer: Recognized, op: Any, shape: Tuple[int, ...]) -> None:
    attributes = layer.attributes
    if layer.kind == "dense":
        attributes["units"] = layer.parts[0].shape([shape])[-1]
    elif layer.kind == "embedding":
        attributes["embeddings"], attributes["units"] = shape[0], shape[-1]
    else:
        attributes["filters"] = shape[2] if layer.kind == "conv_transpose" else shape[-1]
        if layer.kind == "depthwise_conv":
            attributes["filters"] = shape[-2] * shape[-1]
        attributes.update(windowed(op, layer))
        attributes["kernel_size"] = list(shape[:-2])
        attributes["groups"] = 1
        if len(shape) == 3:  # a convolution of one axis, by one of two
            for word in ("stride", "dilation"):
                attributes[word] = attributes[word][-1:]


def windowed(op: Any, layer: Recognized) -> Dict[str, Any]:
    """Return stride, padding and dilation of a convolution or a pooling, and set the axes.

    Args:
        op: of the graph. layer: that it makes.
    """
    first = op.get_attr("data_format").decode().startswith("NC")
    rank = len(op.get_attr("strides"))
    space = list(range(2, rank)) if first else list(range(1, rank - 1))
    if first:
        layer.axes = (0, *range(2, rank), 1)
    padding: Any = op.get_attr("padding").decode().lower()
    attributes = [item.name for item in op.op_def.attr]
    if padding == "explicit":
        pairs = list(op.get_attr("explicit_paddings"))
        padding = [pairs[2 * axis : 2 * axis + 2] for axis in space]
    words: Dict[str, Any] = {
        "stride": [int(op.get_attr("strides")[axis]) for axis in space],
        "padding": padding,
    }
    if "dilations" in attributes:
        words["dilation"] = [int(op.get_attr("dilations")[axis]) for axis in space]
    return words
