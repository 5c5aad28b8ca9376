import torch
from torch import nn
from torch.nn import functional as F
from backends.torch.core import DENSE, TorchPort


class Port(TorchPort):
    CHANNELS_FIRST = False
    LAYOUT = {"emb/embeddings": ("emb.weight", None), "out/kernel": ("out.weight", DENSE), "out/bias": ("out.bias", None)}

    def build(self):
        return nn.ModuleDict({"emb": nn.Embedding(12, 5), "out": nn.Linear(5, 3)})

    def output(self, arrays, noise, record):
        s = {} if record is None else record
        s["bag"] = self.model["emb"](arrays["t"]).sum(1)
        s["logits"] = self.model["out"](s["bag"])
        return s["logits"]

    def terms(self, output, arrays):
        return {"total": F.cross_entropy(output, arrays["y"])}
