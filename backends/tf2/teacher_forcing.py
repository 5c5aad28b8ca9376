"""Teacher-forced looks: the port's activations traced once more, with a record that answers with
the teacher's.

Always a graph, also where the port runs eagerly: a graph tells what was computed from what.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

import numpy as np
import tensorflow as tf

from backends.contract import Taught
from backends.recording.graphs import ancestry, contractions_above, node
from backends.recording.teacher_forcing import DATA, TEACHER, Lesson, fits, survey
from backends.tf2 import releases, runtime
from backends.tf2.trainer import Tensors


def taught(
    port: Any,
    arrays: Tensors,
    noise: Optional[Tensors],
    training: bool,
    teacher: Mapping[str, np.ndarray],
) -> Taught:
    """Return what `Port.forward_from` promises, of a `Tf2Port`."""
    origins: Dict[str, Any] = {}
    order: List[str] = []

    def look(arrays: Tensors, noise: Optional[Tensors], teacher: Tensors) -> List[Any]:
        leaves = {
            tensor.name: (DATA, tensor.name)
            for tensor in tf.nest.flatten([arrays, noise])
            if tensor is not None
        }
        leaves.update((tensor.name, (TEACHER, name)) for name, tensor in teacher.items())

        def answer(name: str, own: Any) -> Any:
            if not fits(teacher_values, name, own.shape.as_list(), own.dtype.is_complex):
                return own
            given = tf.cast(teacher[name], own.dtype)
            leaves[given.name] = TEACHER, name
            return given

        port.lesson = lesson = Lesson(answer)
        try:
            found = port.activations(arrays, noise, training)
        finally:
            port.lesson = None
        # A port that has a dict of its own, or adds to it at the end.
        kept = {name: lesson.kept[name] if found is lesson else found[name] for name in found}
        kept = {name: tf.convert_to_tensor(value) for name, value in kept.items()}
        shown = {tensor.name for tensor in kept.values()}
        walks = {name: ancestry(tensor, leaves, shown) for name, tensor in kept.items()}
        origins["survey"] = survey(walks, {name: node(tensor, {}) for name, tensor in kept.items()})
        order.extend(kept)
        return list(kept.values())

    teacher_values = {name: np.asarray(value) for name, value in teacher.items()}
    function = tf.function(
        look, autograph=port.AUTOGRAPH, **releases.xla(port.setting.execution == "compiled")
    )
    traced = function.get_concrete_function(
        arrays, noise, {name: tf.constant(value) for name, value in teacher_values.items()}
    )
    values = traced(
        arrays, noise, {name: tf.constant(value) for name, value in teacher_values.items()}
    )
    return Taught(
        {name: runtime.readable(value) for name, value in zip(order, values)}, *origins["survey"]
    )


def contracted(port: Any, arrays: Tensors, noise: Optional[Tensors], training: bool) -> List[str]:
    """Return what `Port.contracted` promises, of a `Tf2Port`."""
    found: List[str] = []

    def look(arrays: Tensors, noise: Optional[Tensors]) -> List[Any]:
        kept = {
            name: tf.convert_to_tensor(value)
            for name, value in port.activations(arrays, noise, training).items()
        }
        found.extend(contractions_above(kept))
        return list(kept.values())

    tf.function(look, autograph=port.AUTOGRAPH).get_concrete_function(arrays, noise)
    return found
