"""`zoo_adversarial` on torch."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import DENSE, TorchPort

LAYERS = ("generator/hidden", "generator/code", "critic/hidden", "critic/score")


class Port(TorchPort):
    """Generator and critic with a shared matrix."""

    LAYOUT: ClassVar = {
        "shared/kernel": ("shared.weight", DENSE),
        **{f"{name}/kernel": (f"{name}.weight", DENSE) for name in LAYERS},
        **{f"{name}/bias": (f"{name}.bias", None) for name in LAYERS},
    }

    def build(self):
        """Return the layers."""
        code, units = self.config["code"], self.config["units"]
        sizes = [(code, units), (units, code), (code, units), (units, 1)]
        layers = {name: nn.Linear(*size) for name, size in zip(LAYERS, sizes, strict=True)}
        return nn.ModuleDict(
            {"shared": nn.Linear(self.config["features"], code, bias=False), **layers}
        )

    def fake(self, z):
        """Return generated flowers."""
        code = self.model["generator/code"](torch.tanh(self.model["generator/hidden"](z)))
        return code @ self.model["shared"].weight

    def hidden(self, x):
        """Return the critic's hidden units."""
        return torch.tanh(self.model["critic/hidden"](torch.tanh(self.model["shared"](x))))

    def score(self, x):
        """Return the critic's logits."""
        return self.model["critic/score"](self.hidden(x))

    def activations(self, arrays, noise):
        """Return the critic's logits, in training also those of generated flowers."""
        found = self.new_record()
        found["hidden"] = self.hidden(arrays["x"])
        found["real"] = self.model["critic/score"](found["hidden"])
        if self.model.training:
            found["made"] = self.fake(noise["z"])
            found["fake"] = self.score(found["made"])
        return found

    def output(self, arrays, noise, record):
        """Return the critic's logits."""
        return self.score(arrays["x"])

    def loss_terms(self, phase, arrays, noise):
        """Return the cross-entropies of a phase."""

        def error(logits, label):
            return functional.binary_cross_entropy_with_logits(
                logits, torch.full_like(logits, label)
            )

        fake = self.fake(noise["z"])
        if phase == "generator":
            return {"total": error(self.score(fake), 1.0)}
        terms = {
            "real": error(self.score(arrays["x"]), 1.0),
            "fake": error(self.score(fake.detach()), 0.0),
        }
        return {**terms, "total": terms["real"] + terms["fake"]}
