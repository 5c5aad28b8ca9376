"""Recurrent cells: LSTMs, whose one kernel holds input and state and four gates, and GRUs, whose
gates and candidate have kernels of their own.

The pieces are Keras': input and recurrent kernels apart, gates in its order, the constant that TF1
adds to the forget gate in the bias.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Set, Tuple

from backends.tf1.adapter.constants import constant, decimal
from backends.tf1.adapter.forward import Forward, Recognized, scope_of

WORDS = {"Tanh": "tanh", "Sigmoid": "sigmoid", "Relu": "relu", "Elu": "elu", "Relu6": "relu6"}


def lstms(forward: Forward, names: Set[str]) -> List[Recognized]:
    """Return the layers of kernels that multiply input and state at once and are split in four.

    Args:
        forward: the forward pass. names: variables to be had.
    """
    result = []
    for name in sorted(names, key=lambda item: forward.order[item]):
        product = _product(forward, name)
        if product is None:
            continue
        output, bias = forward.with_bias(product.outputs[0])
        splits = [op for op in forward.next(output) if op.type == "Split"]
        if len(splits) == 1 and splits[0].get_attr("num_split") == 4:
            result.append(_lstm(forward, name, bias, splits[0]))
    _show(forward, result)
    return result


def _product(forward: Forward, name: str) -> Any:
    """Return the matrix product of a variable with several tensors beside each other, or None."""
    for op, place in forward.readers(name):
        joined = op.type == "MatMul" and op.inputs[0].op.type in ("ConcatV2", "Concat")
        if joined and place == 1 and len(forward.shapes[name]) == 2:
            return op
    return None


def _lstm(forward: Forward, name: str, bias: str, split: Any) -> Recognized:
    rows, columns = forward.shapes[name]
    units = columns // 4
    scope = scope_of(name) or name
    layer = Recognized(scope, "lstm", "LSTMCell", forward.order[split.name])
    layer.loop = forward.loop(split)
    layer.calls = _states(forward, name, layer.loop)
    words = [_word(forward, output) for output in split.outputs]
    # TF1 has the gates as i j f o; a cell of somebody's own may have Keras' i f c o.
    order = (0, 1, 2, 3) if words[2] == "tanh" and words[1] != "tanh" else (0, 2, 1, 3)
    blocks = ("blocks", 1, order)
    layer.add("kernel", [name], [("slice", 0, 0, rows - units), blocks])
    layer.add("recurrent_kernel", [name], [("slice", 0, rows - units, rows), blocks])
    forget = split.outputs[order.index(1) if order[1] == 1 else 2]
    added = _added(forward, forget)
    if bias:
        steps: List[Any] = [("blocks", 0, order)]
        if added:
            steps.append(("shift", 0, units, 2 * units, added))
        layer.add("bias", [bias], steps)
    layer.attributes.update(units=units, bias=bool(bias), return_sequences=bool(layer.loop))
    layer.attributes.update(activation=words[order[2]], recurrent_activation=words[0])
    return layer


def _states(forward: Forward, name: str, loop: str) -> List[str]:
    """Return the names of the states that a cell gives, one a call; none of one in a loop."""
    if loop:
        return []
    states = []
    for op, place in forward.readers(name):
        if op.type == "MatMul" and place == 1:
            gates, _ = forward.with_bias(op.outputs[0])
            splits = [item for item in forward.next(gates) if item.type == "Split"]
            opened = [item for split in splits for item in forward.next(split.outputs[3])]
            products = [item for gate in opened for item in forward.next(gate.outputs[0])]
            states += [str(item.outputs[0].name) for item in products if item.type == "Mul"][:1]
    return states


def _word(forward: Forward, tensor: Any) -> str:
    """Return the nonlinearity that a gate goes through, beyond a constant that is added."""
    for op in forward.next(tensor):
        if op.type in WORDS:
            return WORDS[op.type]
        if op.type in ("Add", "AddV2"):
            return _word(forward, op.outputs[0])
    return "other"


def _added(forward: Forward, tensor: Any) -> float:
    for op in forward.next(tensor):
        if op.type in ("Add", "AddV2"):
            for operand in op.inputs:
                value = constant(operand)
                if value is not None and value.size == 1:
                    return decimal(value.reshape(-1)[0])
    return 0.0


def grus(forward: Forward, names: Set[str]) -> List[Recognized]:
    """Return the layers with kernels of gates and of a candidate.

    TF1 applies the reset gate before the product, so that these are Keras' `reset_after=False`.

    Args:
        forward: the forward pass. names: variables to be had.
    """
    result = []
    for name in sorted(names, key=lambda item: forward.order[item]):
        if not name.endswith("gates/kernel"):
            continue
        scope = scope_of(scope_of(name))
        candidate = (scope + "/" if scope else "") + "candidate/kernel"
        product = _product(forward, name)
        if candidate not in names or product is None:
            continue
        result.append(_gru(forward, scope, (name, candidate), product))
    _show(forward, result)
    return result


def _gru(forward: Forward, scope: str, kernels: Tuple[str, str], product: Any) -> Recognized:
    rows, units = forward.shapes[kernels[1]]
    layer = Recognized(scope, "gru", "GRUCell", forward.order[product.name])
    layer.loop = forward.loop(product)
    joined, blocks = ("concatenate", 1), ("blocks", 1, (1, 0, 2))
    layer.add("kernel", kernels, [joined, ("slice", 0, 0, rows - units), blocks])
    layer.add("recurrent_kernel", kernels, [joined, ("slice", 0, rows - units, rows), blocks])
    biases = [name[: -len("kernel")] + "bias" for name in kernels]
    there = all(name in forward.shapes for name in biases)
    if there:
        layer.add("bias", biases, [("concatenate", 0), ("blocks", 0, (1, 0, 2))])
    activation: Optional[str] = None
    other = _product(forward, kernels[1])
    if other is not None:
        activation = _word(forward, forward.with_bias(other.outputs[0])[0])
    gates = _word(forward, forward.with_bias(product.outputs[0])[0])
    layer.attributes.update(units=units, bias=there, return_sequences=True, reset_after=False)
    layer.attributes.update(activation=activation or "tanh", recurrent_activation=gates)
    return layer


def _show(forward: Forward, layers: List[Recognized]) -> None:
    """Give the last cell of each loop what leaves the loop."""
    last: Dict[str, Recognized] = {}
    for layer in sorted(layers, key=lambda item: item.place):
        last[layer.loop] = layer
    for loop, layer in last.items():
        tensors = forward.leaves(loop) if loop else []
        if tensors:
            sequences = [item for item in tensors if (item.shape.ndims or 3) > 2]
            layer.attributes["return_sequences"] = bool(sequences)
            layer.calls = [str((sequences or tensors)[-1].name)]
