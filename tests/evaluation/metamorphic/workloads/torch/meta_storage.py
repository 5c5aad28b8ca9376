"""`meta_storage` on torch."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import TorchPort


class Port(TorchPort):
    """Values that are used twice."""

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
        seen, x = {} if record is None else record, arrays["x"]
        seen["half"] = 0.5 * x
        seen["hidden"] = seen["half"] @ self.model["kernel"]
        below = seen["hidden"].sum(1, keepdim=True)
        seen["rectified"] = torch.relu(seen["hidden"])
        seen["doubled"] = torch.cat([2.0 * seen["rectified"][:, :2], seen["rectified"][:, 2:]], 1)
        rest = x.sum(1, keepdim=True) + below
        seen["output"] = seen["doubled"] @ self.model["out"] + rest
        return seen["output"]

    def terms(self, output, arrays):
        """Return the squared error."""
        return {"total": functional.mse_loss(output, arrays["y"])}
