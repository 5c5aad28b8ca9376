"""Checkpoints of a port: files of `torch.save` with plain dictionaries of tensors in canonical
names and layouts.

Read back with `weights_only=True`: nothing but tensors and plain values is unpickled. The folder
keeps the last three.
"""

from __future__ import annotations

import os
import pickle
import re
from typing import Any, Dict, List

import numpy as np
import torch

KEPT = 3
FORMAT = 1
_NAME = re.compile(r"checkpoint-(\d+)\.pt$")


def _numbered(folder: str) -> List[str]:
    """Return the paths of the checkpoints in a folder, oldest first."""
    if not os.path.isdir(folder):
        return []
    names = [name for name in os.listdir(folder) if _NAME.match(name)]
    names.sort(key=_number)
    return [os.path.join(folder, name) for name in names]


def _number(path: str) -> int:
    match = _NAME.search(path)
    assert match is not None  # it is one of `_numbered`
    return int(match.group(1))


def save(
    folder: str,
    workload: str,
    steps: int,
    parameters: Dict[str, np.ndarray],
    state: Dict[str, np.ndarray],
) -> None:
    """Write the newest checkpoint and remove the fourth newest.

    Args:
        folder: made if need be.
        workload: name of the model.
        steps: training steps so far.
        parameters, state: what the port's `parameters` and `optimizer_state` return.
    """
    os.makedirs(folder, exist_ok=True)
    before = _numbered(folder)
    number = _number(before[-1]) + 1 if before else 1
    path = os.path.join(folder, f"checkpoint-{number:06d}.pt")
    content = {
        "format": FORMAT,
        "workload": workload,
        "steps_trained": steps,
        "parameters": {name: torch.as_tensor(value) for name, value in parameters.items()},
        "optimizer_state": {name: torch.as_tensor(value) for name, value in state.items()},
    }
    torch.save(content, path + ".part")
    os.replace(path + ".part", path)  # a checkpoint is whole or not there
    for old in before[: -(KEPT - 1)]:
        os.remove(old)


def read(folder: str, workload: str) -> Dict[str, Any]:
    """Return the newest checkpoint, `steps_trained`, `parameters` and `optimizer_state` with
    arrays.

    Raises:
        FileNotFoundError: the folder has none. ValueError: it is damaged, or of another model.
    """
    paths = _numbered(folder)
    if not paths:
        raise FileNotFoundError(f"there is no checkpoint of the torch backend in {folder}")
    try:
        content = torch.load(paths[-1], map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # torch's own message advises to unpickle whatever is there, which may run any program
        raise ValueError(
            f"checkpoint {paths[-1]} is damaged or holds more than tensors and plain values; it is"
            " refused, and nothing of it is run"
        ) from error
    except (RuntimeError, EOFError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"checkpoint {paths[-1]} is damaged: {reason}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"{paths[-1]} is no checkpoint of format {FORMAT} of the torch backend")
    stored = content["workload"]
    if stored != workload:
        raise ValueError(f"checkpoint {paths[-1]} is of {stored}, not of {workload}")
    for part in ("parameters", "optimizer_state"):
        content[part] = {name: value.numpy() for name, value in content[part].items()}
    return content
