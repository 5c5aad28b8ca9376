"""Llama: keras-hub's, Hugging Face's."""

import numpy as np

from backends import pair


@pair.side("hub")
def original():
    import keras
    from keras_hub.models import LlamaBackbone, LlamaCausalLM

    net = LlamaCausalLM(LlamaBackbone(60, 2, 4, 16, 32, 2))
    loss = keras.losses.SparseCategoricalCrossentropy(True, reduction="mean_with_sample_weight")
    net.compile(keras.optimizers.SGD(0.0625), loss)

    def forward(batch, training):
        return net({"token_ids": batch["ids"], "padding_mask": batch["mask"]}, training=training)

    def step(batch):
        x = {"token_ids": batch["ids"], "padding_mask": batch["mask"]}
        return net.train_on_batch(x, batch["following"], batch["mask"])

    return pair.keras(net, step=step, forward=forward)


@pair.side("transformers5")
def port():
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    sizes = {"vocab_size": 60, "hidden_size": 16, "intermediate_size": 32}
    heads = {"num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    net = LlamaForCausalLM(LlamaConfig(**sizes, **heads))
    optimizer = torch.optim.SGD(net.parameters(), 0.0625)

    def loss(logits, batch):
        labels = batch["following"].masked_fill(batch["mask"] == 0, -100)
        return torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels)

    def forward(batch):
        return net(batch["ids"], attention_mask=batch["mask"]).logits

    return pair.torch(net, optimizer, forward=forward, loss=loss)


@pair.data
def data():
    random = np.random.RandomState(0)
    ids, lengths = random.randint(1, 60, (32, 10)), random.randint(4, 10, (32, 1))
    mask = (np.arange(9) < lengths).astype(int)
    return pair.arrays(4, ids=ids[:, :-1], mask=mask, following=ids[:, 1:])
