"""`meta_ids` on torch."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import TorchPort


class Port(TorchPort):
    """Tables of hashed keys."""

    LAYOUT: ClassVar = {name: (name, None) for name in ("buckets", "groups", "out")}

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
        seen, key, w = {} if record is None else record, arrays["key"], self.model
        seen["mixed"] = key * 3 + 1
        seen["bucket"] = torch.remainder(seen["mixed"], 7)
        seen["group"] = torch.remainder(torch.div(key, 10, rounding_mode="floor"), 5)
        seen["share"] = torch.remainder(key, 300).to(self.dtype)[:, None] / 300.0
        rows = [w["buckets"][seen["bucket"]], w["groups"][seen["group"]], seen["share"]]
        seen["output"] = torch.cat(rows, 1) @ w["out"]
        return seen["output"]

    def terms(self, output, arrays):
        """Return the squared error."""
        return {"total": functional.mse_loss(output, arrays["y"])}
