"""`zoo_wide` on torch."""

from typing import ClassVar

from torch import nn
from torch.nn import functional

from backends.torch.core import DENSE, TorchPort


class Port(TorchPort):
    """A sum of many small terms and a large one."""

    LAYOUT: ClassVar = {"sum/kernel": ("weight", DENSE), "sum/bias": ("bias", None)}

    def build(self):
        """Return the layer that sums."""
        return nn.Linear(self.config["features"], 1)

    def output(self, arrays, noise, record):
        """Return the predictions."""
        found = {} if record is None else record
        total = self.model(arrays["x"])
        found["sum"] = total
        found["prediction"] = found["sum"].to(self.dtype) * self.config["share"]
        return found["prediction"]

    def terms(self, output, arrays):
        """Return the squared error."""
        return {"total": functional.mse_loss(output, arrays["y"])}
