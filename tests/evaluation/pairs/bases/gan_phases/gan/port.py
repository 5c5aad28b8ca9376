"""The port, in PyTorch."""

import torch
from torch import nn
from torch.nn import functional


def bce(logits, target):
    wanted = torch.full_like(logits, target)
    return functional.binary_cross_entropy_with_logits(logits, wanted)


class Maker(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 12)
        self.second = nn.Linear(12, 12)
        self.point = nn.Linear(12, 2)

    def forward(self, z):
        return self.point(torch.relu(self.second(torch.tanh(self.first(z)))))


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.look = nn.Linear(2, 12)
        self.dropout = nn.Dropout(0.25)
        self.score = nn.Linear(12, 1)

    def forward(self, x):
        hidden = functional.leaky_relu(self.look(x), 0.25)
        return self.score(self.dropout(hidden))


class Gan:
    def __init__(self):
        self.maker, self.critic = Maker(), Critic()
        self.models = {"maker": self.maker, "critic": self.critic}
        self.optimizers = {
            "maker": torch.optim.SGD(self.maker.parameters(), 0.0625, momentum=0.5),
            "critic": torch.optim.SGD(self.critic.parameters(), 0.125),
        }

    def forward(self, batch):
        return self.critic(self.maker(batch["z"]))

    def train_critic(self, batch):
        self.optimizers["critic"].zero_grad()
        real = bce(self.critic(batch["x"]), 0.875)
        made = bce(self.critic(self.maker(batch["z"]).detach()), 0.0)
        (real + made).backward()
        self.optimizers["critic"].step()
        return {"real": real, "made": made}

    def train_maker(self, batch):
        self.optimizers["maker"].zero_grad()
        loss = bce(self.critic(self.maker(batch["z"])), 1.0)
        loss.backward()
        self.optimizers["maker"].step()
        return loss
