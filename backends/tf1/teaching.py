"""Teacher-forced looks at a graph: feeding an activation's tensor cuts the graph there, so any TF1 port can be taught as it is.

One run for each activation: all those before it are fed. What a port shows is often its own tensor with two axes exchanged, so what
is behind an exchange is fed too. A tensor that cannot be fed is not, and then counts as the port's own.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from backends.graphs import ancestry, node
from backends.teaching import DATA, TEACHER, Node, Taught, Walk, fits, survey
from backends.tf1 import runtime


def taught(
    tensors: Mapping[str, Any], given: Sequence[Any], feed: Mapping[Any, Any], teacher: Mapping[str, np.ndarray],
    run: Callable[[Any, Mapping[Any, Any]], Any],
) -> Taught:
    """Return what `Port.forward_from` promises.

    Args:
        tensors: the activations, in order. given: the tensors of data and noise. feed: what gives those their values.
        teacher: as in the contract. run: runs a fetch on a feed.
    """
    feed, leaves = dict(feed), {tensor.name: (DATA, tensor.name) for tensor in given}
    values: Dict[str, np.ndarray] = {}
    walks: Dict[str, Walk] = {}
    starts: Dict[str, Node] = {}
    for name, tensor in tensors.items():
        values[name] = runtime.readable(np.asarray(run(tensor, feed)))
        walks[name], starts[name] = ancestry(tensor, leaves), node(tensor, {})
        if fits(teacher, name, tensor.shape.as_list()):
            for place, value in _feeds(tensor, teacher[name]):
                # A tensor that is two activations at once (dropout that is off) goes on as the second; data stay data.
                if place.name not in leaves or (place is tensor and leaves[place.name][0] == TEACHER):
                    leaves[place.name], feed[place] = (TEACHER, name), value
    return Taught(values, *survey(walks, starts))


def _feeds(tensor: Any, value: np.ndarray) -> List[Tuple[Any, np.ndarray]]:
    """Return what can be fed for an activation: its tensor, and what is behind exchanged axes, with their values."""
    found = [(tensor, np.asarray(value).astype(tensor.dtype.as_numpy_dtype))]
    while found[-1][0].op.type in ("Transpose", "Identity"):
        place, given = found[-1]
        if place.op.type == "Transpose":
            axes = tf.get_static_value(place.op.inputs[1])
            if axes is None:
                break
            given = np.transpose(given, np.argsort(axes))
        found.append((place.op.inputs[0], given))
    return [(place, given) for place, given in found if place.graph.is_feedable(place)]
