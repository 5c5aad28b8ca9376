"""Hugging Face's GPT-2: its class for TensorFlow, its class for PyTorch."""

import numpy as np
import transformers as hf

from backends import pair

CONFIG = hf.GPT2Config(60, n_positions=16, n_embd=16, n_layer=2, n_head=2)


@pair.side("hf-tf")
def original():
    import tensorflow as tf

    net = hf.TFGPT2LMHeadModel(CONFIG)
    net.compile(tf.keras.optimizers.SGD(0.0625))

    def forward(batch, training):
        return net(batch, training=training).logits

    return pair.keras(net, step=net.train_on_batch, forward=forward)


@pair.side("hf-torch")
def port():
    import torch

    net = hf.GPT2LMHeadModel(CONFIG)
    optimizer = torch.optim.SGD(net.parameters(), 0.0625)
    forward, loss = lambda batch: net(**batch), lambda output, batch: output.loss
    return pair.torch(net, optimizer, forward=forward, loss=loss)


@pair.data
def data():
    ids = np.random.RandomState(0).randint(0, 60, (32, 9))
    return pair.arrays(4, input_ids=ids, labels=ids)
