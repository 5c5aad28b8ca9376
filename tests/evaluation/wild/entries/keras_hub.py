"""keras-hub 0.32 beside Hugging Face's transformers 5.24."""

from __future__ import annotations

from collections.abc import Sequence

from backends.contract import Stage
from harness.results.verdicts import Fidelity
from tests.evaluation.wild.entry import Entry

#: A ReLU in place of the gelu, on both sides.
RELU = (
    (
        "    net = BertTextClassifier(",
        "    for layer in backbone.transformer_layers:\n"
        "        layer._feedforward_intermediate_dense.activation = keras.activations.relu\n"
        "    net = BertTextClassifier(",
    ),
    ('"gelu_pytorch_tanh"', '"relu"'),
)

ENTRIES: Sequence[Entry] = (
    Entry("hub_bert", "hub_bert", verdict=Fidelity.FAIL, stage=Stage.FORWARD),
    Entry("hub_bert-exact", "hub_bert", RELU, what="the same with a ReLU"),
    Entry("hub_bert-fp32", "hub_bert", precision="fp32"),
)
PLANTS: Sequence[Entry] = ()
