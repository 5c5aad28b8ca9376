"""`meta_casts` on torch."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import TorchPort


class Port(TorchPort):
    """No cast."""

    LAYOUT: ClassVar = {"kernel": ("kernel", None), "out": ("out", None)}

    def build(self):
        """Return the weights."""
        return nn.ParameterDict(
            {
                item["name"]: nn.Parameter(torch.zeros(item["shape"]))
                for item in self.config["parameters"]
            }
        )

    def output(self, arrays, noise, record):
        """Return the output."""
        seen = {} if record is None else record
        seen["hidden"] = torch.tanh(arrays["x"] @ self.model["kernel"])
        seen["output"] = seen["hidden"] @ self.model["out"]
        return seen["output"]

    def terms(self, output, arrays):
        """Return the squared error."""
        return {"total": functional.mse_loss(output, arrays["y"])}
