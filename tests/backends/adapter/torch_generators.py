"""More programs as people write them, loaded after `torch_nets`: several optimizers, latent noise,
gradients that are added up, draws that no tape answers."""

from __future__ import annotations

import collections
import copy

import torch
from torch import nn
from torch.nn import functional
from torch_nets import CASES, ROWS, Case, numbers

from backends import pair


def gan(phases):
    """Two optimizers: in one step, or in a step each."""

    def side():
        generator = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4))
        critic = nn.Sequential(nn.Linear(4, 5), nn.LeakyReLU(0.2), nn.Linear(5, 1))
        first = torch.optim.Adam(critic.parameters(), 0.01)
        second = torch.optim.Adam(generator.parameters(), 0.02)
        judged = nn.BCEWithLogitsLoss()

        def critical(batch):
            first.zero_grad()
            made = generator(torch.randn(len(batch["x"]), 3)).detach()
            real, fake = critic(batch["x"]), critic(made)
            value = judged(real, torch.ones_like(real)) + judged(fake, torch.zeros_like(fake))
            value.backward()
            first.step()
            return value

        def generating(batch):
            second.zero_grad()
            fake = critic(generator(torch.randn(len(batch["x"]), 3)))
            value = judged(fake, torch.ones_like(fake))
            value.backward()
            second.step()
            return value

        def both(batch):
            return {"critic": critical(batch), "generator": generating(batch)}

        return pair.torch(
            {"generator": generator, "critic": critic},
            {"critic": first, "generator": second},
            step={"critic": critical, "generator": generating} if phases else both,
            forward=lambda batch: generator(batch["z"]),
        )

    return Case(side, {"x": numbers(ROWS, 4), "z": numbers(ROWS, 3)})


class Autoencoder(nn.Module):
    """Latent noise, a mapping as output, an average of its weights beside."""

    Output = collections.namedtuple("Output", "rows mean")

    def __init__(self):
        super().__init__()
        self.encode, self.decode = nn.Linear(6, 4), nn.Linear(2, 6)

    def forward(self, x):
        mean, logarithm = self.encode(x).chunk(2, 1)
        latent = mean + torch.exp(0.5 * logarithm) * torch.randn_like(mean)
        return self.Output(self.decode(latent), mean), logarithm


def autoencoder():
    made = {}

    def loss(batch):
        (rows, mean), logarithm = made["net"](batch["x"])
        divergence = -0.5 * (1 + logarithm - mean**2 - logarithm.exp()).sum(1).mean()
        return functional.mse_loss(rows, batch["x"]) + divergence

    def side():
        net = made["net"] = Autoencoder()
        averaged = torch.optim.swa_utils.AveragedModel(net)
        optimizer = torch.optim.Adamax(net.parameters(), 0.01)

        def step(batch):
            optimizer.zero_grad()
            value = loss(batch)
            value.backward()
            nn.utils.clip_grad_value_(net.parameters(), 0.5)
            optimizer.step()
            averaged.update_parameters(net)
            return value

        return pair.torch(net, optimizer, step=step)

    return Case(side, {"x": numbers(ROWS, 6)}, loss)


def accumulation():
    """Two halves of a batch, one update; a copy of the model made by hand."""
    made = {}

    def loss(batch):
        return functional.l1_loss(made["net"](batch["x"]), batch["y"])

    def side():
        net = made["net"] = nn.Sequential(nn.Linear(4, 5), nn.Dropout(0.5), nn.Linear(5, 2))
        teacher = copy.deepcopy(net)
        optimizer = torch.optim.NAdam(net.parameters(), 0.01)

        def step(batch):
            optimizer.zero_grad()
            values = []
            for half in (slice(0, 3), slice(3, 6)):
                value = functional.l1_loss(net(batch["x"][half]), batch["y"][half]) / 2
                value.backward()
                values.append(value.detach())
            optimizer.step()
            with torch.no_grad():
                for mine, other in zip(teacher.parameters(), net.parameters()):
                    mine.lerp_(other, 0.1)
            return sum(values)

        return pair.torch(net, optimizer, step=step)

    return Case(side, {"x": numbers(ROWS, 4), "y": numbers(ROWS, 2)})


class Gumbel(nn.Module):
    """Draws that no tape answers."""

    def __init__(self):
        super().__init__()
        self.out = nn.Linear(4, 3)

    def forward(self, x):
        return functional.gumbel_softmax(self.out(x[torch.randperm(len(x))]))


def unserved():
    def side():
        net = Gumbel()
        optimizer = torch.optim.SGD(net.parameters(), 0.1)
        return pair.torch(net, optimizer, loss=lambda output, batch: output[:, 0].mean())

    return Case(side, {"x": numbers(ROWS, 4)})


CASES.update(
    {
        "gan": lambda: gan(False),
        "gan_phases": lambda: gan(True),
        "autoencoder": autoencoder,
        "accumulation": accumulation,
        "unserved": unserved,
    }
)
