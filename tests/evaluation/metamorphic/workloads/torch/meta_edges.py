"""`meta_edges` on torch."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import TorchPort


class Port(TorchPort):
    """Everything that jumps."""

    LAYOUT: ClassVar = {"table": ("table", None), "mix": ("mix", None)}

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
        seen, x = {} if record is None else record, arrays["x"]
        seen["rounded"] = torch.round(x)
        seen["floored"] = torch.floor(x)
        seen["whole"] = x.long().to(self.dtype)
        seen["flag"] = x > 0.0
        seen["positive"] = seen["flag"].to(self.dtype)
        seen["above"] = (x >= 1.0).to(self.dtype)
        seen["level"] = torch.round(x * 1.0) + torch.round(x * 3.0) / 3.0
        cell = seen["floored"][:, :1].long()
        seen["one_hot"] = (cell == torch.arange(4)).to(self.dtype)
        edges = torch.tensor([-2.0, -1.0, 1.0, 2.0], dtype=self.dtype)
        seen["bucket"] = torch.bucketize(x[:, 1].contiguous(), edges, right=True)
        seen["row"] = self.model["table"][seen["bucket"]]
        parts = [
            seen[name]
            for name in (
                "rounded",
                "floored",
                "whole",
                "positive",
                "above",
                "level",
                "one_hot",
                "row",
            )
        ]
        seen["output"] = torch.cat(parts, 1) @ self.model["mix"]
        return seen["output"]

    def terms(self, output, arrays):
        """Return the squared error."""
        return {"total": functional.mse_loss(output, arrays["y"])}
