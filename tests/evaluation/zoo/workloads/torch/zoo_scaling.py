"""`zoo_scaling` on torch: scaling, clipping and schedule by hand, as mixed-precision optimizers
of torch's ecosystem have them."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional
from torch.optim.lr_scheduler import MultiStepLR

from backends.torch.core import DENSE, TorchPort
from backends.torch.optimizers import LossScale, Updater


class Scaled(Updater):
    """SGD with a schedule, clipping and a dynamic loss scale."""

    def __init__(self, parameters, config, device):
        self.parameters, self.config = dict(parameters), config
        self.scale = LossScale(device, config["loss_scale"], config["growth"])
        self.reset()

    def reset(self):
        """Return to the state before the first update."""
        config = self.config
        self.optimizer = torch.optim.SGD(self.parameters.values(), lr=config["rate"])
        self.scheduler = MultiStepLR(
            self.optimizer, milestones=[config["updates_at_first"]], gamma=config["factor"]
        )
        self.attempts = 0
        self.scale.reset()

    def slots(self):
        """Return that there are none."""
        return {name: {} for name in self.parameters}

    def clip(self, gradients):
        """Clip by the global norm."""
        limit = self.config["clip_norm"]
        norm = torch.stack([item.norm() for item in gradients]).norm()
        for item in gradients:
            item.mul_(limit / norm.clamp(min=limit))

    def minimise(self, total, parameters):
        """Run one update."""
        (total * self.scale.scale).backward(inputs=parameters)
        gradients = [item.grad for item in parameters]
        overflow = any(not item.isfinite().all() for item in gradients)
        for item in gradients:
            item.div_(self.scale.scale)
        self.clip(gradients)
        if not overflow:
            self.optimizer.step()
            self.scheduler.step()
        self.scale.settle(torch.tensor(float(overflow)))
        self.attempts += 1
        for item in parameters:
            item.grad = None


class Port(TorchPort):
    """A regressor."""

    LAYOUT: ClassVar = {
        "hidden/kernel": ("hidden.weight", DENSE),
        "hidden/bias": ("hidden.bias", None),
        "output/kernel": ("output.weight", DENSE),
        "output/bias": ("output.bias", None),
    }

    def build(self):
        """Return both layers."""
        return nn.ModuleDict(
            {
                "hidden": nn.Linear(self.config["features"], self.config["units"]),
                "output": nn.Linear(self.config["units"], 1),
            }
        )

    def _build_updaters(self, precision):
        """Build the updater."""
        names = self.config["updates"][0]["parameters"]
        self.updaters = {
            "sgd": Scaled({name: self.trainable[name] for name in names}, self.config, self.device)
        }
        self.updates = {"train": (self.updaters["sgd"], names)}

    def output(self, arrays, noise, record):
        """Return the prediction."""
        found = {} if record is None else record
        found["hidden"] = functional.relu(self.model["hidden"](arrays["x"]))
        found["prediction"] = self.model["output"](found["hidden"]).to(self.dtype)
        return found["prediction"]

    def terms(self, output, arrays):
        """Return the squared error."""
        return {"total": functional.mse_loss(output, arrays["y"])}
