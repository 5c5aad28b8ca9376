"""`linear` on torch; see `harness/workloads/linear.py` for the specification."""

from __future__ import annotations

from torch import nn
from torch.nn import functional

from backends.torch.core import DENSE, TorchPort
from backends.torch.state import Tensors


class Port(TorchPort):
    """Linear regression with a ridge penalty."""

    PRODUCT = "prediction"

    LAYOUT = {"W": ("weight", DENSE), "b": ("bias", None)}

    def build(self) -> nn.Module:
        return nn.Linear(self.config["features"], 1)

    def activations(self, arrays: Tensors, noise: Tensors) -> Tensors:
        seen: Tensors = self.new_record()
        with self.precision():
            seen["prediction"] = self.model(arrays["x"]).to(self.dtype)
        return seen

    def loss_terms(self, phase: str, arrays: Tensors, noise: Tensors) -> Tensors:
        prediction = self.activations(arrays, noise)["prediction"]
        mse = functional.mse_loss(prediction, arrays["y"])
        l2 = 0.5 * self.config["l2"] * self.model.weight.square().sum()
        return {"mse": mse, "l2": l2, "total": mse + l2}
