"""Record what a port computes on a tape, stage by stage, and how far honest variations of the run
move each tensor.

The tensors of a stage go to `<stage>.npz`, one after another, so memory does not grow with the
model. A variation runs the same stages again on slightly different input (see
`backends.recording.variations`) and keeps, for each tensor, only the largest absolute movement.
Those movements are the noise floor and the bounds that `harness.fidelity` judges by. Of a model of
many parameters, large tensors are kept as sketches (`backends.recording.sketch`), and what moves is
then the sketch.
"""

from __future__ import annotations

import hashlib
import math
import os
import traceback
import zipfile
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np

from backends.contract import Stage, Status, abilities
from backends.diagnosis.statuses import classify
from backends.recording.passes import RECORDED, Item, NativeRun, Run, apart, largest
from backends.recording.sketch import content, is_sketched, sketch
from backends.recording.variations import CONSTANTS, in_order, vary

#: By `<stage>/<name>` and kind of variation: how far each variation moved the tensor.
Noise = Dict[str, Dict[str, List[float]]]


def load_arrays(path: str) -> Dict[str, np.ndarray]:
    """Return the arrays of an .npz by name; nothing is unpickled.

    Raises:
        ValueError: it is none.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is no .npz that can be read: {error}") from error


def save_arrays(path: str, arrays: Mapping[str, Any]) -> None:
    """Write arrays to an .npz.

    Args:
        path: overwritten; its folder has to exist. arrays: by the names that they have in it.
    """
    np.savez(path, **arrays)


class Recorder:
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
        self.port, self.config, self.data, self.tape = port, config, data, tape
        self.folder, self.seed = folder, seed
        self.can = abilities(type(port))

    def record(
        self,
        stages: Sequence[str],
        steps: int,
        variants: Sequence[Mapping[str, Any]],
        sketch_from: int = 0,
    ) -> Dict[str, Any]:
        """Return what was written: `tensors` (in order), `files` (checksums), `noise`, what the
        port can do, and by phase the `loss_scale` at which its gradients were looked at, where the
        precision has a dynamic one.

        Args:
            stages: those that are wanted; a port records what it can of them.
            steps: of the trajectory.
            variants: the honest variations that are run beside, each with `kind`, `seed` and, if
                not all, its `stages`.
            sketch_from: tensors of so many values are kept as sketches; 0: all are kept whole.

        Raises:
            RuntimeError: every stage raised.
        """
        tensors: List[Dict[str, Any]] = []
        files: Dict[str, str] = {}
        raised: Dict[str, str] = {}
        run = self._run()
        for stage in RECORDED:
            if stage not in stages:
                continue
            path = os.path.join(self.folder, stage + ".npz")
            try:
                entries = _write(path, run.stages([stage], steps), sketch_from)
            except Exception as error:
                if not costs_its_stage(error):
                    raise
                raised[stage] = classify(error)[1]
                traceback.print_exc()
                os.unlink(path)
                continue
            if entries:
                files[stage] = path
                tensors += entries
            else:
                os.unlink(path)
        declared = self._declared(Stage.FORWARD in files)
        if raised and not tensors:
            first, reason = next(iter(raised.items()))
            raise RuntimeError(f"every stage that was asked for raised, {first} first: {reason}")
        # Of this run, not of a variation.
        loss_scale = {phase: dict(noted) for phase, noted in self.port.loss_scales.items()}
        kept = {stage: (path, _sketches(tensors, stage)) for stage, path in files.items()}
        noise, broken = self._noise(stages, steps, variants, kept, tensors)
        raised.update(broken)
        return {
            "tensors": tensors,
            "files": {os.path.basename(path): checksum(path) for path in files.values()},
            "noise": noise,
            "abilities": self.can,
            "loss_scale": loss_scale,
            "raised": raised,
            "told": dict(declared, undeclared=sorted(self.port.undeclared_state())),
        }

    def _noise(
        self,
        stages: Sequence[str],
        steps: int,
        variants: Sequence[Mapping[str, Any]],
        kept: Mapping[str, Tuple[str, Set[str]]],
        tensors: Sequence[Mapping[str, Any]],
    ) -> Tuple[Noise, Dict[str, str]]:
        """Run the variations, but for those that are known to be the run itself; return how far
        they moved each tensor, and by stage what the port raised.

        Args:
            stages, steps, variants: as of `record`.
            kept: by stage, where the run that is varied has been written, and which of its tensors
                are sketches there.
            tensors: the entries of that run.
        """
        noise: Noise = {}
        raised: Dict[str, str] = {}
        for variant in variants:
            own = [
                stage
                for stage in RECORDED[1:]
                if stage in variant.get("stages", stages) and stage in kept
            ]
            if self._is_the_run(variant["kind"]) and _are_finite(tensors, own):
                for entry in tensors:
                    if entry["stage"] in own:
                        place = f"{entry['stage']}/{entry['name']}"
                        noise.setdefault(place, {}).setdefault(variant["kind"], []).append(0.0)
                continue
            varied = vary(self._run(), variant)
            for stage in own:
                try:
                    self._vary(varied, variant["kind"], (stage, steps, *kept[stage]), noise)
                except Exception as error:
                    if not costs_its_stage(error):
                        raise
                    reason = classify(error)[1]
                    raised[stage] = (
                        f"in an honest variation of the run ({variant['kind']}), {reason}"
                    )
                    traceback.print_exc()
        return noise, raised

    def _is_the_run(self, kind: str) -> bool:
        """Return whether a variation is known to change nothing: constants in float32 that float32
        holds."""
        name, _, which = kind.partition(":")
        return name == CONSTANTS and not self.port.constants_may_move(which)

    def _declared(self, forward: bool) -> Dict[str, Any]:
        """Return what the port declares of itself; with `forward`, also which activations are made
        by products in a low precision.
        """
        declared: Dict[str, Any] = {
            "not_shown": list(self.port.not_shown),
            "trainable_values": self.port.trainable_values(),
            "own_training": self.port.training_is_own(),
            "hidden_averages": list(self.port.hidden_averages),
            "unseen_averages": list(self.port.unseen_averages),
        }
        if forward and self.port.setting.precision != "fp64":
            declared["contracted"] = self._run().contracted()
        return declared

    def _run(self) -> Run:
        arguments = self.port, self.config, self.data, self.tape, self.can
        return Run(*arguments) if self.seed is None else NativeRun(*arguments, seed=self.seed)

    def _vary(
        self, run: Run, kind: str, what: Tuple[str, int, str, Set[str]], noise: Noise
    ) -> None:
        """Run one stage of a variation and add the largest movement of each tensor to
        `noise[stage/name][kind]`.

        `what`: the stage, the steps of a trajectory, where the run that is varied has been written,
        and the names of what is sketched there.
        """
        stage, steps, path, sketched = what
        with np.load(path, allow_pickle=False) as recorded:
            for _, name, value, _ in run.stages([stage], steps):
                base = recorded[name]
                candidates = [value]
                # Rows have moved with their batch. What is generated comes from rows of its own, in
                # their own order.
                rows = stage == Stage.FORWARD and name != "generate"
                if run.order is not None and (rows or _parameter(name) in run.carried):
                    # An axis that is as long as the batch may be another one: of that, the values
                    # as they stand are the nearer ones.
                    candidates += in_order(np.asarray(value), np.argsort(run.order))
                moved = min(_apart(item, base, name in sketched) for item in candidates)
                noise.setdefault(f"{stage}/{name}", {}).setdefault(kind, []).append(moved)


def _parameter(name: str) -> str:
    """Return the name of the parameter that a tensor of a stage is; of others the tensor's own."""
    return name.rpartition("parameter/")[2]


def costs_its_stage(error: BaseException) -> bool:
    """Whether an error is a port's own, which costs the stage in which it is raised; the others end
    the job in a status of their own.
    """
    return classify(error)[0] == Status.ERROR


def _sketches(entries: Sequence[Mapping[str, Any]], stage: str) -> Set[str]:
    """Return the names of a stage's tensors that are kept as sketches."""
    own = (entry for entry in entries if entry["stage"] == stage)
    return {entry["name"] for entry in own if entry.get("sketched")}


def _are_finite(entries: Sequence[Mapping[str, Any]], stages: Sequence[str]) -> bool:
    """Return whether all tensors of some stages are finite: others are infinitely far from
    themselves."""
    return all(math.isfinite(entry["largest"]) for entry in entries if entry["stage"] in stages)


def _apart(value: np.ndarray, base: np.ndarray, sketched: bool) -> float:
    """Return how far a tensor is from what was kept of it; infinity where there is no sketch."""
    if not sketched:
        return apart(value, base)
    return apart(sketch(value), base) if is_sketched(value, 1) else float("inf")


def _write(path: str, items: Iterator[Item], sketch_from: int) -> List[Dict[str, Any]]:
    """Write the tensors of one stage, one after another, and return their entries."""
    entries: List[Dict[str, Any]] = []
    with zipfile.ZipFile(path, "w", allowZip64=True) as writer:
        for stage, name, value, scale in items:
            entry = describe(stage, name, value, scale)
            if is_sketched(np.asarray(value), sketch_from):
                whole = np.asarray(value, order="C")
                write_array(writer, name, sketch(whole))
                entry.update(sketched=True, content=content(whole))
            else:
                write_array(writer, name, value)
            entries.append(entry)
    return entries


def describe(stage: str, name: str, value: np.ndarray, scale: float) -> Dict[str, Any]:
    """Return the manifest's entry of one tensor."""
    value = np.asarray(value)
    size = largest(value if value.dtype.kind in "cf" else value.astype(np.float64))
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
