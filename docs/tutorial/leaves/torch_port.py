"""The port to PyTorch."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.edges = nn.Conv2d(1, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8, eps=1e-3, momentum=0.875)
        self.shapes = nn.Conv2d(8, 12, 4, stride=2, padding=2)
        self.hidden = nn.Linear(12 * 9 * 9, 16)
        self.dropout = nn.Dropout(0.25)
        self.species = nn.Linear(16, 3)

    def forward(self, x):
        maps = torch.relu(self.norm(self.edges(x.permute(0, 3, 1, 2))))
        maps = torch.relu(self.shapes(maps))
        hidden = torch.relu(self.hidden(maps.permute(0, 2, 3, 1).flatten(1)))
        return self.species(self.dropout(hidden))


def make_optimizer(net):
    return torch.optim.SGD(net.parameters(), 0.0625, momentum=0.875)


def train_step(net, optimizer, batch):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(batch["x"]), batch["y"])
    kernels = [net.edges, net.shapes, net.hidden, net.species]
    loss = loss + 0.5**10 * sum(layer.weight.square().sum() for layer in kernels)
    loss.backward()
    optimizer.step()
    return loss
