"""The port, with three mistakes."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.LSTM(12, 16, batch_first=True, bidirectional=True)
        self.norm = nn.BatchNorm1d(32)
        self.hidden = nn.Linear(32, 24)
        self.dropout = nn.Dropout(0.2)
        self.classes = nn.Linear(24, 3)

    def forward(self, x):
        states, _ = self.encoder(x)
        last = torch.cat([states[:, -1, :16], states[:, 0, 16:]], 1)
        hidden = torch.relu(self.hidden(self.norm(last)))
        return self.classes(self.dropout(hidden))


def make_optimizer(net):
    optimizer = torch.optim.Adam(net.parameters(), 0.002, eps=1e-7)
    return optimizer, torch.optim.lr_scheduler.StepLR(optimizer, 5, 0.5)


def train_step(net, optimizer, scheduler, batch):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(batch["x"]), batch["y"])
    loss.backward()
    optimizer.step()
    scheduler.step()
    return loss
