"""A Keras BiLSTM with its defaults, and an honest port to PyTorch."""

import numpy as np

from backends import pair


@pair.side("tf2")
def original():
    import keras
    from keras import layers

    net = keras.Sequential(
        [
            keras.Input((6, 5)),
            layers.Bidirectional(layers.LSTM(8), name="encoder"),
            layers.BatchNormalization(name="norm"),
            layers.Dense(3, name="classes"),
        ]
    )
    net.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return pair.keras(net)


@pair.side("torch")
def port():
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.LSTM(5, 8, batch_first=True, bidirectional=True)
            self.norm = nn.BatchNorm1d(16, eps=1e-3, momentum=0.01)
            self.classes = nn.Linear(16, 3)

        def forward(self, x):
            _, (last, _) = self.encoder(x)
            return self.classes(self.norm(torch.cat([last[0], last[1]], 1)))

    net = Net()
    optimizer = torch.optim.Adam(net.parameters())

    def loss(out, batch):
        return nn.functional.cross_entropy(out, batch["y"])

    return pair.torch(net, optimizer, loss=loss)


@pair.data
def data():
    random = np.random.RandomState(0)
    return pair.arrays(16, x=random.randn(96, 6, 5), y=random.randint(0, 3, 96))
