"""Hugging Face's BART: its class for TensorFlow, its class for PyTorch."""

import numpy as np
import transformers as hf

from backends import pair

CONFIG = hf.BartConfig(60, 16, 1, 32, 2, d_model=16, decoder_layers=1, decoder_ffn_dim=32)


@pair.side("hf-tf")
def original():
    import tensorflow as tf

    net = hf.TFBartForConditionalGeneration(CONFIG)
    net.compile(tf.keras.optimizers.SGD(0.0625))

    def forward(batch, training):
        return net(batch, training=training).logits

    return pair.keras(net, step=net.train_on_batch, forward=forward)


@pair.side("hf-torch")
def port():
    import torch

    net = hf.BartForConditionalGeneration(CONFIG)
    optimizer = torch.optim.SGD(net.parameters(), 0.0625)
    forward, loss = lambda batch: net(**batch), lambda output, batch: output.loss
    return pair.torch(net, optimizer, forward=forward, loss=loss)


@pair.data
def data():
    random = np.random.RandomState(0)
    ids, mask = random.randint(3, 60, (32, 9)), np.arange(9) < random.randint(4, 10, (32, 1))
    return pair.arrays(4, input_ids=ids, attention_mask=mask.astype(int), labels=ids[:, ::-1])
