"""ViT: keras-hub's classifier, Hugging Face's."""

import numpy as np

from backends import pair


@pair.side("hub")
def original():
    import keras
    from keras_hub.models import ViTBackbone, ViTImageClassifier

    backbone = ViTBackbone((8, 8, 3), 4, 2, 4, 16, 32, attention_dropout=0.125)
    net = ViTImageClassifier(backbone, 3, pooling="token")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(keras.optimizers.SGD(0.0625), loss, metrics=[])
    return pair.keras(net)


@pair.side("transformers5")
def port():
    import torch
    from transformers import ViTConfig, ViTForImageClassification

    sizes = {"image_size": 8, "patch_size": 4, "hidden_size": 16, "intermediate_size": 32}
    layers = {"num_hidden_layers": 2, "num_attention_heads": 4, "layer_norm_eps": 1e-6}
    config = ViTConfig(**sizes, **layers, attention_probs_dropout_prob=0.125, num_labels=3)
    net = ViTForImageClassification(config)
    optimizer = torch.optim.SGD(net.parameters(), 0.0625)

    def forward(batch):
        return net(batch["x"].permute(0, 3, 1, 2), labels=batch["y"])

    return pair.torch(net, optimizer, forward=forward, loss=lambda output, batch: output.loss)


@pair.data
def data():
    random = np.random.RandomState(0)
    return pair.arrays(4, x=random.rand(32, 8, 8, 3), y=random.randint(0, 3, 32))
