"""ResNet50 of keras.applications, and the same network written for torch."""

import numpy as np

from backends import pair


@pair.side("tf2")
def original():
    import keras

    net = keras.applications.ResNet50(weights=None, input_shape=(64, 64, 3), classes=1000)
    net.compile(keras.optimizers.SGD(0.0625), "sparse_categorical_crossentropy")
    return pair.keras(net)


@pair.side("torch")
def port():
    import torch
    from resnet.net import Net, train_step

    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), 0.0625)
    return pair.torch(net, optimizer, step=lambda batch: train_step(net, optimizer, batch))


@pair.data
def data():
    random = np.random.RandomState(0)
    return pair.arrays(4, x=random.rand(16, 64, 64, 3), y=random.randint(0, 1000, 16))
