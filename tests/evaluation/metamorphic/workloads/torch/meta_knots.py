"""`meta_knots` on torch."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import TorchPort


class Port(TorchPort):
    """Ties in mixed rows."""

    LAYOUT: ClassVar = {name: (name, None) for name in ("gain", "place", "mix")}

    def build(self):
        """Return the weights."""
        return nn.ParameterDict(
            {
                item["name"]: nn.Parameter(torch.zeros(item["shape"]))
                for item in self.config["parameters"]
            }
        )

    def output(self, arrays, noise, record):
        """Return the output; every feature is recorded."""
        seen, w = {} if record is None else record, self.model
        value = arrays["x"] * w["gain"] + w["place"]
        seen["value"] = 0.5 * value + 0.5 * value.roll(1, 0)
        seen["lowest"] = torch.amin(seen["value"], 1, keepdim=True)
        seen["rectified"] = torch.relu(seen["value"])
        seen["clipped"] = torch.clamp(seen["value"], -1.0, 1.0)
        parts = [seen[name] for name in ("lowest", "rectified", "clipped")]
        seen["output"] = torch.cat(parts, 1) @ w["mix"]
        return seen["output"]

    def terms(self, output, arrays):
        """Return the squared error."""
        return {"total": functional.mse_loss(output, arrays["y"])}
