"""The layers of a run as they are called: in the order in which they finish, with what each
returns.

`Layer.__call__` of the Keras that the models are made of is wrapped while a run is watched;
functional models, subclassed ones and nested ones all go through it. Cells inside of recurrent
layers, and the parts of a bidirectional layer or an attention, are parts of one layer.
"""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import tensorflow as tf

from backends.tf2.adapter import layers
from backends.tf2.adapter.paths import Names, Place

Answer = Callable[[str, int, int, Any], Any]


@dataclasses.dataclass(frozen=True)
class Call:
    """One call of a layer.

    Attributes:
        place: of the layer. number: which of its calls. outputs: what it returned, flattened.
    """

    place: Place
    number: int
    outputs: Tuple[Any, ...]


class Watcher:
    """Follows the layers of one run.

    Args:
        names: of the layers. answer: returns what goes on in the place of an output, from the
            layer's path, the number of its call, the number of the output and the output; None:
            the outputs as they are.

    Attributes:
        calls: that have finished, in order. failed: path of the innermost layer that raised.
    """

    def __init__(self, names: Names, answer: Optional[Answer] = None) -> None:
        self.names, self.answer = names, answer
        self.calls: List[Call] = []
        self.failed: Optional[str] = None
        self._running: List[Place] = []
        self._counts: Dict[str, int] = {}
        self._inside = 0

    def layer(self) -> str:
        """Return the path of the layer that is running; empty where none is."""
        return self._running[-1].path if self._running else ""

    def call(self, original: Any, layer: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a layer and write down what it returns."""
        if self._inside or id(layer) in self.names.inside or hasattr(layer, "update_state"):
            return original(layer, *args, **kwargs)
        place = self.names.places.get(id(layer))
        if place is None:
            # Operations of no functional model are made anew in every call.
            unknown = layers.is_operation(layer) or not hasattr(layer, "name")
            if unknown or _symbolic(args, kwargs):
                return original(layer, *args, **kwargs)
            place = self.names.add(layer, self.layer())
        whole = self.names.is_whole(layer)
        self._running.append(place)
        self._inside += whole
        returned = False
        try:
            result = original(layer, *args, **kwargs)
            returned = True
        finally:
            self._running.pop()
            self._inside -= whole
            if not returned and self.failed is None:
                self.failed = place.path
        return self._seen(place, result)

    def _seen(self, place: Place, result: Any) -> Any:
        flat = flattened(result)
        if not flat or not all(tf.is_tensor(value) for value in flat.values()):
            return result
        number = self._counts.get(place.path, 0)
        self._counts[place.path] = number + 1
        outputs = tuple(flat.values())
        self.calls.append(Call(place, number, outputs))
        if self.answer is None:
            return result
        answers = [
            self.answer(place.path, number, index, value) for index, value in enumerate(outputs)
        ]
        if all(answer is value for answer, value in zip(answers, outputs)):
            return result
        return _packed(result, iter(answers))


def _symbolic(args: Any, kwargs: Any) -> bool:
    """Return whether a layer is called to build a model, and not on values."""
    values = tf.nest.flatten([list(args), dict(kwargs)])
    return any(type(value).__name__ == "KerasTensor" for value in values)


def flattened(result: Any, name: str = "") -> Dict[str, Any]:
    """Return the tensors of what a layer or a model returns, by the path of their names in it:
    `""` for a tensor, `/0` of a tuple, `/logits` of a dict or of a dataclass."""
    if result is None or isinstance(result, (bool, int, float, str)):
        return {}
    if isinstance(result, dict):
        items = list(result.items())
    elif hasattr(result, "_fields"):
        items = list(zip(result._fields, result))
    elif isinstance(result, (list, tuple)):
        items = list(enumerate(result))
    elif dataclasses.is_dataclass(result):
        items = [(field.name, getattr(result, field.name)) for field in dataclasses.fields(result)]
    else:
        return {name: result}
    tensors: Dict[str, Any] = {}
    for key, value in items:
        tensors.update(flattened(value, f"{name}/{key}"))
    return tensors


def _packed(result: Any, answers: Iterator[Any]) -> Any:
    """Return a result with answers in the place of its tensors."""
    if result is None or isinstance(result, (bool, int, float, str)):
        return result
    if isinstance(result, dict) or dataclasses.is_dataclass(result):
        return _packed_by_name(result, answers)
    if isinstance(result, (list, tuple)):
        parts = [_packed(value, answers) for value in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    return next(answers)


def _packed_by_name(result: Any, answers: Iterator[Any]) -> Any:
    if isinstance(result, dict):
        parts = {key: _packed(value, answers) for key, value in result.items()}
        # What Hugging Face's models return is a dict and a dataclass at once.
        both = hasattr(result, "__dataclass_fields__")
        return type(result)(**parts) if both else type(result)(parts)
    names = [field.name for field in dataclasses.fields(result)]
    return dataclasses.replace(
        result, **{name: _packed(getattr(result, name), answers) for name in names}
    )


def _callables(model: Any) -> List[Any]:
    """Return the classes whose `__call__` a model's layers and operations go through."""
    kinds = [kind for kind in type(model).__mro__ if "__call__" in vars(kind)]
    return [kind for kind in kinds if kind.__name__ in ("Layer", "Operation")]


@contextlib.contextmanager
def watched(watcher: Watcher, models: List[Any]) -> Iterator[None]:
    """Have a watcher see every layer of Keras' that is called.

    Args:
        watcher: what sees. models: of the Keras that is meant.
    """
    kinds = {kind for model in models for kind in _callables(model)}
    layer_kinds = tuple(kind for kind in kinds if kind.__name__ == "Layer")
    originals = [(kind, vars(kind)["__call__"]) for kind in kinds]

    def wrapped(kind: Any, original: Any) -> Any:
        def __call__(layer: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
            # A layer of Keras 3 is an operation too, and has been seen as a layer.
            if kind not in layer_kinds and isinstance(layer, layer_kinds):
                return original(layer, *args, **kwargs)
            return watcher.call(original, layer, *args, **kwargs)

        return __call__

    for kind, original in originals:
        kind.__call__ = wrapped(kind, original)
    try:
        yield
    finally:
        for kind, original in originals:
            kind.__call__ = original
