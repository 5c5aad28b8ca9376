"""Record the updates of a port, the first one made of another port's gradients, each later one
begun with the other port's state: is the optimizer to blame, or the gradient, and which updates?
"""

from __future__ import annotations

import os
import zipfile
from typing import Any, Dict, List, Mapping

import numpy as np

from backends.contract import Stage, Unsupported, abilities
from backends.recording.passes import Run, below, weights
from backends.recording.recorder import checksum, describe, write_array
from backends.source import Batch

STAGE, METHOD = Stage.UPDATE, "update_from"


class ForcedUpdate(Run):
    """The updates, none of which is hidden by what has departed before it. The first one is made of
    a teacher's gradients: those of other phases were taken before it had moved anything. Each later
    one is made of the side's own gradients, and begins with the state that the teacher had there.

    Args:
        teacher: gradients by `<phase>/<parameter>`, and what the updates have left, by
            `step <number>/<phase>/...`, as the other side has recorded them.
    """

    def __init__(self, *arguments: Any, teacher: Mapping[str, np.ndarray]) -> None:
        Run.__init__(self, *arguments)
        self.teacher = teacher
        #: Before names of what the updates so far have left.
        self._made: List[str] = []

    def _begun_elsewhere(self) -> bool:
        if not self._made:
            return False
        values, slots = weights(self.tape), {}
        for prefix in self._made:
            values.update(below(prefix + "parameter/", self.teacher))
            slots.update(below(prefix + "slot/", self.teacher))
        self.port.assume(values, slots)
        return True

    def _train_step(self, phase: str, batch: Batch) -> None:
        step = 1 + sum(prefix.endswith(f"/{phase}/") for prefix in self._made)
        gradients = below(phase + "/", self.teacher)
        if gradients and not self._made:
            self.port.update_from(phase, batch, gradients)
        else:
            self.port.train_step(phase, batch)
        self._made.append(f"step {step}/{phase}/")


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
        teacher: as `ForcedUpdate` takes it.
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
