import math
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from backends.torch.core import TorchPort


class Base(TorchPort):
    def build(self):
        d = nn.ParameterDict({i["name"]: nn.Parameter(torch.zeros(i["shape"]), requires_grad=i["trainable"]) for i in self.config["parameters"]})
        type(self).LAYOUT = {i["name"]: (i["name"], None) for i in self.config["parameters"]}
        return d


class Port(Base):
    def output(self, arrays, noise, record):
        s, w = {} if record is None else record, self.model
        h = torch.tanh(arrays["x"] @ w["w"])
        s["h"] = noise["z"].mul_(0.25).add_(h) if self.model.training and not h.requires_grad else h + noise["z"].mul_(0.25) if self.model.training else h
        s["out"] = s["h"] @ w["o"]
        return s["out"]

    def terms(self, output, arrays):
        return {"total": F.mse_loss(output, arrays["y"])}
