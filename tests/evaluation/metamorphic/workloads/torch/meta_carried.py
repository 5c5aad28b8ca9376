"""`meta_carried` on torch."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import TorchPort


class Port(TorchPort):
    """A state from batch to batch."""

    LAYOUT: ClassVar = {name: (name, None) for name in ("kernel", "recurrent", "out", "state")}

    def build(self):
        """Return the weights."""
        self.moves = False
        return nn.ParameterDict(
            {
                item["name"]: nn.Parameter(torch.zeros(item["shape"]), item["trainable"])
                for item in self.config["parameters"]
            }
        )

    def mode(self, training, tracking):
        """Set whether the state moves, too."""
        self.moves = tracking
        return TorchPort.mode(self, training, tracking)

    def output(self, arrays, noise, record):
        """Return the output."""
        seen, x, w = {} if record is None else record, arrays["x"], self.model
        state = w["state"].clone() if self.model.training else x.new_zeros(len(x), 4)
        for hour in range(3):
            state = torch.tanh(x[:, hour] @ w["kernel"] + state @ w["recurrent"])
        seen["hidden"] = state
        if self.model.training and self.moves:
            with torch.no_grad():
                w["state"].copy_(seen["hidden"])
        seen["output"] = seen["hidden"] @ w["out"]
        return seen["output"]

    def terms(self, output, arrays):
        """Return the squared error."""
        return {"total": functional.mse_loss(output, arrays["y"])}
