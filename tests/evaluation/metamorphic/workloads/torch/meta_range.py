"""`meta_range` on torch."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import TorchPort


class Port(TorchPort):
    """A running range."""

    LAYOUT: ClassVar = {name: (name, None) for name in ("kernel", "out", "range")}

    def build(self):
        """Return the weights."""
        self.moves, self.own = False, torch.ones(1, dtype=self.dtype)
        return nn.ParameterDict(
            {
                item["name"]: nn.Parameter(torch.zeros(item["shape"]), item["trainable"])
                for item in self.config["parameters"]
            }
        )

    def mode(self, training, tracking):
        """Set whether the range moves, too."""
        self.moves = tracking
        return TorchPort.mode(self, training, tracking)

    def output(self, arrays, noise, record):
        """Return the output."""
        seen, w = {} if record is None else record, self.model
        seen["hidden"] = arrays["x"] @ w["kernel"]
        wide = w["range"].clone()
        if self.model.training:
            with torch.no_grad():
                wide = torch.maximum(0.9375 * wide, seen["hidden"].abs().amax())
                if self.moves:
                    w["range"].copy_(wide)
        seen["scaled"] = seen["hidden"] / wide
        seen["output"] = seen["scaled"] @ w["out"]
        return seen["output"]

    def terms(self, output, arrays):
        """Return the squared error."""
        return {"total": functional.mse_loss(output, arrays["y"])}
