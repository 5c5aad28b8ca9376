"""`zoo_vision` on torch. What SAME pads at stride 2 is one row below and one column on the
right."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import CONV2D, DENSE, TorchPort

MULTIPLIER = 2
#: [in, out, h, w] -> [h, w, out, in]
TRANSPOSED = (2, 3, 1, 0)


def depthwise_canonical(weight):
    """Return [in * multiplier, 1, h, w] as [h, w, in, multiplier]."""
    return weight.unflatten(0, (-1, MULTIPLIER)).squeeze(2).permute(2, 3, 0, 1)


def depthwise_own(kernel):
    """Return the inverse."""
    return kernel.permute(2, 3, 0, 1).flatten(0, 1).unsqueeze(1)


class Network(nn.Module):
    """Every kind of layer that pads, crops, resizes or lays out."""

    def __init__(self, config):
        super().__init__()
        filters, wide = config["filters"], config["filters"] * MULTIPLIER
        self.config = config
        self.stem = nn.Conv2d(1, filters, 3, stride=2)
        self.depthwise = nn.Conv2d(filters, wide, 3, padding=1, groups=filters)
        self.transposed = nn.ConvTranspose2d(wide, wide, 3, stride=2)
        self.head = nn.Linear(config["thumbnail"] ** 2 * (wide + 1), config["classes"])

    def forward(self, images, record):
        """Return logits [batch, classes] for images [batch, height, width, channels]."""
        x, large, small, slope = (
            images.permute(0, 3, 1, 2),
            self.config["enlarged"],
            self.config["thumbnail"],
            self.config["slope"],
        )
        seen = {} if record is None else record
        seen["enlarged"] = functional.interpolate(x, size=(large, large), mode="bilinear")
        seen["stem"] = self.stem(functional.pad(seen["enlarged"], (0, 1, 0, 1)))
        seen["max_pool"] = functional.max_pool2d(
            functional.pad(seen["stem"], (0, 1, 0, 1), value=-torch.inf), 3, stride=2
        )
        seen["leaky"] = functional.leaky_relu(seen["max_pool"], slope)
        seen["average_pool"] = functional.avg_pool2d(
            seen["leaky"], 3, stride=1, padding=1, count_include_pad=False
        )
        seen["depthwise"] = self.depthwise(seen["average_pool"])
        seen["transposed"] = self.transposed(seen["depthwise"])[:, :, :-1, :-1]
        seen["nearest"] = functional.interpolate(
            seen["transposed"], size=(small, small), mode="nearest-exact"
        )
        seen["thumbnail"] = functional.interpolate(
            x, size=(small, small), mode="bilinear", antialias=False
        )
        seen["flatten"] = (
            torch.cat([seen["nearest"], seen["thumbnail"]], 1).permute(0, 2, 3, 1).flatten(1)
        )
        seen["logits"] = self.head(seen["flatten"])
        return seen["logits"]


class Port(TorchPort):
    """Resizing, convolutions, poolings."""

    CHANNELS_FIRST = True

    LAYOUT: ClassVar = {
        "stem/kernel": ("stem.weight", CONV2D),
        "stem/bias": ("stem.bias", None),
        "depthwise/kernel": ("depthwise.weight", (depthwise_canonical, depthwise_own)),
        "depthwise/bias": ("depthwise.bias", None),
        "transposed/kernel": ("transposed.weight", TRANSPOSED),
        "transposed/bias": ("transposed.bias", None),
        "head/kernel": ("head.weight", DENSE),
        "head/bias": ("head.bias", None),
    }

    def build(self):
        """Return the network."""
        return Network(self.config)

    def output(self, arrays, noise, record):
        """Return the logits."""
        return self.model(arrays["x"], record)

    def terms(self, output, arrays):
        """Return the cross-entropy."""
        return {"total": functional.cross_entropy(output, arrays["y"])}
