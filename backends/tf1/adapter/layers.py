"""Layers of a graph, by the operations that use its variables.

A layer is named by the scope of its variables. What it gives is the tensor after its bias; what
comes after a nonlinearity is an `activation` layer of its own, named by its operation. Of what is
computed inside a loop only what leaves the loop is shown. `RULES` are asked in order; each takes
the variables that it knows, what none takes is of the kind `other`.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, List, Set, Tuple

from backends.survey import Piece
from backends.tf1.adapter import functional, kernels, normalization, recurrent
from backends.tf1.adapter.apply_ops import Optimizers
from backends.tf1.adapter.forward import Forward, Recognized
from backends.tf1.adapter.model import Model

#: What makes layers of variables, in order. Each is called with the forward pass and the names of
#: the variables that nothing has taken yet, and returns what it makes of some of them.
RULES: Tuple[Callable[[Forward, Set[str]], List[Recognized]], ...] = (
    normalization.batch_norms,
    recurrent.lstms,
    recurrent.grus,
    normalization.layer_norms,
    kernels.layers,
)
STATISTICS = re.compile(r"(moving|running|pop|population)_(mean|var|variance)$")


class Layers:
    """All layers of a model.

    Args:
        model: the graph. optimizers: what updates it.

    Attributes:
        all: in order of execution; those that inference does not need last.
    """

    def __init__(self, model: Model, optimizers: Optimizers) -> None:
        self._model = model
        self._parameters = _parameters(model, optimizers)
        trainable = {variable.op.name for variable in model.collection("trainable_variables")}
        self._trainable = trainable | set(optimizers.updated())
        forward = Forward(model, self._parameters)
        waiting = set(self._parameters)
        self.all: List[Recognized] = []
        for rule in RULES:
            for layer in rule(forward, waiting):
                self.all.append(layer)
                waiting -= {name for part in layer.parts for name in part.sources}
        self.all += _others(forward, waiting)
        self.all += functional.layers(forward)
        for layer in self.all:
            settled = [forward.settled(name) for name in layer.calls]
            layer.calls = [name for name in settled if name]
        last = len(model.cones.order)
        inside = {layer.name for layer in self.all if _runs(forward, layer)}
        self.all.sort(key=lambda layer: layer.place + last * (layer.name not in inside))
        self._name_apart()
        self._by_name = {layer.name: layer for layer in self.all}

    def _name_apart(self) -> None:
        seen: Dict[str, int] = {}
        for layer in self.all:
            count = seen[layer.name] = seen.get(layer.name, 0) + 1
            if count > 1:
                layer.name = f"{layer.name}_{count - 1}"

    def parameters(self) -> List[str]:
        """Return the names of all weights and running statistics."""
        return list(self._parameters)

    def tensor(self, layer: str, call: int) -> str:
        """Return the name of what a call of a layer gives.

        Args:
            layer: its path. call: which.
        """
        return self._by_name[layer].calls[call]

    def pieces(self) -> Tuple[Piece, ...]:
        """Return the canonical pieces of all parameters."""
        pieces = []
        for layer in self.all:
            for part in layer.parts:
                trainable = all(name in self._trainable for name in part.sources)
                shapes = [self._model.shapes[name] for name in part.sources]
                name = f"{layer.name}/{part.role}"
                pieces.append(
                    Piece(
                        name=name,
                        layer=layer.name,
                        role=part.role,
                        shape=part.shape(shapes),
                        trainable=trainable,
                        sources=tuple(part.sources),
                        steps=tuple(part.steps),
                    )
                )
        return tuple(pieces)


def _parameters(model: Model, optimizers: Optimizers) -> List[str]:
    """Return the variables that are weights or running statistics, in order."""
    trainable = {variable.op.name for variable in model.collection("trainable_variables")}
    starts = list(model.outputs.values())
    for phase in model.trains:
        starts += model.losses(phase).values()
    read = model.cones.above(starts)
    slots = {row[3] for row in optimizers.slots()}
    updated = set(optimizers.updated())
    chosen = []
    for name, op in model.variables.items():
        floating = op.get_attr("dtype").is_floating
        named = STATISTICS.search(name) is not None
        wanted = name in trainable or name in updated or name in read or named
        if floating and wanted and name not in slots:
            chosen.append(name)
    return sorted(chosen, key=lambda name: model.cones.order[name])


def _runs(forward: Forward, layer: Recognized) -> bool:
    """Return whether inference runs a layer, be it in a loop."""
    sources = [name for part in layer.parts for name in part.sources]
    return bool(layer.calls) or any(name in forward.inference for name in sources)


def _others(forward: Forward, names: Set[str]) -> List[Recognized]:
    """Return what no rule knows: by scope, with the parameters as they are."""
    layers: Dict[str, Recognized] = {}
    for name in sorted(names, key=lambda item: forward.order[item]):
        scope, _, role = name.rpartition("/")
        layer = layers.get(scope)
        if layer is None:
            layer = layers[scope] = Recognized(
                scope or name, "other", "Variable", forward.order[name]
            )
        layer.add(role or name, [name])
    return list(layers.values())
