"""Hugging Face's classes for TensorFlow, 4.46.3, and for PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

from backends.contract import Stage
from harness.results.verdicts import Fidelity
from tests.evaluation.wild.entry import Entry

EXACT = "the same with a ReLU"

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
        (("2, 2, 32,", '2, 4, 32, hidden_act="relu",'),),
        what=EXACT + " and heads of 4, whose root is exact",
        accepts=("numbers-in-float32",),
    ),
    Entry(
        "bert-padding",
        "bert",
        (("2, 2, 32,", '2, 4, 32, hidden_act="relu",'), ("randint(1, 60", "randint(0, 60")),
        verdict=Fidelity.FAIL,
        stage=Stage.GRADIENTS,
        what=EXACT + ", heads of 4, and token 0 in the data",
        shows=("padding-row-gradient",),
    ),
    Entry(
        "bert-adamw",
        "bert",
        (
            ("2, 2, 32,", '2, 4, 32, hidden_act="relu",'),
            ("SGD(0.0625)", "AdamW(0.0009765625)"),
            ("SGD(net.parameters(), 0.0625)", "AdamW(net.parameters(), 0.0009765625)"),
        ),
        verdict=Fidelity.FAIL,
        stage=Stage.UPDATE,
        what=EXACT + ", heads of 4, and AdamW as it comes",
        shows=("adam-epsilon-place", "adamw-defaults"),
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
