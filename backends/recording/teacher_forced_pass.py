"""Record the forward stage of a port that is taught by another one's: each layer given the right
input."""

from __future__ import annotations

import os
import zipfile
from typing import Any, Dict, List, Mapping

import numpy as np

from backends.contract import Unsupported, abilities
from backends.recording.passes import Run
from backends.recording.recorder import checksum, describe, write_array

STAGE = "forward"


def record(
    port: Any,
    config: Mapping[str, Any],
    data: Mapping[str, np.ndarray],
    tape: Mapping[str, np.ndarray],
    teacher: Mapping[str, np.ndarray],
    folder: str,
) -> Dict[str, Any]:
    """Write the taught activations of every mode and say what each was computed from.

    Args:
        port, config, data, tape: as for `recording.Recorder`.
        teacher: what the other side recorded of the forward stage, by `<mode>/<activation>`.
        folder: where `forward.npz` goes.

    Returns:
        `tensors` and `files` as a recording has them; `read`, `own` and `rooted` of
        `backends.recording.teacher_forcing.Taught`, by the tensors' names.

    Raises:
        Unsupported: the port cannot be taught.
    """
    if "forward_from" not in abilities(type(port)):
        raise Unsupported("the port of %s has no `forward_from`" % config["workload"])
    run = Run(port, config, data, tape, abilities(type(port)))
    source = run.start()
    tensors: List[Dict[str, Any]] = []
    origins: Dict[str, Dict[str, List[str]]] = {"read": {}, "own": {}}
    rooted: List[str] = []
    path = os.path.join(folder, STAGE + ".npz")
    with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
        for mode in config["forward"]["modes"]:
            prefix = mode + "/"
            given = {
                name[len(prefix) :]: value
                for name, value in teacher.items()
                if name.startswith(prefix)
            }
            taught = port.forward_from(
                run.looked_at(source, mode == "training"), mode == "training", given
            )
            rooted += [prefix + name for name in taught.rooted]
            for name, value in taught.values.items():
                write_array(archive, prefix + name, value)
                tensors.append(describe(STAGE, prefix + name, value, 0.0))
                origins["read"][prefix + name] = [prefix + other for other in taught.read[name]]
                origins["own"][prefix + name] = [prefix + other for other in taught.own[name]]
    return dict(
        origins, rooted=rooted, tensors=tensors, files={os.path.basename(path): checksum(path)}
    )
