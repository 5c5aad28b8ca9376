"""Record what a port computes on a tape, stage by stage, and how far honest variations of the run move each tensor.

The tensors of a stage go to `<stage>.npz`, one after another, so memory does not grow with the model. A variation runs the
same stages again on slightly different input (see `backends.variations`) and keeps, for each tensor, only the largest absolute
movement. Those movements are the noise floor and the bounds that `harness.fidelity` judges by.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from backends.contract import PRECISION_TABLE, abilities
from backends.schedule import phases_at
from backends.source import Batch, NativeSource, TapeSource
from backends.variations import permuted, vary

UPDATE_STEPS = 2  # the second shows what the first left in the optimizer's slots

Item = Tuple[str, str, np.ndarray, float]  # stage, name, value, scale (0: the value's own)


def load_arrays(path: str) -> Dict[str, np.ndarray]:
    """Return the arrays of an .npz by name; nothing is unpickled."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def weights(tape: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Return the tape's initial weights by canonical name."""
    return {name[len("weights/"):]: value for name, value in tape.items() if name.startswith("weights/")}


class Recorder(object):
    """Records one open port; see the module's docstring.

    Args:
        seed: of the framework's own generators, for a recording in native mode (initial weights, weights on the way and losses alone
            can be looked at there); None for lockstep.
    """

    def __init__(
        self, port: Any, config: Mapping[str, Any], data: Dict[str, np.ndarray], tape: Dict[str, np.ndarray], folder: str,
        seed: Optional[int] = None,
    ) -> None:
        self.port, self.config, self.data, self.tape, self.folder, self.seed = port, config, data, tape, folder, seed
        self.can = abilities(type(port))

    def record(self, stages: Sequence[str], steps: int, variants: Sequence[Mapping[str, Any]]) -> Dict[str, Any]:
        """Return what was written: `tensors` (in order), `files` (checksums), `noise`, what the port can do, and by phase the
        `loss_scale` at which its gradients were looked at, where the precision has a dynamic one."""
        tensors = []  # type: List[Dict[str, Any]]
        files = {}  # type: Dict[str, str]
        writer = None  # type: Any
        run = self._run()
        for stage, name, value, scale in run.stages(stages, steps):
            path = os.path.join(self.folder, stage + ".npz")
            if stage not in files:
                if writer is not None:
                    writer.close()
                writer, files[stage] = zipfile.ZipFile(path, "w", allowZip64=True), path
            write_array(writer, name, value)
            tensors.append(describe(stage, name, value, scale))
        if writer is not None:
            writer.close()
        loss_scale = {phase: dict(noted) for phase, noted in self.port.loss_scales.items()}  # of this run, not of a variation
        noise = {}  # type: Dict[str, Dict[str, List[float]]]
        for variant in variants:
            wanted = [stage for stage in stages if stage in variant.get("stages", stages)]
            self._vary(variant, wanted, steps, files, noise)
        return {
            "tensors": tensors,
            "files": {os.path.basename(path): checksum(path) for path in files.values()},
            "noise": noise,
            "abilities": self.can,
            "loss_scale": loss_scale,
        }

    def _run(self) -> "Run":
        given = self.port, self.config, self.data, self.tape, self.can
        return Run(*given) if self.seed is None else NativeRun(*given, seed=self.seed)

    def _vary(
        self, variant: Mapping[str, Any], stages: Sequence[str], steps: int,
        files: Mapping[str, str], noise: Dict[str, Dict[str, List[float]]],
    ) -> None:
        """Run one variation and add the largest movement of each tensor to `noise[stage/name][kind]`."""
        run = vary(self._run(), variant)
        opened = {stage: np.load(path, allow_pickle=False) for stage, path in files.items()}
        for stage, name, value, _ in run.stages([stage for stage in stages if stage != "weights"], steps):
            base = opened[stage][name]
            moved = _largest(np.asarray(value, np.float64) - base) if base.size else 0.0
            # Rows have moved with their batch. What is generated comes from rows of its own, in their own order.
            if run.order is not None and stage == "forward" and name != "generate" and base.size:
                # An axis that is as long as the batch may be another one: of that, the values as they stand are the nearer ones.
                moved = min(moved, _largest(np.asarray(value, np.float64) - permuted(base, run.order)))
            noise.setdefault("%s/%s" % (stage, name), {}).setdefault(variant["kind"], []).append(moved)
        for archive in opened.values():
            archive.close()


class Run(object):
    """One pass over the stages with given weights, data and row order."""

    def __init__(self, port: Any, config: Mapping[str, Any], data: Any, tape: Any, can: Sequence[str]) -> None:
        self.port, self.config, self.data, self.tape, self.can = port, config, data, tape, can
        self.order = None  # type: Any
        self.brief = False

    def source(self) -> TapeSource:
        """Return a fresh source at step 0."""
        return TapeSource(self.data, self.tape, self.config["batch"])

    def start(self) -> TapeSource:
        """Load the initial weights and return a fresh source."""
        self.port.load_parameters(weights(self.tape))
        return self.source()

    def stages(self, wanted: Sequence[str], steps: int) -> Iterator[Item]:
        """Yield every tensor of the wanted stages, in the order of the ladder."""
        makers = {
            "weights": self._weights, "forward": self._forward, "loss": self._loss, "gradients": self._gradients,
            "update": self._update,
        }
        for stage in ("weights", "forward", "loss", "gradients", "update"):
            if stage in wanted:
                for item in makers[stage]():
                    yield item
        if "trajectory" in wanted:
            for item in self._trajectory(steps):
                yield item

    def _weights(self) -> Iterator[Item]:
        self.start()
        for name, value in sorted(self.port.parameters().items()):
            yield "weights", name, value, 0.0

    def _forward(self) -> Iterator[Item]:
        source = self.start()
        before = self.port.parameters()
        if "forward" in self.can:
            look = self.config["forward"]
            batch = source.batch(0, look["phase"])
            for mode in look["modes"]:
                training = mode == "training"
                given = batch if training else Batch(batch.arrays, None)
                for name, value in self.port.forward(given, training).items():
                    yield "forward", "%s/%s" % (mode, name), value, 0.0
        # Without row order: rows come from the evaluation inputs, which no variation re-orders.
        rows = self.config["batch"] + 1
        yield "forward", "generate", self.port.generate(source, rows), 0.0
        self._unchanged(before, "forward or generate")

    def _loss(self) -> Iterator[Item]:
        if "losses" not in self.can:
            return
        source = self.start()
        before = self.port.parameters()
        for phase in self.config["phases"]:
            for name, value in self.port.losses(phase, source.batch(0, phase)).items():
                yield "loss", "%s/%s" % (phase, name), np.array(value), 0.0
        self._unchanged(before, "losses")

    def _gradients(self) -> Iterator[Item]:
        if "gradients" not in self.can:
            return
        source = self.start()
        before = self.port.parameters()
        for phase in self.config["phases"]:
            for name, value in self.port.gradients(phase, source.batch(0, phase)).items():
                yield "gradients", "%s/%s" % (phase, name), value, 0.0
        self._unchanged(before, "gradients")

    def _update(self) -> Iterator[Item]:
        """Run every phase twice. What a phase is declared to update is recorded, and whatever else has changed with it."""
        if "train_step" not in self.can:
            return
        source = self.start()
        before, slots_before = self.port.parameters(), self._slots()
        for step in range(UPDATE_STEPS):
            for update in self.config["updates"]:
                self.port.train_step(update["phase"], source.batch(step, update["phase"]))
                prefix = "step %d/%s/" % (step + 1, update["phase"])
                after, slots = self.port.parameters(), self._slots()
                own = set(update["parameters"])
                touched = {name: value for name, value in after.items() if name in own or not _same(value, before[name])}
                for item in self._parameters("update", prefix, before, touched):
                    yield item
                for name, value in sorted(slots.items()):
                    if name.startswith(update["optimizer"] + "/") or not _same(value, slots_before.get(name)):
                        yield "update", prefix + "slot/" + name, value, 0.0
                before, slots_before = after, slots

    def _slots(self) -> Dict[str, np.ndarray]:
        return self.port.optimizer_state() if "optimizer_state" in self.can else {}

    def _trajectory(self, steps: int) -> Iterator[Item]:
        """Train in one go, looking at the losses of every step and at the parameters after 1, 2, 4, ... and all steps: those
        that the phases so far update, running statistics, and whatever else has changed; and at the loss scales."""
        source = self.start()
        start, done = self.port.parameters(), 0
        owners = {update["phase"]: update["parameters"] for update in self.config["updates"]}
        moving = {item["name"] for item in self.config["parameters"] if not item["trainable"]}
        steps = 1 if self.brief else steps
        while done < steps:
            mark = min(max(1, 2 * done), steps)
            losses = self.port.train(source, mark - done)
            for index in range(mark - done):
                for name, values in losses.items():
                    if values[index] is not None:  # the schedule had no such phase at that step
                        yield "trajectory", "step %d/loss/%s" % (done + index + 1, name), np.array(values[index]), 0.0
            moving.update(name for step in range(done, mark) for phase in phases_at(self.config, step) for name in owners[phase])
            done = mark
            after = self.port.parameters()
            touched = {name: value for name, value in after.items() if name in moving or not _same(value, start[name])}
            for item in self._parameters("trajectory", "step %d/" % done, start, touched):
                yield item
            for name, value in self._loss_scales():
                yield "trajectory", "step %d/slot/%s" % (done, name), value, 0.0
        if not self.brief:
            yield "trajectory", "step %d/generate" % steps, self.port.generate(source, self.config["batch"] + 1), 0.0

    def _loss_scales(self) -> List[Tuple[str, np.ndarray]]:
        """Return every optimizer's dynamic loss scale and how many updates it has skipped: two runs that part there have updated
        different weights, however alike those still look."""
        if not PRECISION_TABLE[self.port.setting.precision]["loss_scale_growth"]:
            return []
        return sorted((name, value) for name, value in self._slots().items() if name.endswith(("/loss_scale", "/skipped")))

    def _parameters(self, stage: str, prefix: str, before: Any, after: Any) -> Iterator[Item]:
        """Yield parameters on the scale of what has changed: an update is small beside the weight that it changes."""
        for name in sorted(after):
            change = _largest(np.asarray(after[name], np.float64) - before[name])
            yield stage, prefix + "parameter/" + name, after[name], change

    def _unchanged(self, before: Any, what: str) -> None:
        """Raise if looking at the port has changed it."""
        for name, value in self.port.parameters().items():
            if not np.array_equal(value, before[name]) and not np.any(np.isnan(value)):
                raise RuntimeError("%s of this port changed %s; it must leave the state alone" % (what, name))


class NativeRun(Run):
    """The same pass on the framework's own batches and noise."""

    def __init__(self, *given: Any, seed: int) -> None:
        Run.__init__(self, *given)
        self.seed = seed

    def source(self) -> Any:
        """Return a fresh source at step 0."""
        return NativeSource(self.data, self.seed, self.config["batch"])


def _same(value: np.ndarray, before: Any) -> bool:
    return before is not None and np.array_equal(value, before)


def describe(stage: str, name: str, value: np.ndarray, scale: float) -> Dict[str, Any]:
    """Return the manifest's entry of one tensor."""
    largest = _largest(np.asarray(value, np.float64))
    return {
        "stage": stage, "name": name, "shape": list(np.shape(value)), "dtype": str(value.dtype), "scale": scale, "largest": largest,
    }


def _largest(value: np.ndarray) -> float:
    return float(np.max(np.abs(value))) if value.size else 0.0


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
