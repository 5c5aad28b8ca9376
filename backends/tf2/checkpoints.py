"""Checkpoints in TensorFlow's own format, of which nothing is believed before all of it was read.

`tf.train.Checkpoint` restores variable by variable and says afterwards what did not match; a port
that was half restored would be no model at all. So names, shapes and dtypes are compared and every
tensor is read (its checksum with it) before one changes.
"""

from __future__ import annotations

from typing import Any, Mapping

import tensorflow as tf

KEPT = 3
#: How `tf.train.Checkpoint(state={name: variable})` calls a variable in the file.
KEY = "state/%s/.ATTRIBUTES/VARIABLE_VALUE"


def save(folder: str, state: Mapping[str, Any], step: int) -> None:
    """Write one checkpoint of `tf.Variable`s by name; the last `KEPT` stay."""
    checkpoint = tf.train.Checkpoint(state=dict(state))
    tf.train.CheckpointManager(checkpoint, folder, max_to_keep=KEPT).save(checkpoint_number=step)


def restore(folder: str, state: Mapping[str, Any]) -> None:
    """Set all variables to what the newest checkpoint of a folder holds.

    Raises:
        FileNotFoundError: there is no checkpoint.
        ValueError: it is damaged, or its variables are not those of `state`; nothing has changed
            then.
    """
    path = tf.train.latest_checkpoint(folder)
    if path is None:
        raise FileNotFoundError(f"{folder} holds no checkpoint of TensorFlow")
    try:
        reader = tf.train.load_checkpoint(path)
        check(path, reader, state)
        for name in state:
            reader.get_tensor(KEY % escaped(name))
    except (tf.errors.OpError, RuntimeError) as error:
        raise ValueError(
            f"the checkpoint {path} is damaged: {str(error).splitlines()[0]}"
        ) from error
    status = tf.train.Checkpoint(state=dict(state)).restore(path)
    try:
        status.assert_existing_objects_matched().assert_consumed()
    except AssertionError as error:
        raise ValueError(
            f"the checkpoint {path} does not match: {str(error).splitlines()[0]}"
        ) from error


def check(path: str, reader: Any, state: Mapping[str, Any]) -> None:
    """Raise ValueError unless a checkpoint has exactly these variables, with their shapes and
    dtypes."""
    shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    keys = {KEY % escaped(name): name for name in state}
    unknown = sorted(key for key in shapes if key.startswith("state/") and key not in keys)
    missing = sorted(name for key, name in keys.items() if key not in shapes)
    if unknown or missing:
        raise ValueError(
            f"the checkpoint {path} is of another model: it lacks {missing[:3] or 'nothing'}, and"
            f" has {unknown[:3] or 'nothing'} besides"
        )
    for key, name in keys.items():
        variable, shape = state[name], list(shapes[key])
        expected = variable.shape.as_list()
        if shape != expected or dtypes[key] != variable.dtype.base_dtype:
            raise ValueError(
                f"{name} has shape {shape} and dtype {dtypes[key].name} in the checkpoint {path};"
                f" expected {expected}, {variable.dtype.name}"
            )


def escaped(name: str) -> str:
    """Return a name as TensorFlow spells it inside of a path."""
    return name.replace(".", "..").replace("/", ".S")
