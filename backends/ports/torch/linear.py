"""`linear` on torch; see `harness/workloads/linear.py` for the specification."""

from __future__ import annotations

from typing import Optional

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import DENSE, TorchPort
from backends.torch.state import Tensors


class Port(TorchPort):
    """Linear regression with a ridge penalty."""

    LAYOUT = {"W": ("weight", DENSE), "b": ("bias", None)}

    def build(self) -> nn.Module:
        return nn.Linear(self.config["features"], 1)

    def output(
        self, arrays: Tensors, noise: Optional[Tensors], record: Optional[Tensors]
    ) -> torch.Tensor:
        prediction = self.model(arrays["x"]).to(self.dtype)
        if record is not None:
            record["prediction"] = prediction
        return prediction

    def terms(self, output: torch.Tensor, arrays: Tensors) -> Tensors:
        mse = functional.mse_loss(output, arrays["y"])
        l2 = 0.5 * self.config["l2"] * self.model.weight.square().sum()
        return {"mse": mse, "l2": l2, "total": mse + l2}
