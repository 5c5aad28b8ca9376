"""`meta_norm` on torch."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import TorchPort


class Port(TorchPort):
    """Statistics of the batch."""

    LAYOUT: ClassVar = {name: (name, None) for name in ("kernel", "out", "offset")}

    def build(self):
        """Return the weights."""
        return nn.ParameterDict(
            {
                item["name"]: nn.Parameter(torch.zeros(item["shape"]))
                for item in self.config["parameters"]
            }
        )

    def standard(self, hidden):
        """Return the rows with mean 0 and variance 1."""
        variance, mean = torch.var_mean(hidden, 0, correction=0)
        return (hidden - mean) / torch.sqrt(variance + 2.0**-10)

    def output(self, arrays, noise, record):
        """Return what each row is beside the others."""
        seen = {} if record is None else record
        seen["hidden"] = arrays["x"] @ self.model["kernel"] + self.model["offset"]
        seen["standard"] = self.standard(seen["hidden"])
        seen["below"] = seen["hidden"] - seen["hidden"].amax(0)
        seen["output"] = (seen["standard"] + seen["below"]) @ self.model["out"]
        return seen["output"]

    def terms(self, output, arrays):
        """Return the squared error."""
        return {"total": functional.mse_loss(output, arrays["y"])}
