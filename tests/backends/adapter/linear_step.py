"""A linear net and the usual step, for the tests of the adapter for `nn.Module`s: programs are
functions of a net that return the optimizer and the step."""

from __future__ import annotations

import importlib

import numpy as np

from backends import pair
from backends.contract import Setting

ROWS = {"x": np.random.RandomState(1).normal(size=(6, 4)), "y": np.ones((6, 2))}


def maker(torch):
    """A function that makes a side of a program."""
    adapter = importlib.import_module("backends.torch.adapter")

    def build(program, net=None, precision="fp64", **arguments):
        def function():
            model = torch.nn.Linear(4, 2) if net is None else net()
            optimizer, step = program(model)
            return pair.torch(model, optimizer, step=step, **arguments)

        return adapter.Side(function, Setting(precision=precision))

    return build


def errors(torch, net, batch):
    return ((net(batch["x"]) - batch["y"]) ** 2).mean()


def plain(torch, scale=1.0, make=None):
    """A program whose step is the usual one; `make`: of the optimizer, in place of SGD."""

    def program(net):
        optimizer = (make or torch.optim.SGD)(net.parameters(), 0.1)

        def step(batch):
            optimizer.zero_grad()
            value = errors(torch, net, batch)
            (value * scale).backward()
            optimizer.step()
            return value

        return optimizer, step

    return program
