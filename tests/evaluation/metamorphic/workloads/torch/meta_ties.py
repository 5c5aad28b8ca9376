"""`meta_ties` on torch."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import TorchPort


class Port(TorchPort):
    """Kinks and ties."""

    LAYOUT: ClassVar = {name: (name, None) for name in ("gain", "place", "table", "mix")}

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
        seen["value"] = arrays["x"] * w["gain"] + w["place"]
        seen["lowest"] = torch.amin(seen["value"], 1, keepdim=True)
        seen["size"] = torch.abs(seen["value"])
        seen["rectified"] = torch.relu(seen["value"])
        seen["clipped"] = torch.clamp(seen["value"], -1.0, 1.0)
        seen["ordered"] = torch.sort(seen["value"], dim=1, stable=True).values
        seen["largest"] = torch.argmax(seen["value"], 1)
        seen["chosen"] = w["table"][seen["largest"]]
        parts = [
            seen[name] for name in ("lowest", "size", "rectified", "clipped", "ordered", "chosen")
        ]
        seen["output"] = torch.cat(parts, 1) @ w["mix"]
        return seen["output"]

    def terms(self, output, arrays):
        """Return the squared error."""
        return {"total": functional.mse_loss(output, arrays["y"])}
