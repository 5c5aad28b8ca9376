"""Mistakes of recurrent nets: gates, masks, states, biases; regularisation and clipping."""

from __future__ import annotations

from tests.evaluation.pairs.mutant import ORIGINAL, Mutant

B = "recurrent"
MUTANTS = (
    Mutant(
        B,
        "reset_before",
        "a GRU that resets before the product",
        (('layers.GRU(8, name="summary")', 'layers.GRU(8, reset_after=False, name="summary")'),),
        "forward",
        ("summary",),
        file=ORIGINAL,
    ),
    Mutant(
        B,
        "recurrent_activation",
        "gates by hard_sigmoid on one side",
        (("LSTM(6, return", 'LSTM(6, recurrent_activation="hard_sigmoid", return'),),
        "forward",
        ("encoder",),
        file=ORIGINAL,
    ),
    Mutant(
        B,
        "mask_ignored",
        "padding read like words",
        (("self.encoder(packed)", "self.encoder(x)"),),
        "forward",
        ("encoder",),
    ),
    Mutant(
        B,
        "reversed",
        "a sequence read from its end",
        (("pack_padded_sequence(x, len", "pack_padded_sequence(x.flip(1), len"),),
        "forward",
        ("encoder",),
    ),
    Mutant(
        B,
        "initial_state",
        "a GRU that begins with ones",
        (("self.summary(states)", "self.summary(states, torch.ones(1, len(x), 8))"),),
        "forward",
        ("summary",),
    ),
    Mutant(
        B,
        "keep_for_rate",
        "the share that is kept given as the rate",
        (("nn.Dropout(0.25)", "nn.Dropout(0.75)"),),
        "forward",
        ("dropout",),
    ),
    Mutant(
        B,
        "hard_gate",
        "sigmoid by its approximation",
        (("torch.sigmoid(", "torch.nn.functional.hardsigmoid("),),
        "forward",
        ("gate",),
    ),
    Mutant(
        B,
        "huber_delta",
        "another δ of the Huber loss",
        (("delta=0.5", "delta=1.0"),),
        "loss",
    ),
    Mutant(
        B,
        "l2_halved",
        "half the regularisation, as TensorFlow 1 counts it",
        (("2**-5", "2**-6"),),
        "loss",
    ),
    Mutant(
        B,
        "l2_left_out",
        "regularisation left out",
        ((" + 2**-5 * (net.gate.weight**2).sum()", ""),),
        "loss",
    ),
    Mutant(
        B,
        "two_biases",
        "both biases of torch's LSTM trained",
        (("bias.requires_grad_(False).zero_()", "bias.data.zero_()"),),
        "update",
        ("encoder",),
    ),
    Mutant(
        B,
        "momentum",
        "another momentum",
        (("momentum=0.5", "momentum=0.75"),),
        "update",
        ("step 2",),
    ),
    Mutant(
        B,
        "clipped_together",
        "the norm of all gradients clipped, not of each",
        (
            (
                "    for parameter in net.parameters():\n",
                "    nn.utils.clip_grad_norm_(net.parameters(), 0.25)\n    for parameter in ():\n",
            ),
        ),
        "update",
    ),
)
