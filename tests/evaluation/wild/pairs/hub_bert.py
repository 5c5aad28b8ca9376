"""BERT: keras-hub's classifier, Hugging Face's."""

import numpy as np

from backends import pair


@pair.side("hub")
def original():
    import keras
    from keras_hub.models import BertBackbone, BertTextClassifier

    backbone = BertBackbone(60, 2, 4, 16, 32, dropout=0.125, max_sequence_length=9)
    net = BertTextClassifier(backbone, 3, dropout=0.125)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(keras.optimizers.SGD(0.0625), loss)
    names = "token_ids", "segment_ids", "padding_mask"

    def forward(batch, training):
        return net({name: batch[name] for name in names}, training=training)

    def step(batch):
        return net.train_on_batch({name: batch[name] for name in names}, batch["labels"])

    return pair.keras(net, step=step, forward=forward)


@pair.side("transformers5")
def port():
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    sizes = {"vocab_size": 60, "hidden_size": 16, "intermediate_size": 32, "num_labels": 3}
    layers = {"num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 9}
    rates = {"hidden_dropout_prob": 0.125, "attention_probs_dropout_prob": 0.125}
    config = BertConfig(**sizes, **layers, **rates, hidden_act="gelu_pytorch_tanh")
    net = BertForSequenceClassification(config)
    optimizer = torch.optim.SGD(net.parameters(), 0.0625)

    def forward(batch):
        ids, mask, segments = batch["token_ids"], batch["padding_mask"], batch["segment_ids"]
        return net(ids, mask, segments, labels=batch["labels"])

    return pair.torch(net, optimizer, forward=forward, loss=lambda output, batch: output.loss)


@pair.data
def data():
    random = np.random.RandomState(0)
    ids, lengths = random.randint(1, 60, (32, 9)), random.randint(4, 10, (32, 1))
    mask = (np.arange(9) < lengths).astype(int)
    segments = (np.arange(9) > lengths // 2).astype(int)
    labels = ids[:, 0] % 3
    return pair.arrays(4, token_ids=ids, segment_ids=segments, padding_mask=mask, labels=labels)
