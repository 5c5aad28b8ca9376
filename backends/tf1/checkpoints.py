"""Checkpoints in TensorFlow's own format: `tf.train.Saver` writes them,
`tf.train.NewCheckpointReader` reads them.

Restoring reads and checks everything before it sets anything, which the saver's own restore
operations do not: a damaged file or another model's changes nothing.
"""

from __future__ import annotations

import os
from typing import Any, Dict, Mapping, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from backends.tf1.optimizers import Optimizer, infer_step

KEPT = 3
NAME = "model.ckpt"
#: The count of steps that `train` has run.
TRAINED = "trained_steps"
#: What reading a damaged file raises; TF 2 makes Python's errors of some.
DAMAGED = (tf.errors.OpError, RuntimeError, LookupError)


def variables(
    weights: Mapping[str, Any], optimizers: Mapping[str, Optimizer], trained: Any
) -> Dict[str, Any]:
    """Return everything that a checkpoint holds, by its name there."""
    found = {TRAINED: trained}
    found.update(("weights/" + name, variable) for name, variable in weights.items())
    for optimizer in optimizers.values():
        found.update(("optimizers/" + name, variable) for name, variable in optimizer.state.items())
        for name, variable in optimizer.powers.items():
            found[_power(optimizer, name)] = variable
    return found


def _power(optimizer: Optimizer, name: str) -> str:
    return "optimizers/%s/%s_power" % (optimizer.name, name)


def save(session: Any, saver: Any, folder: str, steps: int) -> None:
    """Write one checkpoint; those of earlier processes in the folder count among the ones kept."""
    os.makedirs(folder, exist_ok=True)
    state = tf.train.get_checkpoint_state(folder)
    saver.recover_last_checkpoints(list(state.all_model_checkpoint_paths) if state else [])
    with session.graph.as_default():  # outside of a graph TF 2 saves eagerly
        saver.save(session, os.path.join(folder, NAME), global_step=steps, write_meta_graph=False)


def newest(folder: str) -> str:
    """Return the common beginning of the newest checkpoint's files.

    Raises:
        FileNotFoundError: the folder has no checkpoint. ValueError: it has a list, but not what is
            on it.
    """
    try:
        path = tf.train.latest_checkpoint(folder)
    except tf.errors.OpError:  # a list of another machine's paths
        path = None
    if path is not None:
        return str(path)
    if os.path.exists(os.path.join(folder, "checkpoint")):
        raise ValueError("%s: its list names no checkpoint that is there" % folder)
    raise FileNotFoundError("there is no checkpoint in %s" % folder)


def read(
    folder: str, wanted: Mapping[str, Any], optimizers: Mapping[str, Optimizer]
) -> Tuple[Dict[str, np.ndarray], Dict[str, str]]:
    """Return the newest checkpoint's values by name, and for each optimizer where its count of
    updates is from.

    A checkpoint without an optimizer's count (TF1's Adam keeps none, only the powers of beta) has
    it inferred from them.

    Raises:
        FileNotFoundError: the folder has no checkpoint. ValueError: it is another model's, or
            damaged.
    """
    path = newest(folder)
    try:
        reader = tf.train.NewCheckpointReader(path)
        _check(path, reader, wanted, optimizers)
        there = reader.get_variable_to_shape_map()
        values = {name: np.asarray(reader.get_tensor(name)) for name in wanted if name in there}
    except DAMAGED as error:
        raise ValueError(
            "the checkpoint %s is damaged: %s" % (path, str(error).strip().splitlines()[0])
        ) from error
    origins = {}
    for name, optimizer in optimizers.items():
        origins[name], step = "counted", "optimizers/%s/step" % name
        if step not in values:
            count, origins[name] = infer_step(
                optimizer, {beta: values[_power(optimizer, beta)] for beta in optimizer.powers}
            )
            values[step] = np.array(count, np.int64)
    return values, origins


def _check(
    path: str, reader: Any, wanted: Mapping[str, Any], optimizers: Mapping[str, Optimizer]
) -> None:
    """Raise ValueError unless the checkpoint has this model's names, shapes and dtypes."""
    shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    inferable = {
        "optimizers/%s/step" % name for name, optimizer in optimizers.items() if optimizer.powers
    }
    missing, unknown = (
        sorted(set(wanted) - set(shapes) - inferable),
        sorted(set(shapes) - set(wanted)),
    )
    if missing or unknown:
        raise ValueError(
            "the checkpoint %s is another model's, or another program's, whose names have to be"
            " given (convert --names): missing %s; unknown %s"
            % (path, ", ".join(missing[:5]) or "none", ", ".join(unknown[:5]) or "none")
        )
    for name in sorted(set(wanted) & set(shapes)):
        found, expected = (
            (shapes[name], dtypes[name]),
            (
                wanted[name].shape.as_list(),
                wanted[name].dtype.base_dtype,
            ),
        )
        if list(found[0]) != expected[0] or found[1] != expected[1]:
            raise ValueError(
                "the checkpoint %s is another model's: %s is %s %s, expected %s %s"
                % (path, name, found[1].name, list(found[0]), expected[1].name, expected[0])
            )
