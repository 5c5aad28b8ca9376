"""`meta_brink` on torch."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import TorchPort


class Port(TorchPort):
    """Edges, mixed rows, a fast wave."""

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
        seen["floored"] = torch.floor(arrays["x"])
        seen["hidden"] = torch.tanh(0.25 * seen["floored"] @ self.model["kernel"])
        seen["mixed"] = 0.75 * seen["hidden"] + 0.25 * seen["hidden"].roll(1, 0)
        seen["wave"] = torch.sin(32.0 * seen["mixed"])
        seen["output"] = seen["wave"] @ self.model["out"]
        return seen["output"]

    def terms(self, output, arrays):
        """Return the squared error."""
        return {"total": functional.mse_loss(output, arrays["y"])}
