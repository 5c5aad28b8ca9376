"""Record the updates of a port, the first one made of another port's gradients, each later one
begun with the other port's state: is the optimizer to blame, or the gradient, and which updates?
"""

from __future__ import annotations

import os
import zipfile
from typing import Any, Dict, List, Mapping

import numpy as np

from backends.contract import Stage, Unsupported, abilities
from backends.recording.passes import ForcedUpdate
from backends.recording.recorder import checksum, describe, write_array

STAGE, METHOD = Stage.UPDATE, "update_from"


def record(
    port: Any,
    config: Mapping[str, Any],
    data: Mapping[str, np.ndarray],
    tape: Mapping[str, np.ndarray],
    teacher: Mapping[str, np.ndarray],
    folder: str,
) -> Dict[str, Any]:
    """Write what the updates have moved.

    Args:
        port, config, data, tape: as for `recorder.Recorder`.
        teacher: as `passes.ForcedUpdate` takes it.
        folder: where `update.npz` goes.

    Returns:
        `tensors` and `files` as a recording has them; `read`, `own` and `rooted`, empty, as a
        teacher-forced pass has them.

    Raises:
        Unsupported: the port takes no gradients from outside.
    """
    if not hasattr(port, METHOD):
        raise Unsupported(f"the port of {config['workload']} has no `{METHOD}`")
    run = ForcedUpdate(port, config, data, tape, abilities(type(port)), teacher=teacher)
    tensors: List[Dict[str, Any]] = []
    path = os.path.join(folder, STAGE + ".npz")
    with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
        for stage, name, value, scale in run.stages([STAGE], 1):
            write_array(archive, name, value)
            tensors.append(describe(stage, name, value, scale))
    files = {os.path.basename(path): checksum(path)}
    return {"read": {}, "own": {}, "rooted": [], "tensors": tensors, "files": files}
