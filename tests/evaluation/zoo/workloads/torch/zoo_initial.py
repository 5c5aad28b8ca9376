"""`zoo_initial` on torch: Keras' rules for initial weights, not torch's own."""

import math
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import DENSE, TorchPort

CUT_OFF = 0.87962566103423978


class Port(TorchPort):
    """The mean of embedded pixels, a residual block, ten classes."""

    LAYOUT: ClassVar = {
        "embedding/embeddings": ("embedding.weight", None),
        "block/kernel": ("block.weight", DENSE),
        "block/bias": ("block.bias", None),
        "norm/gamma": ("norm.weight", None),
        "norm/beta": ("norm.bias", None),
        "dense/kernel": ("dense.weight", DENSE),
        "dense/bias": ("dense.bias", None),
    }

    def build(self):
        """Return the layers."""
        config = self.config
        width = config["width"]
        return nn.ModuleDict(
            {
                "embedding": nn.Embedding(config["tokens"], width),
                "block": nn.Linear(width, width),
                "norm": nn.LayerNorm(width, eps=config["epsilon"]),
                "dense": nn.Linear(width, config["classes"]),
            }
        )

    def load_parameters(self, values):
        """Initialise every weight from the numbers given."""
        super().load_parameters(
            {
                name: self.initial(name, torch.from_numpy(value)).numpy()
                for name, value in values.items()
            }
        )

    def initial(self, name, numbers):
        """Return a weight in Keras' layout."""
        if name == "embedding/embeddings":
            return (2.0 * numbers - 1.0) * 0.05
        if name == "block/kernel":
            deviation = math.sqrt(2.0 / numbers.shape[0]) / CUT_OFF
            return (numbers * deviation).clamp(-2.0 * deviation, 2.0 * deviation)
        if name == "dense/kernel":
            return (2.0 * numbers - 1.0) * math.sqrt(6.0 / sum(numbers.shape))
        return torch.ones_like(numbers) if name == "norm/gamma" else torch.zeros_like(numbers)

    def output(self, arrays, noise, record):
        """Return the logits."""
        found = {} if record is None else record
        found["embedding"] = self.model["embedding"](arrays["x"]).mean(1)
        found["norm"] = self.model["norm"](self.model["block"](found["embedding"]))
        found["logits"] = self.model["dense"](found["embedding"] + found["norm"])
        if record is not None:
            record["probabilities"] = self.product(found["logits"])
        return found["logits"]

    def terms(self, output, arrays):
        """Return the cross-entropy."""
        return {"total": functional.cross_entropy(output, arrays["y"])}

    def product(self, output):
        """Return the probabilities."""
        return functional.softmax(output, dim=1)
