"""The port, in PyTorch."""

import torch
from torch import nn
from torch.nn import functional

from backends.torch.normalization import BatchNorm


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 8, 3, stride=2)
        self.leaky = nn.LeakyReLU(0.25)
        self.middle = nn.Conv2d(8, 8, 3)
        self.silu = nn.SiLU()
        self.pool = nn.AvgPool2d(2, ceil_mode=True)
        self.hidden = nn.Linear(32, 16)
        self.norm = BatchNorm(16, epsilon=2**-10, momentum=0.875)
        self.dropout = nn.Dropout(0.25)
        self.classes = nn.Linear(16, 4)

    def forward(self, x):
        # Keras pads an even picture of stride 2 at the end alone.
        x = functional.pad(x.permute(0, 3, 1, 2), (0, 1, 0, 1))
        x = self.silu(self.middle(self.leaky(self.stem(x))))
        x = self.pool(x).permute(0, 2, 3, 1)
        hidden = torch.relu(self.norm(self.hidden(x.flatten(1))))
        return self.classes(self.dropout(hidden))


class Trainer:
    def __init__(self):
        self.net = Net()
        self.optimizer = torch.optim.SGD(self.net.parameters(), 0.25, weight_decay=2**-7)
        self.schedule = torch.optim.lr_scheduler.StepLR(self.optimizer, 4, 0.5)

    def step(self, batch):
        self.optimizer.zero_grad()
        logits = self.net(batch["x"])
        loss = functional.cross_entropy(logits, batch["y"], label_smoothing=0.125)
        loss.backward()
        clip(self.net.parameters(), 0.5)
        self.optimizer.step()
        self.schedule.step()
        return loss


def clip(parameters, most):
    """Clip as TensorFlow does, without torch's 1e-6."""
    gradients = [item.grad for item in parameters if item.grad is not None]
    norm = torch.sqrt(sum((gradient**2).sum() for gradient in gradients))
    for gradient in gradients:
        gradient.mul_(most / torch.clamp(norm, min=most))
