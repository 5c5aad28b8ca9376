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
    content = {TRAINED: trained}
    for name, variable in weights.items():
        content["weights/" + name] = variable
    for optimizer in optimizers.values():
        for name, variable in optimizer.state.items():
            content["optimizers/" + name] = variable
        for name, variable in optimizer.powers.items():
            content[_power(optimizer, name)] = variable
    return content


def _power(optimizer: Optimizer, name: str) -> str:
    return f"optimizers/{optimizer.name}/{name}_power"


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
        raise ValueError(f"{folder}: its list names no checkpoint that is there")
    raise FileNotFoundError(f"there is no checkpoint in {folder}")


def read(
    folder: str, expected: Mapping[str, Any], optimizers: Mapping[str, Optimizer]
) -> Tuple[Dict[str, np.ndarray], Dict[str, str]]:
    """Return the newest checkpoint's values by name, and for each optimizer where its count of
    updates is from; `expected` are the variables that it has to hold.

    A checkpoint without an optimizer's count (TF1's Adam keeps none, only the powers of beta) has
    it inferred from them.

    Raises:
        FileNotFoundError: the folder has no checkpoint. ValueError: it is another model's, or
            damaged.
    """
    path = newest(folder)
    try:
        reader = tf.train.NewCheckpointReader(path)
        _check(path, reader, expected, optimizers)
        there = reader.get_variable_to_shape_map()
        values = {name: np.asarray(reader.get_tensor(name)) for name in expected if name in there}
    except DAMAGED as error:
        raise ValueError(
            f"the checkpoint {path} is damaged: {str(error).strip().splitlines()[0]}"
        ) from error
    origins = {}
    for name, optimizer in optimizers.items():
        origins[name], step = "counted", f"optimizers/{name}/step"
        if step not in values:
            powers = {beta: values[_power(optimizer, beta)] for beta in optimizer.powers}
            count, origins[name] = infer_step(optimizer, powers)
            values[step] = np.array(count, np.int64)
    return values, origins


def _check(
    path: str, reader: Any, expected: Mapping[str, Any], optimizers: Mapping[str, Optimizer]
) -> None:
    """Raise ValueError unless the checkpoint has this model's names, shapes and dtypes."""
    shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    inferable = {
        f"optimizers/{name}/step" for name, optimizer in optimizers.items() if optimizer.powers
    }
    missing = sorted(set(expected) - set(shapes) - inferable)
    unknown = sorted(set(shapes) - set(expected))
    if missing or unknown:
        missing_names, unknown_names = ", ".join(missing[:5]), ", ".join(unknown[:5])
        raise ValueError(
            f"the checkpoint {path} is another model's, or another program's, whose names have to"
            f" be given (convert --names): missing {missing_names or 'none'}; unknown"
            f" {unknown_names or 'none'}"
        )
    for name in sorted(set(expected) & set(shapes)):
        shape, dtype = list(shapes[name]), dtypes[name]
        own_shape, own_dtype = expected[name].shape.as_list(), expected[name].dtype.base_dtype
        if shape != own_shape or dtype != own_dtype:
            raise ValueError(
                f"the checkpoint {path} is another model's: {name} is {dtype.name} {shape},"
                f" expected {own_dtype.name} {own_shape}"
            )
