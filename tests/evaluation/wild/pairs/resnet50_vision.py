"""ResNet50: keras.applications, torchvision."""

import functools

import numpy as np

from backends import pair

EPSILON, MOMENTUM = 1e-5, 0.1


@pair.side("tf2")
def original():
    import keras

    net = keras.applications.ResNet50(weights=None, input_shape=(64, 64, 3), classes=10)
    net.compile(keras.optimizers.SGD(0.0625), "sparse_categorical_crossentropy")
    return pair.keras(net)


@pair.side("vision")
def port():
    import torch
    from images import classifier, library

    norm = functools.partial(torch.nn.BatchNorm2d, eps=EPSILON, momentum=MOMENTUM)
    net = library("torchvision").models.resnet50(num_classes=10, norm_layer=norm)
    optimizer = torch.optim.SGD(net.parameters(), 0.0625)
    logits = lambda batch: net(batch["x"].permute(0, 3, 1, 2))
    return classifier(net, optimizer, logits)


@pair.data
def data():
    random = np.random.RandomState(0)
    return pair.arrays(4, x=random.rand(16, 64, 64, 3), y=random.randint(0, 10, 16))
