"""`meta_spectrum` on torch."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import TorchPort


class Port(TorchPort):
    """A filter of frequencies."""

    LAYOUT: ClassVar = {name: (name, None) for name in ("real", "imaginary", "out")}

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
        seen, w = {} if record is None else record, self.model
        seen["spectrum"] = torch.fft.rfft(arrays["x"])
        seen["filtered"] = seen["spectrum"] * torch.complex(w["real"], w["imaginary"])
        seen["signal"] = torch.fft.irfft(seen["filtered"], 8)
        seen["output"] = seen["signal"] @ w["out"]
        return seen["output"]

    def terms(self, output, arrays):
        """Return the squared error."""
        return {"total": functional.mse_loss(output, arrays["y"])}
