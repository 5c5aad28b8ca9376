"""How a torch port trains: its loss terms, gradients and updates, and whole runs of both."""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Set, Tuple

import numpy as np
import torch

from backends import loss_scale, schedule
from backends.source import Batch
from backends.torch import native, undeclared_state
from backends.torch.normalization import BatchNorm
from backends.torch.optimizers import Updater
from backends.torch.state import StoredPort, Tensors, dtype_label


class TrainedPort(StoredPort):
    """The part of a port that trains; `TorchPort` sets the attributes and calls
    `_build_updaters`."""

    noise: native.Noise
    #: The weights that require a gradient, by canonical name.
    trainable: Tensors
    #: The `id` of each leaf that a loss has been differentiated by.
    reached: Set[int]
    #: `loss_terms`, compiled where the execution asks for it.
    _terms: Callable[..., Tensors]

    def _build_updaters(self, precision: Mapping[str, Any]) -> None:
        """Build an updater for each optimizer, over the union of what its phases update."""
        owned: Dict[str, List[str]] = {name: [] for name in self.config["optimizers"]}
        for update in self.config["updates"]:
            names = owned[update["optimizer"]]
            names += [name for name in update["parameters"] if name not in names]
        self.updaters = {}
        for name, spec in self.config["optimizers"].items():
            parameters = {key: self.trainable[key] for key in owned[name]}
            self.updaters[name] = Updater(spec, parameters, precision)
        self.optimizers = {name: updater.optimizer for name, updater in self.updaters.items()}
        self.updates = {
            item["phase"]: (self.updaters[item["optimizer"]], item["parameters"])
            for item in self.config["updates"]
        }

    @contextlib.contextmanager
    def mode(self, training: bool, tracking: bool) -> Iterator[None]:
        """Set training or inference mode, and whether running statistics move."""
        self.model.train(training)
        for module in self.model.modules():
            if isinstance(module, BatchNorm):
                module.tracking = tracking
        yield

    def _on_device(self, phase: str, batch: Batch) -> Tuple[Tensors, Tensors]:
        """Return a batch and its noise as tensors; noise that the batch lacks is drawn from seed
        0."""
        if batch.noise is None:
            noise = self.noise.draw(phase, 0, native.STEP, self.single_steps)
        else:
            noise = self.noise_tensors(batch.noise)
        return self.tensors(batch.arrays), noise

    def losses(self, phase: str, batch: Batch) -> Dict[str, float]:
        with self.undeclared.undisturbed(), self.mode(True, tracking=False), torch.no_grad():
            terms = self._terms(phase, *self._on_device(phase, batch))
        return {name: value.item() for name, value in terms.items()}

    def gradients(self, phase: str, batch: Batch) -> Dict[str, np.ndarray]:
        updater, names = self.updates[phase]
        arrays, noise = self._on_device(phase, batch)
        weights = [self.trainable[name] for name in names]

        def scaled(scale: Optional[float]) -> Dict[str, np.ndarray]:
            factor = 1.0 if scale is None else scale
            # Differentiated before the state is put back, which autograd would take for a change of
            # what it needs.
            with self.undeclared.undisturbed(), self.mode(True, tracking=False):
                total = self._terms(phase, arrays, noise)["total"]
                self.reached.update(undeclared_state.leaves(total))
                gradients = torch.autograd.grad(total * factor, weights, allow_unused=True)
            return {
                name: self._canonical(name, value / factor)
                for name, value in zip(names, gradients)
                if value is not None
            }

        return loss_scale.settle(self, phase, updater.loss_scale, scaled)

    def _update(self, phase: str, arrays: Tensors, noise: Tensors) -> Tensors:
        return self.update(phase, arrays, noise)

    def update(self, phase: str, arrays: Tensors, noise: Tensors) -> Tensors:
        """Run one update and return the loss terms before it; the caller has set the mode.

        A port whose own training step is to be judged defines this: it gets a batch and noise as
        tensors on the device, moves `self.model`'s parameters, and shows its optimizer's slots in
        `optimizer_state`, or leaves them out (`docs/ports.md`).
        """
        updater, names = self.updates[phase]
        terms = self._terms(phase, arrays, noise)
        updater.minimise(terms["total"], [self.trainable[name] for name in names])
        if "loss" not in self.observed_dtypes:
            self.observed_dtypes["loss"] = dtype_label(terms["total"])
        return {name: value.detach() for name, value in terms.items()}

    def train_step(self, phase: str, batch: Batch) -> Dict[str, float]:
        with self.mode(True, tracking=True):
            terms = self._update(phase, *self._on_device(phase, batch))
        self.single_steps += batch.noise is None
        return {name: value.item() for name, value in terms.items()}

    def train(self, source: Any, steps: int) -> Dict[str, List[Any]]:
        history: List[List[Tuple[str, Tensors]]] = []
        with self.mode(True, tracking=True):
            for _ in range(steps):
                history.append(self._train_once(source))
                source.cursor += 1
                self.steps_trained += 1
        return schedule.columns(self.config, _read(history))

    def _train_once(self, source: Any) -> List[Tuple[str, Tensors]]:
        """Run the phases of the source's step."""
        step, phases = source.cursor, schedule.phases_at(self.config, source.cursor)
        if source.lockstep:
            batches = [source.batch(step, phase) for phase in phases]
            return [
                (phase, self._update(phase, *self._on_device(phase, batch)))
                for phase, batch in zip(phases, batches)
            ]
        arrays = source.stream("torch", self._rows).batch(step)
        terms = []
        for phase in phases:
            noise = self.noise.draw(phase, source.seed, native.STEP, step)
            terms.append((phase, self._update(phase, arrays, noise)))
        return terms

    def _rows(self, source: Any) -> native.Rows:
        torch.manual_seed(source.seed)  # for a port that draws on its own what it does not declare
        return native.Rows(
            self.tensors(source.training_rows()), self.noise, source.seed, source.batch_size
        )


def _read(history: List[List[Tuple[str, Tensors]]]) -> List[List[Tuple[str, Dict[str, float]]]]:
    """Return the terms of every step as numbers: one transfer, which also waits for the device."""
    tensors = [value for step in history for _, terms in step for value in terms.values()]
    values = iter(torch.stack(tensors).tolist() if tensors else ())
    steps = []
    for step in history:
        numbers = []
        for phase, terms in step:
            numbers.append((phase, {name: next(values) for name in terms}))
        steps.append(numbers)
    return steps
