"""Mistakes of a TensorFlow 1 program and its port."""

from __future__ import annotations

from tests.evaluation.pairs.mutant import ORIGINAL, Mutant

B = "dynamic"
MUTANTS = (
    Mutant(
        B,
        "no_update_ops",
        "UPDATE_OPS never run",
        (("tf.get_collection(tf.GraphKeys.UPDATE_OPS)", "[]"),),
        "update",
        ("norm/moving",),
        file=ORIGINAL,
    ),
    Mutant(
        B,
        "lengths_ignored",
        "states past the length are not zero",
        ((" * there[:, :, None]", ""),),
        "forward",
        ("rnn", "hidden"),
    ),
    Mutant(
        B,
        "keep_for_rate",
        "the share that is kept given as the rate",
        (("nn.Dropout(0.25)", "nn.Dropout(0.75)"),),
        "forward",
        ("rnn",),
    ),
    Mutant(
        B,
        "dropout_left_out",
        "dropout left out",
        (("self.dropout(states)", "states"),),
        "forward",
        ("rnn",),
    ),
    Mutant(
        B,
        "norm_epsilon",
        "torch's ε of batch normalisation",
        (("epsilon=2**-10", "epsilon=1e-5"),),
        "forward",
        ("norm",),
    ),
    Mutant(
        B,
        "schedule_early",
        "a schedule that is one step early",
        (("[6], 0.5", "[5], 0.5"),),
        "trajectory",
        step=6,
    ),
    Mutant(
        B,
        "activation",
        "ReLU in the place of ELU",
        (("functional.elu(", "functional.relu("),),
        "forward",
        ("Elu", "elu", "classes"),
    ),
    Mutant(
        B,
        "not_clipped",
        "gradients not clipped",
        (("is not None], 0.5)", "is not None], 1e6)"),),
        "update",
    ),
)
