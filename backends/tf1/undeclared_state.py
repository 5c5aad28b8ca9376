"""Where a TF1 port keeps state that nobody declared: variables that its activations make and that
are no parameters."""

from __future__ import annotations

from typing import Any, Dict, Iterator

import numpy as np
import tensorflow.compat.v1 as tf

from backends.recording.undeclared_state import Memory, Place, Undeclared


class SessionMemory(Memory):
    """Variables of a port's session."""

    def __init__(self, port: Any) -> None:
        self.port = port

    def holds(self, value: Any) -> bool:
        return hasattr(value, "initializer")

    def copy(self, value: Any) -> Any:
        return np.array(self.port._run(value))

    def write(self, value: Any, kept: Any) -> None:
        self.port._assign([(value, kept)])

    def same(self, value: Any, kept: Any) -> bool:
        return Memory.same(self, self.copy(value), kept)


def made(known: Dict[str, Any], weights: Dict[str, Any]) -> Dict[str, Any]:
    """Return the variables of the graph that is being built beside those known before and the
    weights, by name."""
    declared = set(known) | {variable.name for variable in weights.values()}
    return {
        variable.name.split(":")[0]: variable
        for variable in tf.global_variables()
        if variable.name not in declared
    }


def known() -> Dict[str, Any]:
    """Return the variables of the graph that is being built so far."""
    return {variable.name: variable for variable in tf.global_variables()}


def of(port: Any, variables: Dict[str, Any]) -> Undeclared:
    """Return the undeclared state of a `Tf1Port`; the statistics among its parameters are put back
    with it."""
    statistics = {
        item["name"]: port.weights[item["name"]]
        for item in port.config["parameters"]
        if not item["trainable"]
    }

    def places() -> Iterator[Place]:
        for name in variables:
            yield Place(name, variables, name, True)
        for name in statistics:
            yield Place("declared " + name, statistics, name, False)

    return Undeclared(places, SessionMemory(port))


def trainable_values(port: Any) -> int:
    """Return what `Port.trainable_values` promises, of a `Tf1Port`: the variables that the workload
    declares to be trainable, each once. A variable that nothing uses is none: many graphs have
    some."""
    names = {item["name"] for item in port.config["parameters"] if item["trainable"]}
    declared = {id(variable): variable for name, variable in port.weights.items() if name in names}
    return sum(int(np.prod(variable.shape.as_list())) for variable in declared.values())
