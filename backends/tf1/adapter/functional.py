"""Layers without variables: nonlinearities, pooling, dropout, named by their operations."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from backends.survey import DROPOUT
from backends.tf1.adapter.constants import constant
from backends.tf1.adapter.float64 import decimal_attribute
from backends.tf1.adapter.forward import Forward, Recognized
from backends.tf1.adapter.kernels import windowed

#: By the type of an operation, the word of the nonlinearity.
ACTIVATIONS = {
    "Relu": "relu",
    "Relu6": "relu6",
    "LeakyRelu": "leaky_relu",
    "Elu": "elu",
    "Selu": "selu",
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "Softmax": "softmax",
    "LogSoftmax": "log_softmax",
    "Softplus": "softplus",
    "Softsign": "softsign",
}
POOLS = {"MaxPool": "max_pool", "MaxPoolV2": "max_pool", "AvgPool": "average_pool"}


def layers(forward: Forward) -> List[Recognized]:
    """Return the layers without variables that inference runs, outside of loops.

    Args:
        forward: the forward pass.
    """
    result = []
    for name in sorted(forward.inference, key=lambda item: forward.order[item]):
        op = forward.graph.get_operation_by_name(name)
        if not forward.has(op) or forward.loop(op) or not op.outputs:
            continue
        layer = _layer(op, forward.order[name])
        if layer is not None:
            layer.calls = [str(op.outputs[0].name)]
            result.append(layer)
    return result + _dropouts(forward)


def _layer(op: Any, place: int) -> Optional[Recognized]:
    if op.type in ACTIVATIONS:
        layer = Recognized(op.name, "activation", op.type, place)
        layer.attributes["activation"] = ACTIVATIONS[op.type]
        if op.type == "LeakyRelu":
            layer.attributes["slope"] = decimal_attribute(op.get_attr("alpha"))
        return layer
    if op.type in POOLS and op.type != "MaxPoolV2":
        layer = Recognized(op.name, POOLS[op.type], op.type, place)
        layer.attributes.update(windowed(op, layer))
        sizes = op.get_attr("ksize")
        layer.attributes["kernel_size"] = [int(size) for size in _space(sizes, layer.axes)]
        return layer
    if op.type == "Mean" and op.inputs[0].shape.ndims == 4:
        axes = constant(op.inputs[1])
        if axes is not None and sorted(axes.reshape(-1).tolist()) in ([1, 2], [2, 3]):
            return Recognized(op.name, "global_pool", op.type, place)
    return None


def _space(sizes: Any, axes: Any) -> List[int]:
    return list(sizes[2:]) if axes is not None else list(sizes[1:-1])


def _dropouts(forward: Forward) -> List[Recognized]:
    """Return the dropouts whose output is a tensor of inference; `rate` is filled in when it is
    known."""
    by_layer: Dict[str, Recognized] = {}
    for site in forward.model.sites:
        if site.kind != DROPOUT or site.output is None:
            continue
        name = site.output.split(":", 1)[0]
        op = forward.graph.get_operation_by_name(name)
        if name in forward.inference and not forward.loop(op):
            layer = Recognized(site.layer, "dropout", "dropout", forward.order[name])
            layer.calls = [site.output]
            by_layer[site.name] = layer
    return list(by_layer.values())
