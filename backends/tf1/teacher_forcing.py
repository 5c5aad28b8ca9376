"""Teacher-forced looks: the port's own graph in its session, fed at its activations with the
teacher's values."""

from __future__ import annotations

from typing import Any, List, Mapping

import numpy as np
import tensorflow.compat.v1 as tf

from backends.contract import ForcedActivations
from backends.recording import graph_feeding
from backends.recording.graphs import contractions_above


def teacher_forced(
    port: Any, feed: Mapping[Any, Any], training: bool, teacher: Mapping[str, np.ndarray]
) -> ForcedActivations:
    """Return what `Port.forward_from` promises, of a `Tf1Port`; `feed` gives its data and noise
    their values."""
    tensors = port.training if training else port.inference
    sites = port.noise.sites.get(port.config["forward"]["phase"], {})
    inputs = [*port.arrays.values(), *sites.values()]
    return graph_feeding.teacher_forced(
        tensors, inputs, feed, teacher, port._run, tf.get_static_value
    )


def contracted(port: Any, training: bool) -> List[str]:
    """Return what `Port.contracted` promises, of a `Tf1Port`."""
    return contractions_above(port.training if training else port.inference)
