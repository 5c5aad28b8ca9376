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
        total = self.model(arrays["x"])
        prediction = total.to(self.dtype) * self.config["share"]
        if record is not None:
            record.update(sum=total, prediction=prediction)
        return prediction

    def terms(self, output, arrays):
        """Return the squared error."""
        return {"total": functional.mse_loss(output, arrays["y"])}
