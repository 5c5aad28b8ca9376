"""keras-hub 0.32 on Keras 3.15 and TensorFlow 2.21 beside Hugging Face's transformers 5.24."""

from __future__ import annotations

from collections.abc import Sequence

from backends.contract import Stage
from harness.results.verdicts import Fidelity
from tests.evaluation.wild.entry import QUICK, Entry, plant, plant_in_forward

FLOAT32 = ("llama-in-float32",)
GELU = ("gelu-in-float32",)
RELU = (
    "    net = {}(",
    "    for layer in backbone.transformer_layers:\n"
    "        layer._feedforward_intermediate_dense.activation = keras.activations.relu\n"
    "    net = {}(",
)
EXACT = "the same with a ReLU"


def _relu(model: str, own: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the change that puts a ReLU in the place of the gelu, on both sides."""
    old, new = RELU
    return ((old.format(model), new.format(model)), own)


BERT = Entry(
    "hub_bert-exact",
    "hub_bert",
    _relu("BertTextClassifier", ('"gelu_pytorch_tanh"', '"relu"')),
    what=EXACT,
    accepts=GELU,
)
GPT2 = Entry(
    "hub_gpt2-exact",
    "hub_gpt2",
    _relu("GPT2CausalLM", ("n_positions=9", 'n_positions=9, activation_function="relu"')),
    what=EXACT,
    accepts=GELU,
)
VIT = Entry(
    "hub_vit-exact",
    "hub_vit",
    (
        (
            "    net = ViTImageClassifier(",
            "    for block in backbone.get_layer('vit_encoder').encoder_layers:\n"
            "        block.mlp.dense_1.activation = keras.activations.relu\n"
            "    net = ViTImageClassifier(",
        ),
        ("num_labels=3)", 'num_labels=3, hidden_act="relu")'),
    ),
    what=EXACT,
    accepts=GELU,
)
ENTRIES: Sequence[Entry] = (
    Entry("hub_bert", "hub_bert", verdict=Fidelity.FAIL, stage=Stage.FORWARD, shows=GELU),
    BERT,
    Entry("hub_gpt2", "hub_gpt2", verdict=Fidelity.FAIL, stage=Stage.FORWARD, shows=GELU),
    GPT2,
    Entry("hub_vit", "hub_vit", verdict=Fidelity.FAIL, stage=Stage.FORWARD, shows=GELU),
    VIT,
    Entry(
        "hub_llama",
        "hub_llama",
        verdict=Fidelity.FAIL,
        stage=Stage.FORWARD,
        shows=FLOAT32,
        also=QUICK,
    ),
    Entry("hub_llama-fp32", "hub_llama", precision="fp32", accepts=FLOAT32, also=QUICK),
)
#: What a layer of attention is called in each.
ATTENTION = {
    "bert": "transformer_layer_0/self_attention_layer",
    "gpt2": "transformer_layer_0/self_attention",
    "vit": "transformer_block_1/mha",
}

PLANTS: Sequence[Entry] = (
    plant_in_forward(
        BERT,
        "epsilon",
        "torch's ε of the normalisations",
        "bert_backbone/embeddings_layer_norm",
        ('"relu"', '"relu", layer_norm_eps=1e-5'),
    ),
    plant_in_forward(
        BERT,
        "mask",
        "padding attended to",
        ATTENTION["bert"],
        ("net(ids, mask, segments", "net(ids, None, segments"),
    ),
    plant_in_forward(
        BERT,
        "segments",
        "all of one segment",
        "bert_backbone/segment_embedding",
        ("net(ids, mask, segments", "net(ids, mask"),
    ),
    plant_in_forward(
        BERT,
        "scale",
        "1/√ of the whole width, not of a head's",
        ATTENTION["bert"],
        (
            "    optimizer = torch",
            "    for layer in net.bert.encoder.layer:\n"
            "        layer.attention.self.scaling = 16**-0.5\n"
            "    optimizer = torch",
        ),
    ),
    plant_in_forward(
        BERT,
        "dropout",
        "another rate of dropout in attention",
        ATTENTION["bert"],
        ('"attention_probs_dropout_prob": 0.125', '"attention_probs_dropout_prob": 0.25'),
    ),
    plant_in_forward(
        BERT,
        "gelu",
        "a GELU in the place of the ReLU",
        "transformer_layer_0/feedforward_intermediate_dense",
        ('"relu")', '"gelu")'),
    ),
    plant_in_forward(
        GPT2,
        "causal",
        "words that come later attended to",
        ATTENTION["gpt2"],
        (
            'attention_mask=batch["mask"])',
            'attention_mask=batch["mask"][:, None, None].expand(-1, 1, 9, 9).bool())',
        ),
    ),
    plant_in_forward(
        GPT2,
        "position",
        "positions counted from one",
        "gpt2_backbone/embeddings_dropout",
        (
            'attention_mask=batch["mask"])',
            'attention_mask=batch["mask"], position_ids=torch.arange(1, 10).clamp(max=8))',
        ),
    ),
    plant_in_forward(
        GPT2,
        "untied",
        "an output layer of its own",
        "product",
        ("n_positions=9", "n_positions=9, tie_word_embeddings=False"),
    ),
    plant_in_forward(
        GPT2,
        "inverse_layer",
        "attention divided by the number of its layer, too",
        "transformer_layer_1/self_attention",
        ("n_positions=9", "n_positions=9, scale_attn_by_inverse_layer_idx=True"),
    ),
    plant(
        GPT2,
        "padding",
        "a loss of padding",
        ('batch["following"].masked_fill(batch["mask"] == 0, -100)', 'batch["following"]'),
        stage=Stage.LOSS,
        also=QUICK,
    ),
    plant_in_forward(
        VIT,
        "epsilon",
        "Hugging Face's own ε of the normalisations",
        "transformer_block_1/ln_1",
        (', "layer_norm_eps": 1e-6', ""),
    ),
    plant_in_forward(
        VIT,
        "turned",
        "height and width of images exchanged",
        "vit_patching_and_embedding/patch_embedding",
        ("permute(0, 3, 1, 2)", "permute(0, 3, 2, 1)"),
    ),
)
