"""`meta_packed` on torch: rows are sorted by length, the loop takes fewer of them every hour,
and the order is undone."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import TorchPort


class Port(TorchPort):
    """A recurrent cell on packed rows."""

    LAYOUT: ClassVar = {
        "kernel": ("kernel", None),
        "recurrent": ("recurrent", None),
        "out": ("out", None),
    }

    def build(self):
        """Return the cell and the head."""
        shapes = {"kernel": (3, 4), "recurrent": (4, 4), "out": (4, 1)}
        return nn.ParameterDict(
            {name: nn.Parameter(torch.zeros(shape)) for name, shape in shapes.items()}
        )

    def output(self, arrays, noise, record):
        """Return the output of each row's last state."""
        seen = {} if record is None else record
        order = torch.argsort(arrays["length"], descending=True, stable=True)
        back = torch.argsort(order)
        x, length = arrays["x"][order], arrays["length"][order]
        state = x.new_zeros(len(x), 4)
        for hour in range(5):
            alive = int((length > hour).sum())
            following = torch.tanh(
                x[:alive, hour] @ self.model["kernel"] + state[:alive] @ self.model["recurrent"]
            )
            state = torch.cat([following, state[alive:]])
        seen["state"] = state[back]
        seen["output"] = seen["state"] @ self.model["out"]
        return seen["output"]

    def terms(self, output, arrays):
        """Return the squared error."""
        return {"total": functional.mse_loss(output, arrays["y"])}
