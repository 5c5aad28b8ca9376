"""torch.nn.Transformer, an encoder and a decoder: torch 2.4, torch 2.13."""

import numpy as np

from backends import pair


@pair.side("torch24")
def older():
    import torch

    net = torch.nn.Transformer(16, 2, 2, 2, 32, activation="gelu", batch_first=True)
    optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9)
    mean = torch.nn.MSELoss()
    forward, loss = lambda batch: net(batch["x"], batch["y"]), lambda y, batch: mean(y, batch["y"])
    return pair.torch(net, optimizer, forward=forward, loss=loss)


@pair.side("torch")
def newer():
    return older()


@pair.data
def data():
    random = np.random.RandomState(0)
    return pair.arrays(8, x=random.randn(64, 7, 16), y=random.randn(64, 5, 16))
