"""The port, in PyTorch."""

import torch
from scaled.points import INPUTS, KINDS
from torch import nn
from torch.nn import functional

CLIP, SCALE = 0.0625, 2.0**15


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = nn.Linear(INPUTS, 12), nn.Linear(12, KINDS)
        self.drop = nn.Dropout(0.25)

    def forward(self, x):
        with torch.autocast("cpu", torch.float16):
            x = self.drop(torch.tanh(self.hidden(x)))
            out = self.out(x)
        return out.to(self.out.weight.dtype)


class Trainer:
    def __init__(self):
        self.net = Net()
        self.optimizer = torch.optim.SGD(self.net.parameters(), 0.125, momentum=0.5)
        self.scaler = torch.amp.GradScaler("cpu", init_scale=SCALE)

    def step(self, batch):
        self.optimizer.zero_grad()
        loss = functional.cross_entropy(self.net(batch["x"]), batch["y"])
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimizer)
        nn.utils.clip_grad_value_(self.net.parameters(), CLIP)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss
