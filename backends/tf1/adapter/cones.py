"""What lies upstream of what in a graph, by names of operations, control edges included."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Optional, Set

#: Operations that hold a variable.
REFS = ("VariableV2", "Variable")
VARIABLES = (*REFS, "VarHandleOp")
#: What is known of an array without its values.
SHAPES = ("Shape", "ShapeN", "Size", "Rank")
#: Operations whose result is their first operand, in another form at most.
PASSING = ("Identity", "Enter", "ReadVariableOp", "Cast", "Reshape", "ExpandDims", "Squeeze")
WRITERS = ("Apply", "Assign", "Scatter", "ResourceApply", "ResourceScatter", "SparseApply")


def operation_of(name: str) -> str:
    """Return the operation's name in that of a tensor or a control edge.

    Args:
        name: as a GraphDef or a tensor has it.
    """
    return name.lstrip("^").split(":", 1)[0]


def writes(kind: str) -> bool:
    """Return whether operations of a type move state.

    Args:
        kind: the type.
    """
    return kind.startswith(WRITERS) or kind.startswith("ResourceSparseApply")


class Cones:
    """The graph of a GraphDef, or of Python.

    Args:
        inputs: names of the operations that each operation needs, control edges included.

    Attributes:
        order: place of each operation in the order in which Python made them.
    """

    def __init__(self, inputs: Dict[str, List[str]]) -> None:
        self._inputs = inputs
        self.order = {name: index for index, name in enumerate(inputs)}

    @classmethod
    def of(cls, definition: Any) -> Cones:
        """Return those of a GraphDef.

        Args:
            definition: its nodes.
        """
        return cls({node.name: list(map(operation_of, node.input)) for node in definition})

    def above(
        self, starts: Iterable[str], stops: Optional[Callable[[str], bool]] = None
    ) -> Set[str]:
        """Return the operations upstream of some, themselves included.

        Args:
            starts: names of operations or tensors. stops: what is not gone beyond.
        """
        reached: Set[str] = set()
        waiting = [operation_of(name) for name in starts]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                if stops is None or not stops(name):
                    waiting += self._inputs[name]
        return reached


def behind(tensor: Any) -> Any:
    """Return the tensor of which another is a read, a cast or another shape.

    Args:
        tensor: of a Python graph.
    """
    while tensor.op.type in PASSING and len(tensor.op.inputs):
        tensor = tensor.op.inputs[0]
    return tensor


def variable_behind(tensor: Any) -> str:
    """Return the name of the variable that a tensor is a read of, or an empty one.

    Args:
        tensor: of a Python graph.
    """
    start = behind(tensor)
    return str(start.op.name) if start.op.type in VARIABLES else ""


def users(tensor: Any) -> List[Any]:
    """Return the operations that use a tensor, beyond casts and copies.

    Args:
        tensor: of a Python graph.
    """
    result: List[Any] = []
    for op in tensor.consumers():
        if op.type in ("Identity", "Cast", "Enter"):
            result += users(op.outputs[0])
        else:
            result.append(op)
    return result
