"""The port, in PyTorch."""

import torch
from recipes.words import WORDS
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

PARTS = 2


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(WORDS, 8)
        self.frozen = nn.Linear(8, 8).requires_grad_(False)
        self.lower, self.upper = nn.Linear(8, 12), nn.Linear(12, 8)
        self.drop, self.norm = nn.Dropout(0.25), nn.LayerNorm(8, 2**-10)
        self.out = nn.Linear(8, WORDS, bias=False)
        self.out.weight = self.words.weight

    def block(self, x):
        return torch.tanh(self.upper(torch.tanh(self.lower(x))))

    def forward(self, x):
        with torch.autocast("cpu", torch.bfloat16):
            x = torch.tanh(self.frozen(self.words(x)))
            inner = (
                checkpoint(self.block, x, use_reentrant=False) if self.training else self.block(x)
            )
            x = self.norm(x + self.drop(inner))
            return self.out(x).to(self.out.weight.dtype)


class Trainer:
    def __init__(self):
        self.net = net = Net()
        fast = [*net.lower.parameters(), *net.upper.parameters(), *net.norm.parameters()]
        groups = [
            {"params": [net.words.weight], "lr": 0.125, "momentum": 0.5},
            {"params": fast, "lr": 0.5},
        ]
        self.optimizer = torch.optim.SGD(groups, 0.5)

    def step(self, batch):
        self.optimizer.zero_grad()
        total = 0.0
        for x, y in zip(batch["x"].chunk(PARTS), batch["y"].chunk(PARTS)):
            out = self.net(x)
            loss = functional.cross_entropy(out.flatten(0, 1), y.flatten()) / PARTS
            loss.backward()
            total = total + loss.detach()
        self.optimizer.step()
        return total
