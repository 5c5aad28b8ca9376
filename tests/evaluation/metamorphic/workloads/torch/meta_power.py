"""`meta_power` on torch."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import TorchPort


class Port(TorchPort):
    """Spectral normalisation."""

    LAYOUT: ClassVar = {"kernel": ("kernel", None), "out": ("out", None)}

    def build(self):
        """Return the weights; the vector is not among them."""
        self.u = torch.full((4,), 0.5, dtype=self.dtype)
        return nn.ParameterDict(
            {
                item["name"]: nn.Parameter(torch.zeros(item["shape"]))
                for item in self.config["parameters"]
            }
        )

    def output(self, arrays, noise, record):
        """Return the output."""
        seen, kernel = {} if record is None else record, self.model["kernel"]
        with torch.no_grad():
            v = functional.normalize(kernel @ self.u, dim=0)
            if self.model.training:
                self.u = functional.normalize(kernel.t() @ v, dim=0)
        largest = v @ kernel @ self.u
        seen["hidden"] = torch.tanh(arrays["x"] @ (kernel / largest))
        seen["output"] = seen["hidden"] @ self.model["out"]
        return seen["output"]

    def terms(self, output, arrays):
        """Return the squared error."""
        return {"total": functional.mse_loss(output, arrays["y"])}
