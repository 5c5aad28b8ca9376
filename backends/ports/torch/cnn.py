"""`cnn` on torch; see `harness/workloads/cnn.py` for the specification.

Images arrive NHWC; permuting them gives NCHW tensors in torch's channels-last memory format, which
its CPU and GPU convolutions prefer, and makes the flatten in NHWC order a view.
"""

from __future__ import annotations

from typing import Any, Mapping, Optional

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import CONV2D, DENSE, TorchPort
from backends.torch.normalization import BatchNorm
from backends.torch.state import Tensors


class Network(nn.Module):
    """Two convolutions, a dense layer with dropout and batch-norm, ten logits."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        height, width, channels = config["image"]
        first, second = config["filters"]
        self.stride, self.rate = config["pool_stride"], config["dropout_rate"]
        self.conv1 = nn.Conv2d(channels, first, 3, padding="same")
        self.conv2 = nn.Conv2d(first, second, 3, padding="same")
        self.dense1 = nn.Linear((height // 4) * (width // 4) * second, config["units"])
        self.batch_norm = BatchNorm(config["units"], **config["batch_norm"])
        self.dense2 = nn.Linear(config["units"], config["classes"])
        self.to(memory_format=torch.channels_last)

    def forward(
        self, x: torch.Tensor, keep: Optional[torch.Tensor], record: Optional[Tensors]
    ) -> torch.Tensor:
        """Return logits [batch, classes] for images [batch, height, width, channels]; `keep` is the
        dropout mask."""
        seen: Tensors = {} if record is None else record
        seen["conv1"] = functional.relu(self.conv1(x.permute(0, 3, 1, 2)))
        seen["pool1"] = functional.max_pool2d(seen["conv1"], 2, self.stride)
        seen["conv2"] = functional.relu(self.conv2(seen["pool1"]))
        seen["pool2"] = functional.max_pool2d(seen["conv2"], 2, self.stride)
        seen["flatten"] = seen["pool2"].permute(0, 2, 3, 1).flatten(1)
        seen["dense1"] = functional.relu(self.dense1(seen["flatten"]))
        # Under autocast the convolutions and dense layers are in the low dtype; what follows is
        # not.
        hidden = seen["dense1"].to(x.dtype)
        if keep is not None and self.training:
            seen["dropout"] = hidden * keep / (1.0 - self.rate)
        else:
            seen["dropout"] = functional.dropout(hidden, self.rate, self.training)
        seen["batch_norm"] = self.batch_norm(seen["dropout"])
        seen["logits"] = self.dense2(seen["batch_norm"]).to(x.dtype)
        if record is not None:
            record["probabilities"] = functional.softmax(seen["logits"], dim=1)
        return seen["logits"]


class Port(TorchPort):
    """The convolutional classifier."""

    CHANNELS_FIRST = True
    PRODUCT = "probabilities"

    LAYOUT = {
        "conv1/kernel": ("conv1.weight", CONV2D),
        "conv1/bias": ("conv1.bias", None),
        "conv2/kernel": ("conv2.weight", CONV2D),
        "conv2/bias": ("conv2.bias", None),
        "dense1/kernel": ("dense1.weight", DENSE),
        "dense1/bias": ("dense1.bias", None),
        "batch_norm/gamma": ("batch_norm.gamma", None),
        "batch_norm/beta": ("batch_norm.beta", None),
        "batch_norm/moving_mean": ("batch_norm.moving_mean", None),
        "batch_norm/moving_variance": ("batch_norm.moving_variance", None),
        "dense2/kernel": ("dense2.weight", DENSE),
        "dense2/bias": ("dense2.bias", None),
    }

    def build(self) -> nn.Module:
        return Network(self.config)

    def activations(self, arrays: Tensors, noise: Tensors) -> Tensors:
        seen: Tensors = self.new_record()
        with self.precision():
            self.model(arrays["x"], noise.get("dropout"), seen)
        return seen

    def loss_terms(self, phase: str, arrays: Tensors, noise: Tensors) -> Tensors:
        with self.precision():
            logits = self.model(arrays["x"], noise.get("dropout"), None)
        cross_entropy = functional.cross_entropy(logits, arrays["y"])
        l2 = 0.5 * self.config["l2"] * self.model.dense1.weight.square().sum()
        return {"cross_entropy": cross_entropy, "l2": l2, "total": cross_entropy + l2}
