"""`zoo_schedule` on torch: torch's SGD and schedulers, made to do what Keras' do."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional
from torch.optim.lr_scheduler import MultiStepLR, ReduceLROnPlateau

from backends.torch.core import DENSE, TorchPort
from backends.torch.optimizers import Updater


class Scheduled(Updater):
    """SGD with a scheduler; a subclass builds both."""

    def __init__(self, parameters, config):
        self.parameters, self.config, self.scale = dict(parameters), config, None
        self.reset()

    def build(self):
        """Return the optimizer and its scheduler."""
        raise NotImplementedError

    def schedule(self, total):
        """Let the scheduler know of an update and its loss."""
        raise NotImplementedError

    def reset(self):
        """Return to the state before the first update."""
        (self.optimizer, self.scheduler), self.attempts = self.build(), 0

    def minimise(self, total, parameters):
        """Run one update."""
        total.backward(inputs=parameters)
        self.optimizer.step()
        self.schedule(total.detach())
        self.attempts += 1
        for item in parameters:
            item.grad = None

    def slots(self):
        """Return that there are none."""
        return {name: {} for name in self.parameters}


class Stepped(Scheduled):
    """SGD with momentum, whose rate changes at a step."""

    def build(self):
        """Return the optimizer and its scheduler."""
        config = self.config
        optimizer = torch.optim.SGD(
            self.parameters.values(), lr=config["rate"], momentum=config["momentum"]
        )
        return optimizer, MultiStepLR(
            optimizer, milestones=[config["updates_at_first"]], gamma=config["factor"]
        )

    def rate(self):
        """Return the rate of the next update."""
        return self.optimizer.param_groups[0]["lr"]

    def schedule(self, total):
        """Move the rate on; Keras' velocity keeps the rates of its time, so torch's momentum,
        which has none, is rescaled."""
        before = self.rate()
        self.scheduler.step()
        for state in self.optimizer.state.values():
            state["momentum_buffer"].mul_(before / self.rate())

    def slots(self):
        """Return Keras' velocities."""
        return {
            name: {
                "velocity": (
                    -self.rate()
                    * self.optimizer.state.get(p, {}).get("momentum_buffer", torch.zeros_like(p))
                )
            }
            for name, p in self.parameters.items()
        }


class Plateau(Scheduled):
    """SGD whose rate changes where the loss has stopped falling."""

    def build(self):
        """Return the optimizer and its scheduler; torch waits one epoch longer than Keras for
        the same patience."""
        config = self.config
        optimizer = torch.optim.SGD(self.parameters.values(), lr=config["rate"])
        return optimizer, ReduceLROnPlateau(
            optimizer,
            factor=config["factor"],
            patience=config["patience"] - 1,
            threshold=config["min_delta"],
            threshold_mode="abs",
        )

    def schedule(self, total):
        """Let the scheduler know the loss."""
        self.scheduler.step(total)


class Port(TorchPort):
    """Two regressors."""

    LAYOUT: ClassVar = {
        "stepped/kernel": ("stepped.weight", DENSE),
        "stepped/bias": ("stepped.bias", None),
        "plateau/kernel": ("plateau.weight", DENSE),
        "plateau/bias": ("plateau.bias", None),
    }

    def build(self):
        """Return a layer for each phase."""
        return nn.ModuleDict(
            {phase: nn.Linear(self.config["features"], 1) for phase in self.config["phases"]}
        )

    def _build_updaters(self, precision):
        """Build the updater of each phase."""
        names = {item["phase"]: item["parameters"] for item in self.config["updates"]}
        self.updaters = {}
        for phase, kind in (("stepped", Stepped), ("plateau", Plateau)):
            owned = {name: self.trainable[name] for name in names[phase]}
            self.updaters[phase] = kind(owned, self.config)
        self.updates = {phase: (updater, names[phase]) for phase, updater in self.updaters.items()}

    def prediction(self, phase, arrays):
        """Return what one regressor predicts [batch, 1]."""
        with self.precision():
            return self.model[phase](arrays["x"]).to(self.dtype)

    def activations(self, arrays, noise):
        """Return both predictions and their sum."""
        found = self.new_record()
        found.update({phase: self.prediction(phase, arrays) for phase in self.config["phases"]})
        found["sum"] = sum(found.values())
        return found

    def _products(self, arrays, noise):
        return self.activations(arrays, noise)["sum"]

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        return {"total": functional.mse_loss(self.prediction(phase, arrays), arrays["y"])}
