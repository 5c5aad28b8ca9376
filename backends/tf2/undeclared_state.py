"""Where a TF2 port keeps state that nobody declared: variables of its layers and its own that are
no parameters, and running eagerly attributes that are tensors. In a graph only variables carry
anything on; attributes are set while it is traced, once.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, Set, Tuple

import numpy as np
import tensorflow as tf

from backends.recording.undeclared_state import CONTRACT, Memory, Place, Undeclared
from backends.tf2.optimizers import inner

#: What `Tf2Port` sets.
PORT = CONTRACT | frozenset(
    [
        "dtype",
        "policies",
        "layers",
        "noise",
        "trainer",
        "weights",
        "activation_names",
        "undeclared",
        "_forward",
        "_product",
    ]
)
#: A layer that draws by itself keeps its place in its own stream, which is what `repeat` has to
#: find.
DRAWN = "seed_generator_state"


class VariableMemory(Memory):
    """Variables, which are written to, and eager tensors, which are not."""

    def holds(self, value: Any) -> bool:
        return (
            isinstance(value, tf.Variable)
            or (tf.is_tensor(value) and hasattr(value, "numpy"))
            or Memory.holds(self, value)
        )

    def copy(self, value: Any) -> Any:
        return value.numpy() if tf.is_tensor(value) else Memory.copy(self, value)

    def write(self, value: Any, kept: Any) -> None:
        if isinstance(value, tf.Variable):
            value.assign(tf.constant(kept, value.dtype))
        else:
            Memory.write(self, value, kept)

    def same(self, value: Any, kept: Any) -> bool:
        return Memory.same(
            self, np.asarray(value.numpy() if tf.is_tensor(value) else value), np.asarray(kept)
        )


def of(port: Any) -> Undeclared:
    """Return the undeclared state of a `Tf2Port`."""
    return Undeclared(lambda: _places(port), VariableMemory())


def variables(port: Any) -> Dict[str, Any]:
    """Return every variable that the port's layers and attributes hold, by name, each once."""
    by_name: Dict[str, Any] = {}
    seen: Set[int] = set()
    for name, value in vars(port).items():
        if name == "layers" or name not in PORT:
            for path, variable in _within("" if name == "layers" else name, value, seen):
                by_name[path if path not in by_name else f"{path}_{len(by_name)}"] = variable
    return by_name


def trainable_values(port: Any) -> int:
    """Return what `Port.trainable_values` promises, of a `Tf2Port`: the variables that the workload
    declares to be trainable, each once. A weight that nothing uses is none: many layers have some.
    """
    names = {item["name"] for item in port.config["parameters"] if item["trainable"]}
    declared = {id(variable): variable for name, variable in port.weights.items() if name in names}
    return sum(int(np.prod(variable.shape.as_list())) for variable in declared.values())


def _within(path: str, value: Any, seen: Set[int]) -> Iterator[Tuple[str, Any]]:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, (list, tuple, dict)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _within(f"{path}/{key}" if path else str(key), item, seen)
        return
    if isinstance(value, tf.Variable):
        yield path, value
        return
    held = getattr(value, "variables", None)
    if isinstance(held, (list, tuple)):
        for item in held:
            variable = inner(item)
            if id(variable) not in seen:
                seen.add(id(variable))
                name = item.name.split(":")[0].split("/")[-1]
                yield f"{path}/{name}", variable
    elif hasattr(value, "assign") and isinstance(getattr(value, "value", None), tf.Variable):
        yield from _within(path, value.value, seen)  # Keras 3's own


def _places(port: Any) -> Iterator[Place]:
    declared = {id(variable): name for name, variable in port.weights.items()}
    trained = {
        id(port.weights[item["name"]]) for item in port.config["parameters"] if item["trainable"]
    }
    held = variables(port)
    for name, variable in held.items():
        if id(variable) not in trained and DRAWN not in variable.name:
            yield Place(name, held, name, id(variable) not in declared)
    for name, variable in port.weights.items():
        if id(variable) not in trained:
            yield Place("declared " + name, port.weights, name, False)
    if port.setting.execution == "eager":
        attributes = vars(port)
        for name in attributes:
            if name not in PORT and not _holds_variables(attributes[name]):
                yield Place("port." + name, attributes, name, True)


def _holds_variables(value: Any) -> bool:
    return any(isinstance(item, tf.Variable) for item in tf.nest.flatten(value))
