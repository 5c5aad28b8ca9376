"""Record what a port computes on a tape, stage by stage, and how far honest variations of the run
move each tensor.

The tensors of a stage go to `<stage>.npz`, one after another, so memory does not grow with the
model. A variation runs the same stages again on slightly different input (see
`backends.recording.variations`) and keeps, for each tensor, only the largest absolute movement.
Those movements are the noise floor and the bounds that `harness.fidelity` judges by.
"""

from __future__ import annotations

import hashlib
import os
import traceback
import zipfile
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from backends.contract import abilities
from backends.diagnosis.statuses import classify
from backends.recording.passes import RECORDED, Item, NativeRun, Run, apart, largest
from backends.recording.variations import in_order, vary


def load_arrays(path: str) -> Dict[str, np.ndarray]:
    """Return the arrays of an .npz by name; nothing is unpickled."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


class Recorder(object):
    """Records one open port; see the module's docstring.

    Args:
        seed: of the framework's own generators, for a recording in native mode (initial weights,
            weights on the way and losses alone can be looked at there); None for lockstep.
    """

    def __init__(
        self,
        port: Any,
        config: Mapping[str, Any],
        data: Dict[str, np.ndarray],
        tape: Dict[str, np.ndarray],
        folder: str,
        seed: Optional[int] = None,
    ) -> None:
        self.port, self.config, self.data, self.tape, self.folder, self.seed = (
            port,
            config,
            data,
            tape,
            folder,
            seed,
        )
        self.can = abilities(type(port))

    def record(
        self, stages: Sequence[str], steps: int, variants: Sequence[Mapping[str, Any]]
    ) -> Dict[str, Any]:
        """Return what was written: `tensors` (in order), `files` (checksums), `noise`, what the
        port can do, and by phase the `loss_scale` at which its gradients were looked at, where the
        precision has a dynamic one.
        """
        tensors = []  # type: List[Dict[str, Any]]
        files = {}  # type: Dict[str, str]
        raised = {}  # type: Dict[str, str]
        run = self._run()
        for stage in [stage for stage in RECORDED if stage in stages]:
            path = os.path.join(self.folder, stage + ".npz")
            try:
                found = _write(path, run.stages([stage], steps))
            except Exception as error:
                if not costs_its_stage(error):
                    raise
                raised[stage] = classify(error)[1]
                traceback.print_exc()
                os.unlink(path)
                continue
            if found:
                files[stage] = path
                tensors += found
            else:
                os.unlink(path)
        told = self._told("forward" in files)
        if raised and not tensors:
            raise RuntimeError(
                "every stage that was asked for raised, %s first: %s" % next(iter(raised.items()))
            )
        loss_scale = {
            phase: dict(noted) for phase, noted in self.port.loss_scales.items()
        }  # of this run, not of a variation
        noise = {}  # type: Dict[str, Dict[str, List[float]]]
        for variant in variants:
            varied = vary(self._run(), variant)
            for stage in [
                stage
                for stage in RECORDED[1:]
                if stage in variant.get("stages", stages) and stage in files
            ]:
                try:
                    self._vary(varied, variant["kind"], (stage, steps, files[stage]), noise)
                except Exception as error:
                    if not costs_its_stage(error):
                        raise
                    raised[stage] = "in an honest variation of the run (%s), %s" % (
                        variant["kind"],
                        classify(error)[1],
                    )
                    traceback.print_exc()
        return {
            "tensors": tensors,
            "files": {os.path.basename(path): checksum(path) for path in files.values()},
            "noise": noise,
            "abilities": self.can,
            "loss_scale": loss_scale,
            "raised": raised,
            "told": dict(told, undeclared=sorted(self.port.undeclared_state())),
        }

    def _told(self, forward: bool) -> Dict[str, Any]:
        """Return what the port tells of itself; where asked, also which activations are made by
        products in a low precision."""
        found = {
            "not_shown": list(self.port.not_shown),
            "trainable_values": self.port.trainable_values(),
            "own_training": self.port.training_is_own(),
        }  # type: Dict[str, Any]
        if forward and self.port.setting.precision != "fp64":
            found["contracted"] = self._run().contracted()
        return found

    def _run(self) -> "Run":
        given = self.port, self.config, self.data, self.tape, self.can
        return Run(*given) if self.seed is None else NativeRun(*given, seed=self.seed)

    def _vary(
        self,
        run: Run,
        kind: str,
        what: Tuple[str, int, str],
        noise: Dict[str, Dict[str, List[float]]],
    ) -> None:
        """Run one stage of a variation and add the largest movement of each tensor to
        `noise[stage/name][kind]`.

        `what`: the stage, the steps of a trajectory, and where the run that is varied has been
        written.
        """
        stage, steps, path = what
        with np.load(path, allow_pickle=False) as recorded:
            for _, name, value, _ in run.stages([stage], steps):
                base = recorded[name]
                moved = apart(value, base)
                # Rows have moved with their batch. What is generated comes from rows of its own, in
                # their own order.
                rows = (stage == "forward" and name != "generate") or name.rpartition("parameter/")[
                    2
                ] in run.carried
                if run.order is not None and rows:
                    # An axis that is as long as the batch may be another one: of that, the values
                    # as they stand are the nearer ones.
                    moved = min(
                        [moved] + [apart(value, other) for other in in_order(base, run.order)]
                    )
                noise.setdefault("%s/%s" % (stage, name), {}).setdefault(kind, []).append(moved)


def costs_its_stage(error: BaseException) -> bool:
    """Whether an error is a port's own, which costs the stage in which it is raised; the others end
    the job in a status of their own."""
    return classify(error)[0] == "error"


def _write(path: str, items: Iterator[Item]) -> List[Dict[str, Any]]:
    """Write the tensors of one stage, one after another, and return their entries."""
    found = []  # type: List[Dict[str, Any]]
    with zipfile.ZipFile(path, "w", allowZip64=True) as writer:
        for stage, name, value, scale in items:
            write_array(writer, name, value)
            found.append(describe(stage, name, value, scale))
    return found


def describe(stage: str, name: str, value: np.ndarray, scale: float) -> Dict[str, Any]:
    """Return the manifest's entry of one tensor."""
    value = np.asarray(value)
    size = largest(value if value.dtype.kind == "c" else value.astype(np.float64))
    return {
        "stage": stage,
        "name": name,
        "shape": list(np.shape(value)),
        "dtype": str(value.dtype),
        "scale": scale,
        "largest": size,
    }


def write_array(archive: zipfile.ZipFile, name: str, value: np.ndarray) -> None:
    """Append one array to an open .npz, without a pickle."""
    with archive.open(name + ".npy", "w", force_zip64=True) as member:
        np.lib.format.write_array(member, np.asanyarray(value), allow_pickle=False)


def checksum(path: str) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()
