"""Weights that a side begins with: `.h5`, `.weights.h5`, `.keras`, a TensorFlow checkpoint.

Of an archive `.keras` the weights alone are read: the model in it would be made by running what the
file says.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from typing import Any, Mapping

import tensorflow as tf

WEIGHTS = "model.weights.h5"


def load(models: Mapping[str, Any], path: str) -> None:
    """Load the weights of models.

    Args:
        models: by name; a file of Keras' own kinds holds those of one.
        path: of the file, or the prefix of a TensorFlow checkpoint.

    Raises:
        ValueError: there are several models, and the file holds one.
        FileNotFoundError: there is nothing at `path`.
    """
    is_file = path.endswith((".h5", ".hdf5", ".keras"))
    if is_file and len(models) != 1:
        raise ValueError(
            f"{path} holds the weights of one model; this side has {sorted(models)}: load them in"
            " the function that makes the models, or give a TensorFlow checkpoint of all"
        )
    if not (os.path.exists(path) or os.path.exists(path + ".index")):
        raise FileNotFoundError(f"no weights at {path}")
    model = next(iter(models.values()))
    if path.endswith(".keras"):
        _from_archive(model, path)
    elif is_file:
        model.load_weights(path)
    else:
        _from_checkpoint(models, path)


def _from_archive(model: Any, path: str) -> None:
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        if WEIGHTS not in archive.namelist():
            raise ValueError(f"{path} holds no {WEIGHTS}: its weights cannot be read on their own")
        extracted = os.path.join(folder, WEIGHTS)
        with open(extracted, "wb") as file:
            file.write(archive.read(WEIGHTS))
        model.load_weights(extracted)


def _from_checkpoint(models: Mapping[str, Any], path: str) -> None:
    if len(models) == 1:
        (model,) = models.values()
        # Keras 2 writes a model as the root; `tf.train.Checkpoint(model=...)` below a name.
        names = [name for name, _ in tf.train.list_variables(path)]
        below = any(name.startswith("model/") for name in names)
        checkpoint = tf.train.Checkpoint(model=model) if below else tf.train.Checkpoint(model)
    else:
        checkpoint = tf.train.Checkpoint(**models)
    status = checkpoint.read(path)
    status.assert_existing_objects_matched()
    status.expect_partial()
