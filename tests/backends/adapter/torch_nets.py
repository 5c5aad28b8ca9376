"""Programs as people write them, for the tests of the adapter for `nn.Module`s. Nothing in them
knows of the harness but the call of `pair.torch`."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from backends import pair

ROWS = 6


class Case:
    """One program: its side, a batch, and the loss of its step as a function of the batch, for a
    step that has one."""

    def __init__(self, side, arrays, loss=None):
        self.side, self.arrays, self.loss = side, arrays, loss


def numbers(*shape, seed=3):
    return np.random.RandomState(seed).normal(size=shape)


def classes(count, *shape):
    return np.random.RandomState(5).randint(0, count, size=shape)


class Perceptron(nn.Module):
    """Functional dropout, batch norm."""

    def __init__(self):
        super().__init__()
        self.out = nn.Linear(8, 3)  # declared in another order than used
        self.hidden = nn.Linear(6, 8)
        self.norm = nn.BatchNorm1d(8)

    def forward(self, x):
        x = functional.dropout(torch.relu(self.norm(self.hidden(x))), 0.25, self.training)
        return self.out(x)


def perceptron():
    made = {}

    def loss(batch):
        return functional.cross_entropy(made["net"](batch["x"]), batch["y"])

    def side():
        net = made["net"] = Perceptron()
        optimizer = torch.optim.Adam(net.parameters(), 0.01)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)

        def step(batch):
            optimizer.zero_grad()
            value = loss(batch)
            value.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 0.05)
            optimizer.step()
            schedule.step()
            return value

        return pair.torch(net, optimizer, step=step)

    return Case(side, {"x": numbers(ROWS, 6), "y": classes(3, ROWS)}, loss)


class Images(nn.Module):
    """In-place activations, a shortcut, a depthwise convolution, a transposed one."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.deep = nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=4)
        self.grouped = nn.Conv2d(8, 4, 1, groups=2)
        self.up = nn.ConvTranspose2d(4, 4, 2, stride=2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.drop = nn.Dropout2d(0.5)
        self.slope = nn.PReLU(4)
        self.out = nn.Linear(4, 3)

    def forward(self, x):
        x = self.relu(self.norm(self.first(x.permute(0, 3, 1, 2))))
        x = self.relu(x + self.slope(self.up(self.grouped(self.deep(x)))))
        return self.out(self.pool(self.drop(x)).flatten(1))


def images():
    made = {}

    def loss(batch):
        return functional.cross_entropy(made["net"](batch["x"]), batch["y"], reduction="sum")

    def side():
        net = made["net"] = Images()
        optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, weight_decay=1e-3)

        def step(batch):
            optimizer.zero_grad(set_to_none=False)
            value = loss(batch)
            value.backward()
            optimizer.step()
            return {"loss": value}

        return pair.torch(net, optimizer, step=step)

    return Case(side, {"x": numbers(ROWS, 8, 8, 3), "y": classes(3, ROWS)}, loss)


class Sequences(nn.Module):
    """Two layers, both directions, dropout between them; a GRU; a packed sequence."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(11, 5)
        self.lstm = nn.LSTM(5, 4, 2, dropout=0.5, bidirectional=True, batch_first=True)
        self.gru = nn.GRU(8, 3)
        self.out = nn.Linear(3, 2)

    def forward(self, x):
        lengths = (x > 0).sum(1).clamp(min=1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(self.words(x), lengths, True, False)
        states, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], True)
        return self.out(self.gru(states.transpose(0, 1))[0][-1])


def sequences():
    made = {}

    def loss(output, batch):
        return functional.mse_loss(output, batch["y"])

    def side():
        net = made["net"] = Sequences()
        optimizer = torch.optim.RMSprop(net.parameters(), 0.01, momentum=0.5, centered=True)
        return pair.torch(net, optimizer, loss=loss)

    tokens = classes(11, ROWS, 7)
    tokens[:, 0] = 1
    return Case(
        side,
        {"x": tokens, "y": numbers(ROWS, 2)},
        lambda batch: loss(made["net"](batch["x"]), batch),
    )


class Encoder(nn.Module):
    """Attention with dropout."""

    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 12, 0.1, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(8, 2)

    def forward(self, x):
        return self.out(self.layers(x).mean(1))


def encoder():
    made = {}

    def loss(batch):
        return ((made["net"](batch["x"]) - batch["y"]) ** 2).mean()

    def side():
        net = made["net"] = Encoder()
        decayed = [value for value in net.parameters() if value.ndim > 1]
        others = [value for value in net.parameters() if value.ndim == 1]
        groups = [{"params": decayed}, {"params": others, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, 0.01, weight_decay=0.1)

        def step(batch):
            def closure():
                optimizer.zero_grad()
                value = loss(batch)
                value.backward()
                return value

            return optimizer.step(closure)

        return pair.torch(net, optimizer, step=step)

    return Case(side, {"x": numbers(ROWS, 5, 8), "y": numbers(ROWS, 2)}, loss)


class Tied(nn.Module):
    """One matrix under two names, and a layer that is called twice."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(9, 6)
        self.shared = nn.Linear(6, 6)
        self.scale = nn.Parameter(torch.ones(6))
        self.register_buffer("positions", torch.arange(4.0)[:, None] / 4)
        self.out = nn.Linear(6, 9, bias=False)
        self.out.weight = self.words.weight

    def forward(self, x):
        x = self.words(x) * self.scale + self.positions
        return {"logits": self.out(self.shared(torch.tanh(self.shared(x)))), "hidden": (x,)}


def tied():
    made = {}

    def loss(batch):
        logits = made["net"](batch["x"])["logits"]
        return functional.cross_entropy(logits.flatten(0, 1), batch["y"].flatten())

    def side():
        net = made["net"] = Tied()
        net.shared.bias.requires_grad_(False)
        optimizer = torch.optim.Adagrad([v for v in net.parameters() if v.requires_grad], 0.1)
        halves = {"seen": 0}

        def step(batch):
            # Gradients of two steps are added up.
            value = loss(batch) / 2
            value.backward()
            halves["seen"] += 1
            if halves["seen"] % 2 == 0:
                optimizer.step()
                optimizer.zero_grad()
            return value

        return pair.torch(net, optimizer, step=step)

    return Case(side, {"x": classes(9, ROWS, 4), "y": classes(9, ROWS, 4)})


CASES = {
    "perceptron": perceptron,
    "images": images,
    "sequences": sequences,
    "encoder": encoder,
    "tied": tied,
}
