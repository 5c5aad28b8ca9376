"""The port, in PyTorch."""

import torch
from torch import nn
from torch.nn import functional


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lower = nn.LSTM(5, 8, batch_first=True)
        self.upper = nn.LSTM(8, 8, batch_first=True)
        self.mixing = nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8, eps=2**-10)
        self.value = nn.Linear(8, 1)
        # Keras has one bias where torch has two.
        for layer in (self.lower, self.upper):
            layer.bias_hh_l0.requires_grad_(False).zero_()

    def forward(self, x):
        # Keras drops the same inputs at every step.
        x = x * functional.dropout(torch.ones_like(x[:, :1]), 0.25, self.training)
        x, _ = self.lower(x)
        x, _ = self.upper(functional.dropout(x, 0.125, self.training))
        x = x[:, -1]
        x = x + self.depth(torch.tanh(self.mixing(x)), 0.5)
        x = x + self.depth(torch.tanh(self.mixing(x)), 0.25)
        return self.value(self.norm(x))

    def depth(self, branch, rate):
        """Leave a branch out for some rows, in training."""
        if not self.training:
            return branch
        kept = torch.rand(len(branch), 1) >= rate
        return branch * kept / (1.0 - rate)


def make_optimizer(net):
    trained = [item for item in net.parameters() if item.requires_grad]
    return torch.optim.SGD(trained, 0.125, momentum=0.5)


def train_step(net, optimizer, batch):
    optimizer.zero_grad()
    loss = functional.mse_loss(net(batch["x"]), batch["y"])
    loss.backward()
    optimizer.step()
    return loss
