"""The port, in PyTorch."""

import torch
from torch import nn
from torch.nn import functional

from backends.torch.normalization import BatchNorm


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(5, 8, batch_first=True)
        self.dropout = nn.Dropout(0.25)
        self.hidden = nn.Linear(8, 12)
        self.norm = BatchNorm(12, epsilon=2**-10, momentum=0.875)
        self.classes = nn.Linear(12, 3)
        # TensorFlow has one bias where torch has two.
        self.rnn.bias_hh_l0.requires_grad_(False).zero_()

    def forward(self, x, lengths):
        states, _ = self.rnn(x)
        there = torch.arange(x.shape[1])[None, :] < lengths[:, None]
        states = self.dropout(states) * there[:, :, None]
        hidden = functional.elu(self.norm(self.hidden(states.mean(1))))
        return self.classes(hidden)


class Trainer:
    def __init__(self):
        self.net = Net()
        trained = [item for item in self.net.parameters() if item.requires_grad]
        self.optimizer = torch.optim.SGD(trained, 0.25, momentum=0.5)
        self.schedule = torch.optim.lr_scheduler.MultiStepLR(self.optimizer, [6], 0.5)

    def forward(self, batch):
        return self.net(batch["x"], batch["lengths"])

    def step(self, batch):
        self.optimizer.zero_grad()
        loss = functional.cross_entropy(self.forward(batch), batch["y"])
        loss.backward()
        clip([item for item in self.net.parameters() if item.grad is not None], 0.5)
        self.optimizer.step()
        self.schedule.step()
        return loss


def clip(parameters, most):
    """Clip as TensorFlow does, without torch's 1e-6."""
    norm = torch.sqrt(sum((item.grad**2).sum() for item in parameters))
    for item in parameters:
        item.grad.mul_(most / torch.clamp(norm, min=most))
