"""One pass over the stages of the ladder with one port: what is computed on a tape, tensor by
tensor.

A pass knows nothing of files: `backends.recording.recorder` writes what it yields, and runs it
again on slightly different input.
"""

from __future__ import annotations

import contextlib
from typing import (
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Set,
    Tuple,
)

import numpy as np

from backends.contract import PRECISION_TABLE, STAGES, UPDATE_STEPS, Stage, Unsupported
from backends.parameters import misshapen
from backends.schedule import phases_at
from backends.source import Batch, NativeSource, TapeSource
from backends.survey import AVERAGE

#: The stages that are recorded, in the order of the ladder.
RECORDED: Tuple[Stage, ...] = tuple(stage for stage in STAGES if stage != Stage.DISTRIBUTION)

Item = Tuple[Stage, str, np.ndarray, float]  # stage, name, value, scale (0: the value's own)


def weights(tape: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Return the tape's initial weights by canonical name; copies, for a port may go on to change
    what it is given.
    """
    return {name: np.array(value) for name, value in below("weights/", tape).items()}


def below(prefix: str, arrays: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Return the arrays whose names begin with a prefix, by the rest of their names."""
    return {name[len(prefix) :]: value for name, value in arrays.items() if name.startswith(prefix)}


class Run:
    """One pass over the stages with given weights, data and row order."""

    def __init__(
        self, port: Any, config: Mapping[str, Any], data: Any, tape: Any, can: Sequence[str]
    ) -> None:
        self.port, self.config, self.data, self.tape, self.can = port, config, data, tape, can
        self.order: Any = None
        self.brief = False
        #: What of the optimizers' constants is in float32, of a port that can do that.
        self.constants = ""
        self.update_steps = config.get("update_steps", UPDATE_STEPS)
        #: what may be carried from batch to batch, a row each.
        self.carried = {item["name"] for item in config["parameters"] if not item["trainable"]}

    def source(self) -> TapeSource:
        """Return a fresh source at step 0."""
        return TapeSource(self.data, self.tape, self.config["batch"])

    def start(self) -> TapeSource:
        """Load the initial weights and return a fresh source."""
        self.port.load_parameters(self._initial())
        return self.source()

    def _initial(self) -> Dict[str, np.ndarray]:
        return below("weights/", self.tape) if self.port.copies else weights(self.tape)

    def looked_at(self, source: TapeSource, training: bool) -> Batch:
        """Return the batch that a forward look is given, a new one each time: a port may change it
        in place.
        """
        batch = source.batch(0, self.config["forward"]["phase"])
        return batch if training else Batch(batch.arrays, None)

    def stages(self, wanted: Sequence[str], steps: int) -> Iterator[Item]:
        """Yield every tensor of the wanted stages, in the order of the ladder."""
        makers: Dict[Stage, Callable[[], Iterator[Item]]] = {
            Stage.WEIGHTS: self._weights,
            Stage.FORWARD: self._forward,
            Stage.LOSS: self._loss,
            Stage.GRADIENTS: self._gradients,
            Stage.UPDATE: self._update,
            Stage.TRAJECTORY: lambda: self._trajectory(steps),
        }
        with self._varied_constants():
            for stage in RECORDED:
                if stage in wanted:
                    yield from makers[stage]()

    @contextlib.contextmanager
    def _varied_constants(self) -> Iterator[None]:
        if not self.constants:
            yield
            return
        self.port.round_constants(self.constants)
        try:
            yield
        finally:
            self.port.round_constants("")

    def _weights(self) -> Iterator[Item]:
        brought = getattr(self.port, "own_weights", lambda: None)()
        loaded = self._loaded()
        for name, value in sorted((loaded if brought is None else brought).items()):
            yield Stage.WEIGHTS, name, value, 0.0

    def _loaded(self) -> Dict[str, np.ndarray]:
        """Load the initial weights and return what the port then has. A parameter of another shape
        is a difference and no accident: where it is why they cannot be loaded, it is shown as it
        is, and the others are loaded if the port lets them be.
        """
        initial = weights(self.tape)
        try:
            self.start()
        except Exception:
            odd = misshapen(self.port, initial)
            if not odd:
                raise
            # A port may raise what it likes; one that checks all of them first loads none.
            try:
                self.port.load_parameters(dict(initial, **odd))
            except Exception:  # noqa: BLE001  (see above)
                return odd
        return dict(self.port.parameters())

    def _forward(self) -> Iterator[Item]:
        source = self.start()
        before = self._values()
        if "forward" in self.can:
            for mode in self.config["forward"]["modes"]:
                training = mode == "training"
                batch = self.looked_at(source, training)
                for name, value in self.port.forward(batch, training).items():
                    yield Stage.FORWARD, f"{mode}/{name}", value, 0.0
        # Without row order: rows come from the evaluation inputs, which no variation re-orders.
        rows = self.config["batch"] + 1
        yield Stage.FORWARD, "generate", self.port.generate(source, rows), 0.0
        self._unchanged(before, "forward or generate")

    def contracted(self) -> Optional[List[str]]:
        """Return the activations, `<mode>/<name>`, that a product is upstream of; None if the port
        does not tell.
        """
        if "forward" not in self.can:
            return None
        contracted: List[str] = []
        source = self.start()
        for mode in self.config["forward"]["modes"]:
            training = mode == "training"
            try:
                names = self.port.contracted(self.looked_at(source, training), training)
            except Unsupported:
                return None
            if names is None:
                return None
            contracted += [f"{mode}/{name}" for name in names]
        return contracted

    def _loss(self) -> Iterator[Item]:
        if "losses" not in self.can:
            return
        source = self.start()
        before = self._values()
        for phase in self.config["phases"]:
            for name, value in self.port.losses(phase, source.batch(0, phase)).items():
                yield Stage.LOSS, f"{phase}/{name}", np.array(value), 0.0
        self._unchanged(before, "losses")

    def _gradients(self) -> Iterator[Item]:
        if "gradients" not in self.can:
            return
        source = self.start()
        before = self._values()
        for phase in self.config["phases"]:
            for name, value in self.port.gradients(phase, source.batch(0, phase)).items():
                yield Stage.GRADIENTS, f"{phase}/{name}", value, 0.0
        self._unchanged(before, "gradients")

    def _update(self) -> Iterator[Item]:
        """Run every phase twice. What a phase is declared to update is recorded, and whatever else
        has changed with it.
        """
        if "train_step" not in self.can:
            return
        source = self.start()
        before, slots_before = self._values(), self._slots()
        for step in range(self.update_steps):
            for update in self._updates():
                if self._begun_elsewhere():
                    before, slots_before = self._values(), self._slots()
                self._train_step(update["phase"], source.batch(step, update["phase"]))
                prefix = f"step {step + 1}/{update['phase']}/"
                after, slots = self._values(), self._slots()
                touched = _touched(after, before, set(update["parameters"]))
                yield from self._parameters(Stage.UPDATE, prefix, before, touched)
                for name, value in sorted(slots.items()):
                    own = name.startswith(update["optimizer"] + "/")
                    if own or not _same(value, slots_before.get(name)):
                        yield Stage.UPDATE, prefix + "slot/" + name, value, 0.0
                before, slots_before = after, slots

    def _updates(self) -> Sequence[Mapping[str, Any]]:
        updates: Sequence[Mapping[str, Any]] = self.config["updates"]
        return updates

    def _begun_elsewhere(self) -> bool:
        """Return whether the coming update begins with another state than the last one has left."""
        return False

    def _train_step(self, phase: str, batch: Batch) -> None:
        self.port.train_step(phase, batch)

    def _values(self) -> Dict[str, np.ndarray]:
        """Return the parameters as they are now: a port may hand over the very arrays that it goes
        on to change.
        """
        return self._kept(self.port.parameters())

    def _slots(self) -> Dict[str, np.ndarray]:
        if "optimizer_state" not in self.can:
            return {}
        return self._kept(self.port.optimizer_state())

    def _kept(self, values: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
        if self.port.copies:
            return values
        return {name: np.array(value) for name, value in values.items()}

    def _trajectory(self, steps: int) -> Iterator[Item]:
        """Train in one go, looking at the losses of every step and at the parameters after 1, 2, 4,
        ... and all steps: those that the phases so far update, running statistics, and whatever
        else has changed; at the averages of weights, and at the loss scales.
        """
        source = self.start()
        start, done = self._values(), 0
        owners = {update["phase"]: update["parameters"] for update in self.config["updates"]}
        moving = {item["name"] for item in self.config["parameters"] if not item["trainable"]}
        steps = 1 if self.brief else steps
        while done < steps:
            mark = min(max(1, 2 * done), steps)
            losses = self.port.train(source, mark - done)
            for index in range(mark - done):
                prefix = f"step {done + index + 1}/loss/"
                for name, values in losses.items():
                    if values[index] is not None:  # the schedule had no such phase at that step
                        yield Stage.TRAJECTORY, f"{prefix}{name}", np.array(values[index]), 0.0
            for step in range(done, mark):
                for phase in phases_at(self.config, step):
                    moving.update(owners[phase])
            done = mark
            touched = _touched(self._values(), start, moving)
            yield from self._parameters(Stage.TRAJECTORY, f"step {done}/", start, touched)
            for name, value in (*self._loss_scales(), *self._averages()):
                yield Stage.TRAJECTORY, f"step {done}/slot/{name}", value, 0.0
        if not self.brief:
            product = self.port.generate(source, self.config["batch"] + 1)
            yield Stage.TRAJECTORY, f"step {steps}/generate", product, 0.0

    def _averages(self) -> List[Tuple[str, np.ndarray]]:
        """Return the averages of weights that optimizers keep: they are what is used in the end."""
        return sorted(item for item in self._slots().items() if item[0].endswith("/" + AVERAGE))

    def _loss_scales(self) -> List[Tuple[str, np.ndarray]]:
        """Return every optimizer's dynamic loss scale and how many updates it has skipped: two runs
        that part there have updated different weights, however alike those still look.
        """
        if not PRECISION_TABLE[self.port.setting.precision]["loss_scale_growth"]:
            return []
        return sorted(
            (name, value)
            for name, value in self._slots().items()
            if name.endswith(("/loss_scale", "/skipped"))
        )

    def _parameters(self, stage: Stage, prefix: str, before: Any, after: Any) -> Iterator[Item]:
        """Yield parameters on the scale of what has changed: an update is small beside the weight
        that it changes.
        """
        for name in sorted(after):
            change = apart(after[name], before[name])
            yield stage, prefix + "parameter/" + name, after[name], change

    def _unchanged(self, before: Any, what: str) -> None:
        """Raise if looking at the port has changed it."""
        for name, value in self.port.parameters().items():
            if not np.array_equal(value, before[name]) and not np.any(np.isnan(value)):
                raise RuntimeError(
                    f"{what} of this port changed {name}; it must leave the state alone"
                )


class NativeRun(Run):
    """The same pass on the framework's own batches and noise."""

    def __init__(self, *arguments: Any, seed: int) -> None:
        Run.__init__(self, *arguments)
        self.seed = seed

    def source(self) -> Any:
        """Return a fresh source at step 0."""
        return NativeSource(self.data, self.seed, self.config["batch"])


def _touched(
    after: Mapping[str, np.ndarray], before: Mapping[str, np.ndarray], own: Set[str]
) -> Dict[str, np.ndarray]:
    """Return the parameters that are to be updated, and whatever else has changed."""
    return {
        name: value
        for name, value in after.items()
        if name in own or not _same(value, before[name])
    }


def _same(value: np.ndarray, before: Any) -> bool:
    return before is not None and np.array_equal(value, before)


def apart(value: np.ndarray, base: np.ndarray) -> float:
    """Return max |value - base|, exact for whole numbers of any size, the modulus for complex ones;
    0 for empty tensors.

    Infinity where a variation gave another shape.
    """
    value, base = np.asarray(value), np.asarray(base)
    if value.shape != base.shape:
        return float("inf")
    if value.size == 0:
        return 0.0
    if value.dtype.kind in "iub" and base.dtype.kind in "iub":
        larger, smaller = np.maximum(value, base), np.minimum(value, base)
        # Modulo 2^64: right for signed ones too.
        return float(np.max(larger.astype(np.uint64) - smaller.astype(np.uint64)))
    wide = np.complex128 if "c" in (value.dtype.kind, base.dtype.kind) else np.float64
    return largest(np.asarray(value.astype(wide, copy=False) - base.astype(wide, copy=False)))


def largest(value: np.ndarray) -> float:
    """Return max |value|, 0 for an empty array; NaN if it holds one."""
    if value.dtype.kind != "f" or not value.size:
        return float(np.max(np.abs(value))) if value.size else 0.0
    # No copy of a large tensor is made for its sizes.
    return abs(float(np.maximum(np.max(value), -np.min(value))))
