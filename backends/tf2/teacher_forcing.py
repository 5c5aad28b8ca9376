"""Teacher-forced looks: the port's activations traced once more, with a record that answers with
the teacher's.

Always a graph, also where the port runs eagerly: a graph tells what was computed from what.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

import numpy as np
import tensorflow as tf

from backends.contract import ForcedActivations
from backends.recording.graphs import ancestry, contractions_above, node
from backends.recording.teacher_forcing import DATA, TEACHER, ForcedRecord, fits, survey
from backends.tf2 import releases, runtime
from backends.tf2.training import Tensors


def teacher_forced(
    port: Any,
    arrays: Tensors,
    noise: Optional[Tensors],
    training: bool,
    teacher: Mapping[str, np.ndarray],
) -> ForcedActivations:
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
            forced = tf.cast(teacher[name], own.dtype)
            leaves[forced.name] = TEACHER, name
            return forced

        port.forced_record = record = ForcedRecord(answer)
        try:
            activations = port.activations(arrays, noise, training)
        finally:
            port.forced_record = None
        # A port may have a dict of its own, or add to it at the end.
        own_values = record.kept if activations is record else activations
        kept = {name: tf.convert_to_tensor(own_values[name]) for name in activations}
        shown = {tensor.name for tensor in kept.values()}
        walks = {name: ancestry(tensor, leaves, shown) for name, tensor in kept.items()}
        origins["survey"] = survey(walks, {name: node(tensor, {}) for name, tensor in kept.items()})
        order.extend(kept)
        return list(kept.values())

    teacher_values = {name: np.asarray(value) for name, value in teacher.items()}
    options = releases.xla(port.setting.execution == "compiled")
    function = tf.function(look, autograph=port.AUTOGRAPH, **options)
    constants = {name: tf.constant(value) for name, value in teacher_values.items()}
    values = function.get_concrete_function(arrays, noise, constants)(arrays, noise, constants)
    readable = {name: runtime.readable(value) for name, value in zip(order, values)}
    return ForcedActivations(readable, *origins["survey"])


def contracted(port: Any, arrays: Tensors, noise: Optional[Tensors], training: bool) -> List[str]:
    """Return what `Port.contracted` promises, of a `Tf2Port`."""
    names: List[str] = []

    def look(arrays: Tensors, noise: Optional[Tensors]) -> List[Any]:
        activations = port.activations(arrays, noise, training)
        kept = {name: tf.convert_to_tensor(value) for name, value in activations.items()}
        names.extend(contractions_above(kept))
        return list(kept.values())

    tf.function(look, autograph=port.AUTOGRAPH).get_concrete_function(arrays, noise)
    return names
