"""`wine` on torch."""

from typing import ClassVar

from torch import nn
from torch.nn import functional

from backends.torch.core import DENSE, TorchPort


class Port(TorchPort):
    """Softmax regression."""

    LAYOUT: ClassVar = {"kernel": ("weight", DENSE), "bias": ("bias", None)}

    def build(self):
        """Return the layer."""
        return nn.Linear(self.config["features"], self.config["classes"])

    def output(self, arrays, noise, record):
        """Return the logits."""
        logits = self.model(arrays["x"])
        if record is not None:
            record["logits"] = logits
        return logits

    def terms(self, output, arrays):
        """Return the cross-entropy."""
        return {"total": functional.cross_entropy(output, arrays["y"])}
