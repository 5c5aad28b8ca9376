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
        s["student"] = arrays["x"] @ w["s"]
        s["teacher"] = arrays["x"] @ w["t"]
        s["out"] = torch.tanh(s["student"]) @ w["o"]
        return torch.cat([s["out"], s["student"], s["teacher"]], 1)

    def terms(self, output, arrays):
        a, b = output[:, 2:5], output[:, 5:]
        la, lb = torch.log_softmax(a, 1), torch.log_softmax(b, 1); kl = (lb.exp() * (lb - la)).sum(1).mean()
        return {"kl": kl, "total": F.mse_loss(output[:, :2], arrays["y"]) + kl}
