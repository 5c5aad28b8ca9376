"""`zoo_averages` on torch: `AveragedModel` with the decay of TF1, whose warm-up is in float32."""

import math
from typing import ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from backends.source import Batch
from backends.torch.core import DENSE, TorchPort
from backends.torch.normalization import BatchNorm


class Port(TorchPort):
    """A regressor with averaged weights."""

    LAYOUT: ClassVar = {
        "hidden/kernel": ("hidden.weight", DENSE),
        "hidden/bias": ("hidden.bias", None),
        "batch_norm/gamma": ("batch_norm.gamma", None),
        "batch_norm/beta": ("batch_norm.beta", None),
        "batch_norm/moving_mean": ("batch_norm.moving_mean", None),
        "batch_norm/moving_variance": ("batch_norm.moving_variance", None),
        "output/kernel": ("output.weight", DENSE),
        "output/bias": ("output.bias", None),
    }

    def __init__(self, config, setting):
        super().__init__(config, setting)
        self.average = AveragedModel(
            self.model, multi_avg_fn=self.move
        )  # statistics are copied, not averaged
        self.average.eval()

    def build(self):
        """Return the layers."""
        units = self.config["units"]
        return nn.ModuleDict(
            {
                "hidden": nn.Linear(self.config["features"], units),
                "batch_norm": BatchNorm(units, **self.config["batch_norm"]),
                "output": nn.Linear(units, 1),
            }
        )

    def move(self, averaged, current, updates):
        """Move the averages towards the weights."""
        updates = np.float32(updates)
        decay = min(
            np.float32(self.config["decay"]), (np.float32(1) + updates) / (np.float32(10) + updates)
        )
        torch._foreach_lerp_(averaged, current, float(np.float32(1) - decay))

    def layers(self, model, arrays):
        """Return all three layers of a model."""
        with self.precision():
            hidden = torch.tanh(model["hidden"](arrays["x"])).to(self.dtype)
            normal = model["batch_norm"](hidden)
            return {
                "hidden": hidden,
                "batch_norm": normal,
                "prediction": model["output"](normal).to(self.dtype),
            }

    def activations(self, arrays, noise):
        """Return all three layers."""
        return self.layers(self.model, arrays)

    def evaluation(self):
        """Return the mean squared error over the rows held out, a batch at a time."""
        x, y = (
            torch.tensor(self.config["held_out"][name], dtype=self.dtype) for name in ("x", "y")
        )
        batches = list(
            zip(x.split(self.config["batch"]), y.split(self.config["batch"]), strict=True)
        )
        training, total = self.model.training, 0.0
        self.model.eval()
        for rows, wanted in batches:
            total += functional.mse_loss(
                self.layers(self.model, {"x": rows})["prediction"], wanted
            ) * len(wanted)
        self.model.train(training)
        return total.detach() / len(y)

    def loss_terms(self, phase, arrays, noise):
        """Return the loss of the rows held out, and of the batch."""
        evaluation = self.evaluation()
        output = self.layers(self.model, arrays)["prediction"]
        return {"evaluation": evaluation, "total": functional.mse_loss(output, arrays["y"])}

    def load_parameters(self, values):
        """Set the weights, and the averages to them."""
        super().load_parameters(values)
        self.average.module.load_state_dict(self.model.state_dict())
        self.average.n_averaged.fill_(
            1
        )  # at 0 the first update would copy the weights, not average them

    def _update(self, phase, arrays, noise):
        found = super()._update(phase, arrays, noise)
        self.average.update_parameters(self.model)
        return found

    def _train_once(self, source):
        batch, size = source.batch(source.cursor, "train"), self.config["batch"]
        place = source.cursor % math.ceil(self.config["epoch_rows"] / size)
        left = min(size, self.config["epoch_rows"] - place * size)
        kept = np.sort(np.argsort(batch.arrays["row"])[:left])
        batch = Batch({name: value[kept] for name, value in batch.arrays.items()}, batch.noise)
        return [("train", self._update("train", *self._on_device("train", batch)))]

    def _products(self, arrays, noise):
        return self.layers(self.average.module, arrays)["prediction"]
