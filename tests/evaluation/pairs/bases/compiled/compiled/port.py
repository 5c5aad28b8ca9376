"""The port, in PyTorch."""

import torch
from compiled.points import INPUTS, KINDS
from torch import nn
from torch.nn import functional


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.norm = nn.Linear(INPUTS, 12), nn.LayerNorm(12, 2**-10)
        self.drop, self.out = nn.Dropout(0.25), nn.Linear(12, KINDS)

    def forward(self, x):
        x = torch.tanh(self.hidden(x))
        return self.out(self.drop(self.norm(x)))


class Trainer:
    def __init__(self):
        self.net = torch.compile(Net())
        self.optimizer = torch.optim.SGD(self.net.parameters(), 0.125, momentum=0.5)

    def step(self, batch):
        self.net.train()
        self.optimizer.zero_grad()
        loss = functional.cross_entropy(self.net(batch["x"]), batch["y"])
        loss.backward()
        self.optimizer.step()
        return loss
