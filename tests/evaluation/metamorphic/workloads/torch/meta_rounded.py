"""`meta_rounded` on torch."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import TorchPort


class Port(TorchPort):
    """Casts at the same places."""

    LAYOUT: ClassVar = {"kernel": ("kernel", None), "out": ("out", None)}

    def build(self):
        """Return the weights."""
        return nn.ParameterDict(
            {
                item["name"]: nn.Parameter(torch.zeros(item["shape"]))
                for item in self.config["parameters"]
            }
        )

    def single(self, value):
        """Return a value rounded to float32."""
        return value.float().to(self.dtype)

    def output(self, arrays, noise, record):
        """Return the output."""
        seen = {} if record is None else record
        seen["input"] = self.single(arrays["x"])
        hidden = torch.tanh(seen["input"] @ self.model["kernel"])
        seen["hidden"] = self.single(hidden)
        seen["level"] = (
            seen["hidden"] + (torch.round(seen["hidden"] * 64.0) / 64.0 - seen["hidden"]).detach()
        )
        seen["output"] = seen["level"] @ self.model["out"]
        return seen["output"]

    def terms(self, output, arrays):
        """Return the squared error."""
        return {"total": self.single(functional.mse_loss(output, arrays["y"]))}
