"""Floating-point operations of the contractions in a TensorFlow graph, for both backends that build
them.

TensorFlow's profiler keeps a formula for each kind of operation; its report adds up the whole
graph, counts a function that is called as nothing and a loop's body once. So its formulas are asked
one operation at a time, for what a step really runs.

Imports no framework: the caller hands over the operations and the function that asks TensorFlow.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Set

from backends.contract import Unsupported

#: Kinds of operations that are contractions; all others are left out, as they are in the counters
#: of other frameworks.
COUNTED = (
    "MatMul",
    "BatchMatMul",
    "BatchMatMulV2",
    "BatchMatMulV3",
    "Conv2D",
    "Conv2DBackpropInput",
    "Conv2DBackpropFilter",
    "Conv3D",
    "DepthwiseConv2dNative",
)
#: Products inside one operation, for which TensorFlow keeps no formula; the gradient has two for
#: each of the forward's.
BLOCKS = {"BlockLSTM": 1, "BlockLSTMV2": 1, "BlockLSTMGrad": 2, "BlockLSTMGradV2": 2}
#: What computes products that no formula can tell: how often a loop runs is not in the graph.
UNKNOWN = (
    "PartitionedCall",
    "While",
    "Enter",
    "Einsum",
    "RNN",
    "XlaLaunch",
    "Conv3DBackprop",
    "DepthwiseConv2dNativeBackprop",
    "MapDefun",
    "SparseMatMul",
)


def count(
    operations: Iterable[Any], ask: Callable[[Any], Any], called: Callable[[Any], Iterable[Any]]
) -> float:
    """Return the floating-point operations of the contractions, a multiplication and an addition
    counting as two.

    Args:
        operations: what one step runs, each once.
        ask: TensorFlow's own number for an operation, None where it has none.
        called: the operations of the function that an operation calls, empty if it calls none.

    Raises:
        Unsupported: some are unknown, by kind.
    """
    total = 0.0
    unknown: Set[str] = set()
    for operation in operations:
        kind = operation.type
        inner = list(called(operation))
        if inner:
            total += count(inner, ask, called)
        elif kind in COUNTED:
            operations_of_one = _formula(operation, ask)
            if operations_of_one is None:
                unknown.add(kind + " of unknown shape")
            total += operations_of_one or 0.0
        elif kind in BLOCKS:
            total += _block(operation, BLOCKS[kind])
        elif any(word in kind for word in UNKNOWN):
            unknown.add(kind)
    if unknown:
        kinds = ", ".join(sorted(unknown))
        raise Unsupported(f"TensorFlow's counter cannot tell {kinds}")
    return total


def _formula(operation: Any, ask: Callable[[Any], Any]) -> Any:
    """Return TensorFlow's own number for an operation, None where it has none."""
    try:
        return ask(operation)
    except ValueError:  # "Shape ... is not fully defined"
        return None


def _block(operation: Any, products: int) -> float:
    """Return 2 T B (I + H) 4H a product: of x [T, B, I] and h [B, H] with the kernel w [I + H, 4H],
    inputs 1 and 4 of all of them.
    """
    x, w = operation.inputs[1].shape, operation.inputs[4].shape
    if not (x.is_fully_defined() and w.is_fully_defined()):
        raise Unsupported(f"TensorFlow's counter cannot tell {operation.type} of unknown shape")
    (length, rows, _), (height, width) = x.as_list(), w.as_list()
    counted: float = 2.0 * length * rows * height * width * products
    return counted


def reachable(targets: Iterable[Any]) -> List[Any]:
    """Return the operations that have to run for the targets (operations) to run, each once."""
    reached: Dict[str, Any] = {}
    waiting = list(targets)
    while waiting:
        operation = waiting.pop()
        if operation.name not in reached:
            reached[operation.name] = operation
            waiting += [tensor.op for tensor in operation.inputs] + list(operation.control_inputs)
    return list(reached.values())
