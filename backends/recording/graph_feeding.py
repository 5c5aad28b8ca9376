"""Teacher-forced passes through a graph of TensorFlow's in a session: feeding the tensor of an
activation cuts the graph there.

So a port is teacher-forced as it is, without reading anything back. One run for each activation:
all those before it are fed. What a port shows is often its own tensor with two axes exchanged, so
what is behind an exchange is fed too. A tensor that cannot be fed is not, and then counts as the
port's own. Imports no framework.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

import numpy as np

from backends.contract import ForcedActivations
from backends.recording.graphs import ancestry, node
from backends.recording.teacher_forcing import DATA, TEACHER, Node, Walk, fits, survey


def teacher_forced(
    tensors: Mapping[str, Any],
    inputs: Sequence[Any],
    feed: Mapping[Any, Any],
    teacher: Mapping[str, np.ndarray],
    run: Callable[[Any, Mapping[Any, Any]], Any],
    constant: Callable[[Any], Any],
) -> ForcedActivations:
    """Return what `Port.forward_from` promises.

    Args:
        tensors: the activations, in order.
        inputs: the tensors of data and noise.
        feed: what gives those their values.
        teacher: as in the contract.
        run: runs a fetch on a feed.
        constant: returns the value of a tensor that is a constant, or None.
    """
    feed, leaves = dict(feed), {tensor.name: (DATA, tensor.name) for tensor in inputs}
    shown = {tensor.name for tensor in tensors.values()}
    values: Dict[str, np.ndarray] = {}
    walks: Dict[str, Walk] = {}
    starts: Dict[str, Node] = {}
    for name, tensor in tensors.items():
        value = np.asarray(run(tensor, feed))
        low = value.dtype.itemsize == 2 and value.dtype.kind not in "iu"
        # Low precisions are handed over as `forward` does.
        values[name] = value.astype(np.float32) if low else value
        walks[name], starts[name] = ancestry(tensor, leaves, shown), node(tensor, {})
        if fits(teacher, name, value.shape, np.iscomplexobj(value)):
            for target, fed, exchanged in _feeds(tensor, teacher[name], constant):
                # A tensor that is two activations at once (dropout that is off) goes on as the
                # second; data stay data.
                if target.name not in leaves or (
                    not exchanged and leaves[target.name][0] == TEACHER
                ):
                    leaves[target.name], feed[target.name] = (TEACHER, name), fed
    return ForcedActivations(values, *survey(walks, starts))


def _feeds(
    tensor: Any, value: np.ndarray, constant: Callable[[Any], Any]
) -> List[Tuple[Any, np.ndarray, bool]]:
    """Return what can be fed for an activation: its tensor, and what is behind exchanged axes, with
    their values, and whether axes were exchanged.
    """
    feeds = [(tensor, np.asarray(value).astype(tensor.dtype.as_numpy_dtype), False)]
    while feeds[-1][0].op.type in ("Transpose", "Identity"):
        target, fed, exchanged = feeds[-1]
        if target.op.type == "Transpose":
            axes = constant(target.op.inputs[1])
            if axes is None:
                break
            fed, exchanged = np.transpose(fed, np.argsort(axes)), True
        feeds.append((target.op.inputs[0], fed, exchanged))
    return [item for item in feeds if item[0].graph.is_feedable(item[0])]
