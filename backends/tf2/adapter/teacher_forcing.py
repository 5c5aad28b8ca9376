"""Teacher-forced looks: the forward pass traced once, each layer's outputs answered with the
teacher's, and found in the graph what each was computed from.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import tensorflow as tf

from backends.adapter.draws import Draws
from backends.adapter.side import Arrays, Tap
from backends.contract import ForcedActivations
from backends.recording.graphs import ancestry, node
from backends.recording.teacher_forcing import DATA, TEACHER, fits, survey
from backends.tf2 import runtime
from backends.tf2.adapter.steps import eagerly
from backends.tf2.adapter.taps import Watcher, flattened

TeacherValues = Tuple[Sequence[Tap], Arrays]


def look_from(
    side: Any,
    batch: Dict[str, Any],
    training: bool,
    draws: Optional[Draws],
    teacher_values: TeacherValues,
) -> ForcedActivations:
    """Return what `Side.look_from` promises.

    Args:
        side: of Keras models. batch: as tensors. training: in which mode. draws: that answer.
        teacher_values: the taps, and the teacher's values of them.
    """
    taps, teacher = teacher_values
    wanted = {(tap.layer, tap.call, tap.output): tap.name for tap in taps}
    values = {name: np.asarray(value) for name, value in teacher.items()}
    origins: Dict[str, Any] = {}
    order: List[str] = []

    def look(batch: Dict[str, Any], teacher: Dict[str, Any]) -> List[Any]:
        leaves = {tensor.name: (DATA, tensor.name) for tensor in tf.nest.flatten(batch)}
        leaves.update((tensor.name, (TEACHER, name)) for name, tensor in teacher.items())
        kept: Dict[str, Any] = {}

        def answer(layer: str, call: int, output: int, own: Any) -> Any:
            name = wanted.get((layer, call, output))
            if name is None or own.graph is not tf.compat.v1.get_default_graph():
                return own
            kept[name] = own
            if not fits(values, name, own.shape.as_list(), own.dtype.is_complex):
                return own
            forced = tf.cast(teacher[name], own.dtype)
            leaves[forced.name] = TEACHER, name
            mask = getattr(own, "_keras_mask", None)
            if mask is not None:
                forced._keras_mask = mask
            return forced

        with side.watching(draws, Watcher(side.names, answer), graphs=True):
            output = side._forward(batch, training)
        for name, tensor in flattened(output).items():
            kept["output" + name] = tf.convert_to_tensor(tensor)
        shown = {tensor.name for tensor in kept.values()}
        walks = {name: ancestry(tensor, leaves, shown) for name, tensor in kept.items()}
        origins["survey"] = survey(walks, {name: node(tensor, {}) for name, tensor in kept.items()})
        order.extend(kept)
        return list(kept.values())

    constants = {name: tf.constant(value) for name, value in values.items()}
    with eagerly():  # functions inside become a part of the one graph
        traced = tf.function(look, autograph=False).get_concrete_function(batch, constants)
    results = traced(batch, constants)
    readable = {name: runtime.readable(value) for name, value in zip(order, results)}
    return ForcedActivations(readable, *origins["survey"])
