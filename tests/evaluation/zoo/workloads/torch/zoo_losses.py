"""`zoo_losses` on torch: its own losses, told what is meant."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from backends.torch.core import DENSE, TorchPort

LAYERS = ("hidden", "value", "chance", "event", "classes", "parts", "mean", "log_variance")


class Port(TorchPort):
    """Seven heads, ten losses."""

    LAYOUT: ClassVar = {
        **{f"{name}/kernel": (f"{name}.weight", DENSE) for name in LAYERS},
        **{f"{name}/bias": (f"{name}.bias", None) for name in LAYERS},
    }

    def build(self):
        """Return the layers."""
        config = self.config
        heads = {
            name: nn.Linear(config["units"] + 1, size) for name, size in config["heads"].items()
        }
        return nn.ModuleDict({"hidden": nn.Linear(config["features"], config["units"]), **heads})

    def heads(self, x):
        """Return the hidden units, their deviation over the batch, and the heads."""
        found = self.new_record()
        found["hidden"] = torch.tanh(self.model["hidden"](x))
        hidden = found["hidden"]
        found["deviation"] = hidden.std(0, correction=0)
        wide = torch.cat([hidden, found["deviation"].mean().expand(len(x), 1)], dim=1)
        for name in self.config["heads"]:
            head = self.model[name](wide)
            found[name] = torch.sigmoid(head - self.config["rare"]) if name == "chance" else head
        return found

    def activations(self, arrays, noise):
        """Return what `heads` does."""
        return self.heads(arrays["x"])

    def output(self, arrays, noise, record):
        """Return the logits of the classes."""
        return self.heads(arrays["x"])["classes"]

    def loss_terms(self, phase, arrays, noise):
        """Return every loss, and their sum."""
        config, heads = self.config, self.heads(arrays["x"])
        classes, value, logits = arrays["class"], arrays["value"], heads["classes"]
        known, rare = (arrays[name].to(logits.dtype) for name in ("known", "rare"))
        weights = torch.tensor(config["class_weights"], dtype=logits.dtype, device=logits.device)
        one_hot = functional.one_hot(classes, 3).to(logits.dtype)
        smooth = (1.0 - config["smoothing"]) * one_hot + config["smoothing"] / 3.0
        expected = (1.0 - config["smoothing"]) * rare + 0.5 * config["smoothing"]
        chance = heads["chance"].clamp(config["clip"], 1.0 - config["clip"])
        mean, log_variance = heads["mean"], heads["log_variance"]
        latent = 1.0 + log_variance - mean.square() - log_variance.exp()
        terms = {
            "cross_entropy": functional.cross_entropy(logits, classes),
            "weighted": (
                functional.cross_entropy(logits, classes, weights, reduction="sum") / len(logits)
            ),
            "smoothed": functional.cross_entropy(logits, smooth),
            "chance": -(rare * chance.log() + (1.0 - rare) * (1.0 - chance).log()).mean(),
            "event": functional.binary_cross_entropy_with_logits(
                heads["event"] - config["never"], expected
            ),
            "known": (known * (heads["value"] - value).square()).sum() / known.sum().clamp(min=1.0),
            "huber": functional.huber_loss(heads["value"], value, delta=config["delta"]),
            "kl": -0.5 * latent.sum(1).mean(),
            "divergence": functional.kl_div(
                functional.log_softmax(heads["parts"], dim=1), smooth, reduction="batchmean"
            ),
        }
        return {**terms, "total": torch.stack(list(terms.values())).sum()}
