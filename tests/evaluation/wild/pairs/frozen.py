"""A new head on a frozen body of EfficientNet-B0: keras.applications, timm."""

import numpy as np

from backends import pair

SCALE = 2**-8


@pair.side("tf2")
def original():
    import keras

    body = keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=(64, 64, 3), pooling="avg"
    )
    body.get_layer("rescaling").scale = SCALE
    body.trainable = False
    x = keras.Input((64, 64, 3))
    dropped = keras.layers.Dropout(0.25)(body(x, training=False))
    net = keras.Model(x, keras.layers.Dense(10)(dropped))
    net.compile(
        keras.optimizers.SGD(0.0625), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    return pair.keras(net)


@pair.side("vision")
def port():
    import torch
    from images import library
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = library("timm").create_model(
                "tf_efficientnet_b0", num_classes=0, drop_path_rate=0.2
            )
            self.body.requires_grad_(False)
            self.head = nn.Sequential(nn.Dropout(0.25), nn.Linear(1280, 10))

        def train(self, mode=True):
            super().train(mode)
            for module in self.body.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
            return self

        def forward(self, x):
            return self.head(self.body(SCALE * x.permute(0, 3, 1, 2)))

    net = Net().train()
    optimizer = torch.optim.SGD(net.head.parameters(), 0.0625)
    loss = lambda output, batch: nn.functional.cross_entropy(output, batch["y"])
    return pair.torch(net, optimizer, loss=loss)


@pair.data
def data():
    random = np.random.RandomState(0)
    return pair.arrays(4, x=255 * random.rand(16, 64, 64, 3), y=random.randint(0, 10, 16))
