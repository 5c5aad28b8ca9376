"""The forward pass of a graph, as rules that look for layers walk it."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Set, Tuple

import numpy as np

from backends.adapter import pieces
from backends.survey import Piece
from backends.tf1.adapter.cones import PASSING, variable_behind, writes
from backends.tf1.adapter.model import Model

ADDITIONS = ("BiasAdd", "BiasAddV1", "Add", "AddV2")


class Part:
    """A canonical tensor of a layer: its role, the variables and the steps it is made by."""

    def __init__(self, role: str, sources: Sequence[str], steps: Sequence[Any] = ()) -> None:
        self.role, self.sources, self.steps = role, list(sources), tuple(steps)

    def shape(self, shapes: Sequence[Tuple[int, ...]]) -> Tuple[int, ...]:
        """Return the canonical shape.

        Args:
            shapes: of the variables.
        """
        # A view of one number has any shape and no size.
        own = {
            name: np.broadcast_to(np.zeros(()), shape) for name, shape in zip(self.sources, shapes)
        }
        piece = Piece(
            name="",
            layer="",
            role=self.role,
            shape=(),
            trainable=True,
            sources=tuple(self.sources),
            steps=self.steps,
        )
        return tuple(int(size) for size in pieces.canonical(piece, own).shape)


class Recognized:
    """A layer.

    Attributes:
        name, kind, type: as in a survey. place: in the order of execution.
        parts: its parameters. calls: names of the tensors that its calls give.
        attributes: in the words of `docs/pairs.md`. axes: as in a survey. loop: that it
            runs in. measured: names of the tensors that further attributes are the value of in
            training, and whether the complement to 1 is.
    """

    def __init__(self, name: str, kind: str, type: str, place: int) -> None:  # noqa: A002
        self.name, self.kind, self.type, self.place = name, kind, type, place
        self.parts: List[Part] = []
        self.calls: List[str] = []
        self.attributes: Dict[str, Any] = {}
        self.axes: Any = None
        self.loop = ""
        self.measured: Dict[str, Tuple[str, bool]] = {}

    def add(self, role: str, sources: Sequence[str], steps: Sequence[Any] = ()) -> None:
        """Add a parameter.

        Args:
            role, sources, steps: see `backends.survey.Piece`.
        """
        self.parts.append(Part(role, sources, steps))


class Forward:
    """What inference, and the losses, are computed by.

    Args:
        model: the graph. parameters: names of its weights and statistics.

    Attributes:
        order: place of each operation. graph: as Python has it. shapes: of the variables.
        inference: names of the operations that inference needs.
    """

    def __init__(self, model: Model, parameters: Sequence[str]) -> None:
        self.model, self.graph, self.shapes = model, model.graph, model.shapes
        self.order, self.parameters = model.cones.order, list(parameters)
        self.inference = model.cones.above(model.outputs.values())
        starts: List[str] = []
        for phase in model.trains:
            starts += model.losses(phase).values()
        self._all = self.inference | model.cones.above(starts)
        self._readers: Dict[str, List[Tuple[Any, int]]] = {}

    def has(self, op: Any) -> bool:
        """Return whether an operation is part of a forward pass: no update, no gradient.

        Args:
            op: of the graph.
        """
        return op.name in self._all and "gradient" not in op.name and not writes(op.type)

    def readers(self, variable: str) -> List[Tuple[Any, int]]:
        """Return the operations that use a variable's value, as which operand, in order; those of
        inference where there are any.

        Args:
            variable: name of its operation.
        """
        if variable not in self._readers:
            reached: Dict[Tuple[str, int], Tuple[Any, int]] = {}
            self._follow(self.graph.get_operation_by_name(variable).outputs[0], reached)
            rows = sorted(reached.values(), key=lambda row: self.order[row[0].name])
            inside = [row for row in rows if row[0].name in self.inference]
            self._readers[variable] = inside or rows
        return self._readers[variable]

    def _follow(self, tensor: Any, reached: Dict[Tuple[str, int], Tuple[Any, int]]) -> None:
        for op in tensor.consumers():
            if not self.has(op):
                continue
            places = [index for index, item in enumerate(op.inputs) if item is tensor]
            if op.type in (*PASSING, "Switch", "RefSwitch") and places == [0]:
                for output in op.outputs:
                    self._follow(output, reached)
                continue
            for place in places:
                reached[op.name, place] = (op, place)

    def next(self, tensor: Any) -> List[Any]:
        """Return the operations of the forward pass that use a tensor, in order.

        Args:
            tensor: of the graph.
        """
        ops = [op for op in tensor.consumers() if self.has(op)]
        inside = [op for op in ops if op.name in self.inference]
        return sorted(inside or ops, key=lambda op: self.order[op.name])

    def with_bias(self, tensor: Any) -> Tuple[Any, str]:
        """Return a tensor after the bias that is added to it, and the bias's variable; the tensor
        itself, and an empty name, where none is.

        Args:
            tensor: of a matrix product or a convolution.
        """
        current = tensor
        for _ in range(3):
            for op in self.next(current):
                if op.type in ADDITIONS:
                    for item in op.inputs:
                        variable = "" if item is current else variable_behind(item)
                        if variable in self.parameters:
                            return op.outputs[0], variable
            shaping = [op for op in self.next(current) if op.type in ("Reshape", "Squeeze")]
            if len(shaping) != 1 or shaping[0].inputs[0] is not current:
                break
            current = shaping[0].outputs[0]
        return tensor, ""

    def loop(self, op: Any) -> str:
        """Return the name of the innermost loop that an operation is in, or an empty one.

        Args:
            op: of the graph.
        """
        context = op._get_control_flow_context()
        while context is not None and not context.IsWhileContext():
            context = context.outer_context
        return "" if context is None else str(context.name)

    def settled(self, name: str) -> str:
        """Return the tensor that every run has of one that may be in a branch: what the branches
        are merged to. An empty name where there is none, and of what is in a loop.

        Args:
            name: of the tensor.
        """
        tensor = self.graph.get_tensor_by_name(name)
        for _ in range(8):
            context = tensor.op._get_control_flow_context()
            if context is None or tensor.op.type == "Exit":
                return str(tensor.name)
            if context.IsWhileContext():
                return ""
            merged = [op for op in self.next(tensor) if op.type in ("Merge", "Identity")]
            if tensor.op.type == "Merge":
                return str(tensor.name)
            if not merged:
                return ""
            tensor = merged[0].outputs[0]
        return ""

    def leaves(self, loop: str) -> List[Any]:
        """Return the tensors of inference that leave a loop: stacked outputs, batch first where
        they are turned so, or else states.

        Args:
            loop: its name.
        """
        stacked, states = [], []
        for name in sorted(self.inference, key=lambda item: self.order[item]):
            op = self.graph.get_operation_by_name(name)
            if op.type == "Exit" and self.loop(op.inputs[0].op) == loop:
                states.append(op.outputs[0])
                for user in op.outputs[0].consumers():
                    if user.type in ("TensorArrayGatherV3", "TensorListStack"):
                        stacked += [self._turned(user)] if user.name in self.inference else []
        floating = [item for item in states if item.dtype.is_floating and (item.shape.ndims or 0)]
        return stacked or floating

    def _turned(self, op: Any) -> Any:
        after = [item for item in self.next(op.outputs[0]) if item.type == "Transpose"]
        return after[0].outputs[0] if len(after) == 1 else op.outputs[0]


def scope_of(variable: str) -> str:
    """Return the scope that a variable is in.

    Args:
        variable: name of its operation.
    """
    return variable.rpartition("/")[0]


def grouped(names: Set[str]) -> Dict[str, Dict[str, str]]:
    """Return variables by their scope and the last part of their names.

    Args:
        names: of the variables' operations.
    """
    groups: Dict[str, Dict[str, str]] = {}
    for name in sorted(names):
        scope, _, role = name.rpartition("/")
        groups.setdefault(scope, {})[role] = name
    return groups
