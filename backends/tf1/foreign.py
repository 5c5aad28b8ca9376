"""Checkpoints that another program wrote: the same model under other names, in TensorFlow's own
format.

Which variable is what comes from the harness, which has checked names, shapes and dtypes against
the checkpoint (`harness/models/foreign_variables.py`). Everything is read before anything is set.
TF1's Adam keeps no count of updates: it follows from the powers of beta.
"""

from __future__ import annotations

import collections
import os
from typing import Any, Dict, List, Mapping, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from backends import schedule
from backends.contract import ADAMS
from backends.tf1.checkpoints import DAMAGED, newest
from backends.tf1.optimizers import POWERS, infer_step

#: What `infer_step` needs to know of an optimizer; the powers' dtype is the checkpoint's, not this
#: port's.
Counted = collections.namedtuple("Counted", "name options powers")
Typed = collections.namedtuple("Typed", "dtype")


def variables(path: str) -> Dict[str, Dict[str, Any]]:
    """Return shape and dtype of every variable of a checkpoint.

    Args:
        path: a folder with a list of checkpoints, or the common beginning of one checkpoint's
            files.

    Raises:
        FileNotFoundError: there is none. ValueError: it is damaged.
    """
    reader = _reader(path)
    dtypes = reader.get_variable_to_dtype_map()
    return {
        name: {"shape": list(shape), "dtype": dtypes[name].name}
        for name, shape in reader.get_variable_to_shape_map().items()
    }


def restore(port: Any, path: str, names: Mapping[str, Any]) -> Tuple[int, Dict[str, str]]:
    """Give a port what a checkpoint holds.

    Args:
        port: a `Tf1Port`.
        path: as for `variables`.
        names: `weights` by parameter and `slots` by the contract's name, each a list of variables
            that are joined along their last axis; `powers` by optimizer, those of beta1 and beta2;
            `step`, the variable or the number of training steps, or None.

    Returns:
        The training steps seen, and by optimizer (and for `training`, if it was inferred) where the
        count is from. An optimizer of which nothing is named begins anew.

    Raises:
        FileNotFoundError, ValueError: as for `variables`; no number of updates gives the powers;
            the steps cannot be told.
    """
    reader = _reader(path)
    try:
        weights = {name: _joined(reader, parts) for name, parts in names["weights"].items()}
        slots = {name: _joined(reader, parts) for name, parts in names["slots"].items()}
        powers = {name: _read(reader, items) for name, items in names["powers"].items()}
        step = names["step"]
        if isinstance(step, str):
            step = int(reader.get_tensor(step))
    except DAMAGED as error:
        raise ValueError(
            f"the checkpoint {path} is damaged: {str(error).strip().splitlines()[0]}"
        ) from error
    counts, origins = _counts(port.config, powers)
    if step is None:
        known = {
            name: count
            for name, count in counts.items()
            if not origins[name].startswith("saturated")
        }
        step = schedule.steps_seen(port.config, known)
        origins["training"] = "inferred from the optimizers' updates"
    for name, options in port.config["optimizers"].items():
        if name not in counts:
            anew = options["kind"] in ADAMS
            counts[name] = 0 if anew else schedule.updates_by(port.config, step)[name]
            origins[name] = "begins anew" if anew else "follows from the training steps"
    port.load_parameters(weights)
    state = dict(port.optimizer_state(), **slots)
    state.update({name + "/step": np.array(count, np.int64) for name, count in counts.items()})
    port.load_optimizer_state(state)
    return step, origins


def _reader(path: str) -> Any:
    path = path if os.path.exists(path + ".index") else newest(path)
    try:
        return tf.train.NewCheckpointReader(path)
    except DAMAGED as error:
        raise ValueError(
            f"the checkpoint {path} is damaged: {str(error).strip().splitlines()[0]}"
        ) from error


def _read(reader: Any, names: List[str]) -> List[np.ndarray]:
    return [np.asarray(reader.get_tensor(name)) for name in names]


def _joined(reader: Any, names: List[str]) -> np.ndarray:
    parts = _read(reader, names)
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)


def _counts(
    config: Mapping[str, Any], powers: Mapping[str, List[np.ndarray]]
) -> Tuple[Dict[str, int], Dict[str, str]]:
    counts: Dict[str, int] = {}
    origins: Dict[str, str] = {}
    for name, values in powers.items():
        by_beta = dict(zip(POWERS, values))
        typed = {beta: Typed(tf.as_dtype(value.dtype)) for beta, value in by_beta.items()}
        counted = Counted(name, config["optimizers"][name], typed)
        counts[name], origins[name] = infer_step(counted, by_beta)
    return counts, origins
