"""`zoo_attention` on torch."""

import math
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import DENSE, TorchPort

SQUARE = ("query", "key", "value", "merge")


class Port(TorchPort):
    """A block of a transformer, ten classes."""

    LAYOUT: ClassVar = {
        "embedding/embeddings": ("embedding.weight", None),
        **{
            f"{name}/kernel": (f"{name}.weight", DENSE)
            for name in (*SQUARE, "inner", "outer", "dense")
        },
        **{f"{name}/bias": (f"{name}.bias", None) for name in (*SQUARE, "inner", "outer", "dense")},
        **{f"{name}/gamma": (f"{name}.weight", None) for name in ("norm1", "norm2")},
        **{f"{name}/beta": (f"{name}.bias", None) for name in ("norm1", "norm2")},
    }

    def build(self):
        """Return the layers."""
        config = self.config
        width, hidden, epsilon = config["width"], config["hidden"], config["epsilon"]
        return nn.ModuleDict(
            {
                "embedding": nn.Embedding(config["tokens"], width),
                **{name: nn.Linear(width, width) for name in SQUARE},
                "norm1": nn.LayerNorm(width, eps=epsilon),
                "inner": nn.Linear(width, hidden),
                "outer": nn.Linear(hidden, width),
                "norm2": nn.LayerNorm(width, eps=epsilon),
                "dense": nn.Linear(width, config["classes"]),
            }
        )

    def heads(self, x):
        """Return [batch, heads, steps, width of a head] of [batch, steps, width]."""
        return x.unflatten(2, (self.config["heads"], -1)).transpose(1, 2)

    def rotated(self, x):
        """Return [..., steps, width of a head] turned by angles that grow with the position; the
        halves are the coordinates."""
        positions = torch.arange(x.shape[-2], device=x.device)
        angles = positions[:, None] * torch.tensor(
            self.config["frequencies"], dtype=x.dtype, device=x.device
        )
        (x, y), cos, sin = x.chunk(2, dim=-1), angles.cos(), angles.sin()
        return torch.cat([x * cos - y * sin, y * cos + x * sin], dim=-1)

    def attention(self, x, present, found):
        """Return what each position takes from those that it may see."""
        query, key, value = (self.heads(self.model[name](x)) for name in ("query", "key", "value"))
        found["scores"] = (
            self.rotated(query) @ self.rotated(key).transpose(2, 3) / math.sqrt(query.shape[3])
        )
        scores = found["scores"]
        steps = torch.arange(x.shape[1], device=x.device)
        allowed = present[:, None, None, :] & (steps <= steps[:, None])
        found["attention"] = functional.softmax(
            scores.masked_fill(~allowed, self.config["masked"]), dim=3
        )
        return self.model["merge"]((found["attention"] @ value).transpose(1, 2).flatten(2))

    def output(self, arrays, noise, record):
        """Return the logits."""
        model = self.model
        found = {} if record is None else record
        found["embedding"] = model["embedding"](arrays["x"])
        found["context"] = self.attention(found["embedding"], arrays["x"] > 0, found)
        found["norm1"] = model["norm1"](found["embedding"] + found["context"])
        found["inner"] = model["inner"](found["norm1"])
        found["gelu"] = functional.gelu(found["inner"])
        found["norm2"] = model["norm2"](found["norm1"] + model["outer"](found["gelu"]))
        found["logits"] = model["dense"](found["norm2"].mean(1))
        if record is not None:
            record["probabilities"] = self.product(found["logits"])
        return found["logits"]

    def terms(self, output, arrays):
        """Return the cross-entropy."""
        return {"total": functional.cross_entropy(output, arrays["y"])}

    def product(self, output):
        """Return the probabilities."""
        return functional.softmax(output, dim=1)
