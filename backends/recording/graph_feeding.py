"""Teacher-forced looks at a graph of TensorFlow's in a session: feeding an activation's tensor cuts
the graph there.

So a port is taught as it is, without reading anything back. One run for each activation: all those
before it are fed. What a port shows is often its own tensor with two axes exchanged, so what is
behind an exchange is fed too. A tensor that cannot be fed is not, and then counts as the port's
own. Imports no framework.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

import numpy as np

from backends.contract import Taught
from backends.recording.graphs import ancestry, node
from backends.recording.teacher_forcing import DATA, TEACHER, Node, Walk, fits, survey


def taught(
    tensors: Mapping[str, Any],
    given: Sequence[Any],
    feed: Mapping[Any, Any],
    teacher: Mapping[str, np.ndarray],
    run: Callable[[Any, Mapping[Any, Any]], Any],
    constant: Callable[[Any], Any],
) -> Taught:
    """Return what `Port.forward_from` promises.

    Args:
        tensors: the activations, in order. given: the tensors of data and noise. feed: what gives
            those their values.
        teacher: as in the contract. run: runs a fetch on a feed. constant: the value of a tensor
            that is one, or None.
    """
    feed, leaves = dict(feed), {tensor.name: (DATA, tensor.name) for tensor in given}
    shown = {tensor.name for tensor in tensors.values()}
    values: Dict[str, np.ndarray] = {}
    walks: Dict[str, Walk] = {}
    starts: Dict[str, Node] = {}
    for name, tensor in tensors.items():
        value = np.asarray(run(tensor, feed))
        low = value.dtype.itemsize == 2 and value.dtype.kind not in "iu"
        values[name] = (
            value.astype(np.float32) if low else value
        )  # low precisions, as `forward` does
        walks[name], starts[name] = ancestry(tensor, leaves, shown), node(tensor, {})
        if fits(teacher, name, value.shape, np.iscomplexobj(value)):
            for place, fed, exchanged in _feeds(tensor, teacher[name], constant):
                # A tensor that is two activations at once (dropout that is off) goes on as the
                # second; data stay data.
                if place.name not in leaves or (not exchanged and leaves[place.name][0] == TEACHER):
                    leaves[place.name], feed[place.name] = (TEACHER, name), fed
    return Taught(values, *survey(walks, starts))


def _feeds(
    tensor: Any, value: np.ndarray, constant: Callable[[Any], Any]
) -> List[Tuple[Any, np.ndarray, bool]]:
    """Return what can be fed for an activation: its tensor, and what is behind exchanged axes, with
    their values."""
    found = [(tensor, np.asarray(value).astype(tensor.dtype.as_numpy_dtype), False)]
    while found[-1][0].op.type in ("Transpose", "Identity"):
        place, given, exchanged = found[-1]
        if place.op.type == "Transpose":
            axes = constant(place.op.inputs[1])
            if axes is None:
                break
            given, exchanged = np.transpose(given, np.argsort(axes)), True
        found.append((place.op.inputs[0], given, exchanged))
    return [item for item in found if item[0].graph.is_feedable(item[0])]
