"""The port, in PyTorch."""

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(20, 16)
        self.attend = nn.MultiheadAttention(16, 4, dropout=0.25, batch_first=True)
        self.norm1 = nn.LayerNorm(16, eps=2**-17)
        self.wide = nn.Linear(16, 24)
        self.dropout = nn.Dropout(0.125)
        self.narrow = nn.Linear(24, 16)
        self.norm2 = nn.LayerNorm(16, eps=2**-17)
        self.classes = nn.Linear(16, 3)

    def forward(self, words):
        x = self.words(words)
        context, _ = self.attend(x, x, x, key_padding_mask=words == 0)
        x = self.norm1(x + context)
        hidden = nn.functional.gelu(self.wide(x))
        x = self.norm2(x + self.narrow(self.dropout(hidden)))
        return self.classes(x.mean(1))


def make_optimizer(net):
    return torch.optim.SGD(net.parameters(), 0.125, momentum=0.75, nesterov=True)


def train_step(net, optimizer, batch):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(batch["x"]), batch["y"])
    loss.backward()
    optimizer.step()
    return loss
