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
        b = torch.bucketize(arrays["age"], torch.tensor([20.0, 30.0, 40.0, 50.0], dtype=self.dtype), right=True )
        s["bucket"] = F.one_hot(b, 5).to(self.dtype)
        s["f"] = s["bucket"] @ w["e"]
        s["scores"] = torch.where(arrays["k"] > 0, s["f"][:, :3], torch.full_like(s["f"][:, :3], torch.finfo(self.dtype).min))
        s["p"] = torch.softmax(s["scores"], 1)
        s["out"] = torch.cat([s["p"], s["f"][:, 3:]], 1) @ w["o"]
        return s["out"]

    def terms(self, output, arrays):
        return {"total": F.mse_loss(output, arrays["y"])}
