"""Hugging Face's classes for TensorFlow, 4.46.3, and for PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

from backends.contract import Stage
from harness.results.verdicts import Fidelity
from tests.evaluation.wild.entry import QUICK, Entry

EXACT = "the same with a ReLU"
HEADS = ("2, 2, 32,", '2, 4, 32, hidden_act="relu",')
#: AdamW as it comes, and torch's with Keras' decay.
RATE = "0.0009765625"
KERAS_ADAMW = ("optimizers.SGD(0.0625)", f"optimizers.AdamW({RATE})")
TORCH_SGD = "SGD(net.parameters(), 0.0625)"
ADAMW = (HEADS, KERAS_ADAMW, (TORCH_SGD, f"AdamW(net.parameters(), {RATE})"))
DECAYING = (*ADAMW[:2], (TORCH_SGD, f"AdamW(net.parameters(), {RATE}, weight_decay=0.004)"))

ENTRIES: Sequence[Entry] = (
    Entry(
        "bert",
        "bert",
        verdict=Fidelity.FAIL,
        stage=Stage.FORWARD,
        shows=("numbers-in-float32",),
    ),
    Entry("bert-fp32", "bert", precision="fp32"),
    Entry(
        "bert-exact",
        "bert",
        (HEADS,),
        what=EXACT + " and heads of 4, whose root is exact",
        accepts=("numbers-in-float32",),
    ),
    Entry(
        "bert-padding",
        "bert",
        (HEADS, ("randint(1, 60", "randint(0, 60")),
        verdict=Fidelity.FAIL,
        stage=Stage.GRADIENTS,
        what=EXACT + ", heads of 4, and token 0 in the data",
        shows=("padding-row-gradient",),
    ),
    Entry(
        "bert-padding-exact",
        "bert",
        (
            ("2, 2, 32,", '2, 4, 32, hidden_act="relu", pad_token_id=None,'),
            ("randint(1, 60", "randint(0, 60"),
        ),
        what=EXACT + ", heads of 4, and token 0 in the data, which pads nothing",
        accepts=("numbers-in-float32", "padding-row-gradient"),
        also=QUICK,
    ),
    Entry(
        "bert-adamw",
        "bert",
        ADAMW,
        verdict=Fidelity.FAIL,
        stage=Stage.UPDATE,
        what=EXACT + ", heads of 4, and AdamW as it comes",
        shows=("adam-epsilon-place", "adamw-defaults"),
    ),
    Entry(
        "bert-adamw-place",
        "bert",
        ADAMW,
        verdict=Fidelity.FAIL,
        stage=Stage.UPDATE,
        what=EXACT + ", heads of 4, and AdamW whose ε lies where Keras has it",
        shows=("adamw-defaults",),
        accepts=("adam-epsilon-place",),
        also=(*QUICK, "--accept", "adam-epsilon-place"),
        brief=True,
    ),
    Entry(
        "bert-adamw-exact",
        "bert",
        DECAYING,
        what=EXACT + ", heads of 4, and AdamW with Keras' ε and decay",
        accepts=("numbers-in-float32", "adam-epsilon-place", "adamw-defaults"),
        also=(*QUICK, "--accept", "adam-epsilon-place", "adam-epsilon-value"),
    ),
    Entry(
        "gpt2",
        "gpt2",
        verdict=Fidelity.FAIL,
        stage=Stage.FORWARD,
        shows=("numbers-in-float32",),
    ),
    Entry(
        "gpt2-exact",
        "gpt2",
        (("n_head=2", 'n_head=2, activation_function="relu"'),),
        what=EXACT,
        accepts=("numbers-in-float32",),
    ),
    Entry(
        "bart",
        "bart",
        verdict=Fidelity.FAIL,
        stage=Stage.FORWARD,
        shows=("numbers-in-float32",),
    ),
    Entry("bart-fp32", "bart", precision="fp32"),
    Entry(
        "bart-exact",
        "bart",
        (("d_model=16", 'd_model=16, activation_function="relu"'),),
        what=EXACT,
        accepts=("numbers-in-float32",),
    ),
)
