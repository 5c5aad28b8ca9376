"""`centred` on torch."""

from typing import ClassVar

from torch import nn
from torch.nn import functional

from backends.torch.core import DENSE, TorchPort


class Port(TorchPort):
    """A bias directly before batch normalisation."""

    LAYOUT: ClassVar = {
        "dense/kernel": ("dense.weight", DENSE),
        "dense/bias": ("dense.bias", None),
        "head/kernel": ("head.weight", DENSE),
    }

    def build(self):
        """Return both layers."""
        units = self.config["units"]
        return nn.ModuleDict(
            {
                "dense": nn.Linear(self.config["features"], units),
                "head": nn.Linear(units, 1, bias=False),
            }
        )

    def normalise(self, hidden):
        """Return the hidden values, normalised over the batch."""
        return functional.batch_norm(
            hidden, None, None, training=True, momentum=0.0, eps=self.config["epsilon"]
        )

    def output(self, arrays, noise, record):
        """Return the predictions."""
        prediction = self.model["head"](self.normalise(self.model["dense"](arrays["x"])))
        if record is not None:
            record["prediction"] = prediction
        return prediction

    def terms(self, output, arrays):
        """Return the squared error."""
        return {"total": functional.mse_loss(output, arrays["y"])}
