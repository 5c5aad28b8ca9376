"""EfficientNet-B0: keras.applications, torchvision."""

import functools

import numpy as np

from backends import pair

EPSILON, MOMENTUM, SCALE = 1e-5, 0.1, 1 / 255


@pair.side("tf2")
def original():
    import keras

    net = keras.applications.EfficientNetB0(weights=None, input_shape=(64, 64, 3), classes=10)
    net.get_layer("rescaling").scale = SCALE
    net.compile(keras.optimizers.SGD(0.0625), "sparse_categorical_crossentropy")
    return pair.keras(net)


@pair.side("vision")
def port():
    import torch
    from images import classifier, library

    norm = functools.partial(torch.nn.BatchNorm2d, eps=EPSILON, momentum=MOMENTUM)
    net = library("torchvision").models.efficientnet_b0(num_classes=10, norm_layer=norm)
    optimizer = torch.optim.SGD(net.parameters(), 0.0625)
    logits = lambda batch: net(SCALE * batch["x"].permute(0, 3, 1, 2))
    return classifier(net, optimizer, logits)


@pair.data
def data():
    random = np.random.RandomState(0)
    return pair.arrays(4, x=255 * random.rand(16, 64, 64, 3), y=random.randint(0, 10, 16))
