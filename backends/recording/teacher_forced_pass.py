"""Record the forward stage of a port, teacher-forced by another port's: each layer has the right
input.
"""

from __future__ import annotations

import os
import zipfile
from typing import Any, Dict, List, Mapping

import numpy as np

from backends.contract import Stage, Unsupported, abilities
from backends.recording.passes import Run, below
from backends.recording.recorder import checksum, describe, write_array

STAGE = Stage.FORWARD


def record(
    port: Any,
    config: Mapping[str, Any],
    data: Mapping[str, np.ndarray],
    tape: Mapping[str, np.ndarray],
    teacher: Mapping[str, np.ndarray],
    folder: str,
) -> Dict[str, Any]:
    """Write the teacher-forced activations of every mode and say what each was computed from.

    Args:
        port, config, data, tape: as for `recorder.Recorder`.
        teacher: what the other side recorded of the forward stage, by `<mode>/<activation>`.
        folder: where `forward.npz` goes.

    Returns:
        `tensors` and `files` as a recording has them; `read`, `own` and `rooted` of
        `backends.contract.ForcedActivations`, by the tensors' names.

    Raises:
        Unsupported: the port cannot be teacher-forced.
    """
    if "forward_from" not in abilities(type(port)):
        raise Unsupported(f"the port of {config['workload']} has no `forward_from`")
    run = Run(port, config, data, tape, abilities(type(port)))
    source = run.start()
    tensors: List[Dict[str, Any]] = []
    origins: Dict[str, Dict[str, List[str]]] = {"read": {}, "own": {}}
    rooted: List[str] = []
    path = os.path.join(folder, STAGE + ".npz")
    with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
        for mode in config["forward"]["modes"]:
            prefix = mode + "/"
            training = mode == "training"
            batch = run.looked_at(source, training)
            forced = port.forward_from(batch, training, below(prefix, teacher))
            rooted += [prefix + name for name in forced.rooted]
            for name, value in forced.values.items():
                write_array(archive, prefix + name, value)
                tensors.append(describe(STAGE, prefix + name, value, 0.0))
                origins["read"][prefix + name] = [prefix + other for other in forced.read[name]]
                origins["own"][prefix + name] = [prefix + other for other in forced.own[name]]
    files = {os.path.basename(path): checksum(path)}
    return {**origins, "rooted": rooted, "tensors": tensors, "files": files}
