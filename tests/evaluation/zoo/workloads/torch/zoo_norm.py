"""`zoo_norm` on torch."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import CONV2D, DENSE, BatchNorm, TorchPort


class Norm(BatchNorm):
    """Batch normalisation of [..., units] over all axes but the last.

    Args:
        units: length of the last axis.
        options: epsilon, and the momentum in TensorFlow's sense.
        unbiased: whether the moving variance moves towards n/(n-1) times the population variance,
            as torch's own layer and TensorFlow's fused kernel have it; else towards that itself.
        scale: whether there is a gamma.
        frozen: whether it normalises by its moving statistics in training, too.
    """

    def __init__(self, units, options, unbiased=False, scale=True, frozen=False):
        super().__init__(units, **options)
        self.unbiased, self.scale, self.frozen = unbiased, scale, frozen

    def forward(self, x):
        """Return x normalised."""
        rows = x.flatten(0, -2)
        gamma = self.gamma if self.scale else None
        if self.training and not self.frozen:
            if self.tracking:
                with torch.no_grad():
                    variance, mean = torch.var_mean(rows, dim=0, correction=int(self.unbiased))
                    self.moving_mean.lerp_(mean, 1.0 - self.momentum)
                    self.moving_variance.lerp_(variance, 1.0 - self.momentum)
            normal = functional.batch_norm(
                rows, None, None, gamma, self.beta, training=True, momentum=0.0, eps=self.epsilon
            )
        else:
            normal = functional.batch_norm(
                rows,
                self.moving_mean,
                self.moving_variance,
                gamma,
                self.beta,
                training=False,
                momentum=0.0,
                eps=self.epsilon,
            )
        return normal.view_as(x)


class Network(nn.Module):
    """A convolution, two dense layers, and a batch normalisation after each."""

    def __init__(self, config):
        super().__init__()
        filters, units, options = config["filters"], config["units"], config["batch_norm"]
        self.conv = nn.Conv2d(1, filters, 3, stride=2, bias=False)
        self.fused = Norm(filters, options, unbiased=True, scale=False)
        self.dense = nn.Linear(9 * filters, units, bias=False)
        self.frozen = Norm(units, options, frozen=True)
        self.block = nn.Linear(units, units, bias=False)
        self.last = Norm(units, options)
        self.head = nn.Linear(units, config["classes"])

    def forward(self, x, record):
        """Return logits [batch, classes] for images [batch, height, width, channels]."""
        seen = {} if record is None else record
        seen["conv"] = self.conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        seen["fused"] = self.fused(seen["conv"])
        seen["dense"] = self.dense(functional.relu(seen["fused"]).flatten(1))
        seen["frozen"] = self.frozen(seen["dense"])
        hidden = functional.relu(seen["frozen"])
        seen["block"] = self.block(hidden)
        seen["last"] = self.last(seen["block"])
        seen["logits"] = self.head(functional.relu(hidden + seen["last"]))
        return seen["logits"]


class Port(TorchPort):
    """Three kinds of batch normalisation."""

    LAYOUT: ClassVar = {
        "conv/kernel": ("conv.weight", CONV2D),
        **{
            f"fused/{name}": (f"fused.{name}", None)
            for name in ("beta", "moving_mean", "moving_variance")
        },
        "dense/kernel": ("dense.weight", DENSE),
        **{
            f"frozen/{name}": (f"frozen.{name}", None)
            for name in ("gamma", "beta", "moving_mean", "moving_variance")
        },
        "block/kernel": ("block.weight", DENSE),
        **{
            f"last/{name}": (f"last.{name}", None)
            for name in ("gamma", "beta", "moving_mean", "moving_variance")
        },
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
