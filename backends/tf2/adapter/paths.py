"""A unique path for every layer and every variable of the models of a side, from how they are
nested.

Keras 3 has `layer.path`, but not before a layer is built, and not unique in subclassed models;
Keras 2 has none. So both get theirs here: the names of the models and layers around, and the
layer's own.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple

from backends.survey import Piece
from backends.tf2.adapter import layers, weights
from backends.tf2.adapter.weights import Weight, inner


class Place(NamedTuple):
    """Where a layer is.

    Attributes:
        path: unique. layer: Keras' own. parent: path of the layer around it.
    """

    path: str
    layer: Any
    parent: str


class Names:
    """The layers and variables of some models by path.

    Args:
        models: by name; that of an only one may be empty, and is then in no path.

    Attributes:
        places: by the id of a layer. inside: ids of layers that are a part of another's.
        variables: own name -> the variable as its layer has it. pieces: canonical, in order.
    """

    def __init__(self, models: Mapping[str, Any]) -> None:
        self.places: Dict[int, Place] = {}
        self.inside: Dict[int, str] = {}
        self.variables: Dict[str, Any] = {}
        self.pieces: List[Piece] = []
        self._own_names: Dict[int, str] = {}
        self._paths: Dict[str, Any] = {}
        # A model that is also a part of another one is itself first.
        for name, model in models.items():
            self.places[id(model)] = Place(name, model, "")
            self._paths[name] = model
        for model in models.values():
            self._visit_inside(model)

    def _visit_inside(self, layer: Any) -> None:
        place = self.places[id(layer)]
        rule = layers.rule(layer)
        for weight in rule.weights(layer):
            self._name(place.path, weight)
        if rule.whole:
            self._hide(layer, place.path)
            return
        operations = list(getattr(layer, "operations", ()))
        for child in [*weights.children(layer), *filter(layers.is_operation, operations)]:
            if id(child) not in self.places and id(child) not in self.inside:
                self.add(child, place.path)

    def _hide(self, layer: Any, path: str) -> None:
        for child in weights.children(layer):
            if id(child) not in self.inside:
                self.inside[id(child)] = path
                self._hide(child, path)

    def add(self, layer: Any, parent: str) -> Place:
        """Name a layer, and everything inside it.

        Args:
            layer: of Keras', or an operation of a functional model. parent: path of what is around.
        """
        base = f"{parent}/{layer.name}" if parent else str(layer.name)
        path, count = base, 2
        while path in self._paths:
            path, count = f"{base}_{count}", count + 1
        self._paths[path] = layer
        place = self.places[id(layer)] = Place(path, layer, parent)
        self._visit_inside(layer)
        return place

    def _name(self, path: str, weight: Weight) -> None:
        if id(inner(weight.variable)) in self._own_names:
            return  # tied: it has its first name
        own = f"{path}/{weight.role}" if path else weight.role
        self._own_names[id(inner(weight.variable))] = own
        self.variables[own] = weight.variable
        for role, steps in weight.pieces():
            shape = _shape(tuple(int(size) for size in weight.variable.shape), steps)
            self.pieces.append(
                Piece(
                    name=f"{path}/{role}" if path else role,
                    layer=path,
                    role=role,
                    shape=shape,
                    trainable=bool(weight.variable.trainable),
                    sources=(own,),
                    steps=tuple(steps),
                )
            )

    def is_whole(self, layer: Any) -> bool:
        """Return whether what is inside of a layer is a part of it."""
        return layers.rule(layer).whole

    def own_name(self, variable: Any) -> Optional[str]:
        """Return the name of a variable, Keras' or the one behind it; None: of no model."""
        return self._own_names.get(id(inner(variable)))

    def pieces_of(self, own_names: Iterable[str]) -> Tuple[str, ...]:
        """Return the canonical pieces that are made of some variables, in order.

        Args:
            own_names: of the variables.
        """
        wanted = set(own_names)
        return tuple(piece.name for piece in self.pieces if wanted & set(piece.sources))


def _shape(shape: Tuple[int, ...], steps: Tuple[Tuple[Any, ...], ...]) -> Tuple[int, ...]:
    """Return the shape that the steps lead to."""
    for step in steps:
        if step[0] == "transpose":
            shape = tuple(shape[axis] for axis in step[1])
        elif step[0] == "slice":
            shape = (*shape[: step[1]], step[3] - step[2], *shape[step[1] + 1 :])
        elif step[0] == "reshape":
            size = 1
            for length in shape:
                size *= length
            fixed = 1
            for length in step[1]:
                fixed *= 1 if length == -1 else length
            shape = tuple(size // fixed if length == -1 else length for length in step[1])
    return shape
