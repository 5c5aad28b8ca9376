"""All that a step of a side moves: variables of models, optimizers and metrics, seed generators,
and plain attributes of the user's own objects.

Which variables there are is looked up anew each time, because optimizers and metrics make theirs
when they first run; what a variable was when it was made is kept, so that `reset` can put it back.
"""

from __future__ import annotations

import collections
from typing import Any, Dict, Iterator, List, NamedTuple, Set, Tuple

import numpy as np
import tensorflow as tf

from backends.tf2.adapter.holdings import PLAIN, Holdings, base_names
from backends.tf2.adapter.weights import children, inner, is_variable

MISSING = object()
#: How layers are connected: no state.
NODES = ("_inbound_nodes", "_outbound_nodes", "_inbound_nodes_value", "_outbound_nodes_value")
#: Plain attributes of a layer or a model that are Keras' own.
LAYERS_OWN = frozenset(
    ["built", "compiled", "trainable", "supports_masking", "stop_training", "history", "stateful"]
)
#: Lists, dicts and objects of Keras' inside of a layer or an optimizer that are looked into.
DEPTH = 4


class Snapshot(NamedTuple):
    """A copy of state.

    Attributes:
        variables: by id, the variable and its value. attributes: owner, name and value.
        generators: of NumPy, with their states.
    """

    variables: Dict[int, Tuple[Any, np.ndarray]]
    attributes: List[Tuple[Dict[str, Any], str, Any]]
    generators: List[Tuple[Any, Any]]


class State:
    """The state of a side.

    Args:
        models: by name. optimizers: all of them. holdings: of the user's functions.
    """

    def __init__(self, models: List[Any], optimizers: List[Any], holdings: Holdings) -> None:
        self.owners = [
            *models,
            *optimizers,
            *holdings.models.values(),
            *holdings.metrics.values(),
            *holdings.variables.values(),
            *holdings.generators.values(),
        ]
        self.holdings = holdings

    def variables(self) -> Dict[int, Any]:
        """Return every `tf.Variable` by its id, each once."""
        variables = {id(variable): variable for variable in _within(self.owners)}
        for variable in _global_seeds():
            variables[id(variable)] = variable
        return variables

    def snapshot(self) -> Snapshot:
        """Return a copy of everything."""
        variables = {key: (held, value_of(held)) for key, held in self.variables().items()}
        generators: List[Tuple[Any, Any]] = []
        for generator in self.holdings.generators.values():
            if isinstance(generator, np.random.RandomState):
                generators.append((generator, generator.get_state()))
            elif isinstance(generator, np.random.Generator):
                generators.append((generator, generator.bit_generator.state))
        return Snapshot(variables, list(self._attributes()), generators)

    def _attributes(self) -> Iterator[Tuple[Dict[str, Any], str, Any]]:
        for owner in self.holdings.objects.values():
            is_layer = "Layer" in base_names(owner)
            for name, value in list(vars(owner).items()):
                # What Keras knows of a layer is not the user's.
                known = is_layer and (name.startswith("_") or name in LAYERS_OWN)
                if known or name.startswith("_self_") or callable(value):
                    continue
                if isinstance(value, PLAIN) or (tf.is_tensor(value) and not is_variable(value)):
                    yield vars(owner), name, np.array(value) if _is_array(value) else value
                elif type(value) in (list, dict) and _all_plain(value):
                    yield vars(owner), name, type(value)(value)

    def restore(self, snapshot: Snapshot) -> None:
        """Put everything back that a snapshot has."""
        for variable, value in snapshot.variables.values():
            variable.assign(value)
        for held, name, value in snapshot.attributes:
            present = held.get(name, MISSING)
            if present is not value:
                copies = _is_array(value) or type(value) in (list, dict)
                held[name] = value.copy() if copies else value
        for generator, state in snapshot.generators:
            if isinstance(generator, np.random.RandomState):
                generator.set_state(state)
            else:
                generator.bit_generator.state = state


def value_of(variable: Any) -> np.ndarray:
    """Return a copy of a variable's value."""
    return np.array(variable.numpy())


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _all_plain(value: Any) -> bool:
    items = value.values() if isinstance(value, dict) else value
    return all(isinstance(item, PLAIN) for item in items)


def _within(owners: List[Any]) -> Iterator[Any]:
    """Yield the variables in objects of Keras', in their lists and in what they are made of, the
    nearest first: so that nothing is cut off that is near to another owner."""
    waiting = collections.deque((owner, DEPTH) for owner in owners)
    seen: Set[int] = set()
    while waiting:
        owner, depth = waiting.popleft()
        if id(owner) in seen:
            continue
        seen.add(id(owner))
        if is_variable(owner):
            yield inner(owner)
            continue
        if isinstance(owner, dict):
            parts = list(owner.values())
        elif isinstance(owner, (list, tuple)):
            parts = list(owner)
        elif _is_keras(owner):
            waiting.extend((child, DEPTH) for child in children(owner))
            held = getattr(owner, "__dict__", {})
            parts = [item for name, item in list(held.items()) if name not in NODES]
        else:
            continue
        if depth:
            waiting.extend((part, depth - 1) for part in parts if not isinstance(part, PLAIN))


def _is_keras(value: Any) -> bool:
    return isinstance(value, tf.Module) or any(
        "keras" in kind.__module__ for kind in type(value).__mro__
    )


def _global_seeds() -> List[Any]:
    """Return the state of the seed generator that Keras 3 uses where a layer has none."""
    try:
        from keras.src.backend.common import global_state
    except ImportError:
        return []
    generator = global_state.get_global_attribute("global_seed_generator")
    return [] if generator is None else [inner(generator.state)]
