"""How EHR-M-GAN's weights are kept in torch: kernels [4, units, inputs] or [outputs, inputs], gates
in cuDNN's order i, f, g, o.

So the kernel of an LSTM falls apart into the two that `torch.lstm` wants without moving memory, and
the kernels of a pair of bilateral cells can be laid beside each other gate by gate.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, Mapping, Sequence, Tuple

import torch

#: Indices of torch's gates i, f, g, o in TF1's order i, j, f, o, and in the bilateral cell's order
#: i, f, o, c; g is the candidate.
LSTM, BILATERAL = (0, 2, 1, 3), (0, 1, 3, 2)
Convert = Callable[[torch.Tensor], torch.Tensor]


def _kernel(order: Sequence[int]) -> Tuple[Convert, Convert]:
    """Return the conversions of [4, units, inputs] to [inputs, 4 units] and back; both orders are
    their own inverses."""

    def canonical(tensor: torch.Tensor) -> torch.Tensor:
        return tensor[list(order)].flatten(0, 1).t()

    def own(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.t().unflatten(0, (4, -1))[list(order)]

    return canonical, own


def _bias(order: Sequence[int]) -> Tuple[Convert, Convert]:
    """Return the conversions of a bias [4, units] to [4 units] and back."""
    return (
        lambda tensor: tensor[list(order)].flatten(),
        lambda tensor: tensor.unflatten(0, (4, -1))[list(order)],
    )


def layouts(config: Mapping[str, Any]) -> Dict[str, Tuple[str, Any]]:
    """Return the layout of every parameter, as `TorchPort.LAYOUT` has it; each is an attribute of
    its own name."""
    layout: Dict[str, Tuple[str, Any]] = {}
    for item in config["parameters"]:
        name: str = item["name"]
        axes: Any = None
        if re.search(r"/layer\d/kernel$", name):
            axes = _kernel(LSTM)
        elif re.search(r"/layer\d/bias$", name):
            axes = _bias(LSTM)
        elif re.search(r"/layer\d/[UVW]$", name):
            axes = _kernel(BILATERAL)
        elif name.endswith("/kernel"):
            axes = (1, 0)
        layout[name] = (name, axes)
    return layout


class Weights(torch.nn.Module):
    """All parameters, flat, under their canonical names."""

    def __init__(self, config: Mapping[str, Any], layout: Mapping[str, Tuple[str, Any]]) -> None:
        super().__init__()
        for item in config["parameters"]:
            axes, value = layout[item["name"]][1], torch.zeros(item["shape"])
            if axes is not None:
                value = axes[1](value) if callable(axes[0]) else value.permute(axes)
            self.register_parameter(item["name"], torch.nn.Parameter(value.contiguous()))
