"""`meta_pairs` on torch."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import TorchPort


class Port(TorchPort):
    """A contrastive loss."""

    LAYOUT: ClassVar = {"kernel": ("kernel", None)}

    def build(self):
        """Return the encoder."""
        return nn.ParameterDict({"kernel": nn.Parameter(torch.zeros(5, 4))})

    def output(self, arrays, noise, record):
        """Return how alike the encodings are."""
        seen = {} if record is None else record
        seen["anchor"] = torch.tanh(arrays["x"] @ self.model["kernel"])
        seen["partner"] = torch.tanh(arrays["z"] @ self.model["kernel"])
        seen["similarity"] = 4.0 * seen["anchor"] @ seen["partner"].t()
        return seen["similarity"]

    def terms(self, output, arrays):
        """Return the cross-entropy of each row's own partner."""
        own = torch.arange(len(output))
        return {"total": functional.cross_entropy(output, own)}
