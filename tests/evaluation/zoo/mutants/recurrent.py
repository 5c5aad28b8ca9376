"""Bugs of recurrent layers, in `zoo_recurrent`."""

from __future__ import annotations

from tests.evaluation.zoo.mutant import Mutant

RECURRENT = "zoo_recurrent"
#: What training both of nn.LSTM's biases comes to: the same gradient and the same step for each, so
#: their sum moves by two.
BOTH_BIASES = """
    def _update(self, phase, arrays, noise):
        bias = self.trainable["lstm/bias"]
        before = bias.detach().clone()
        terms = super()._update(phase, arrays, noise)
        with torch.no_grad():
            bias.add_(bias - before)
        return terms

    def product("""

MUTANTS = (
    Mutant(
        15,
        "lstm_gates_of_tf1",
        RECURRENT,
        (("GATES = (0, 1, 2, 3)", "GATES = (0, 2, 1, 3)"),),
        "forward",
        "training/lstm",
    ),
    Mutant(
        16,
        "lstm_forget_bias_added",
        RECURRENT,
        (
            (
                "requires_grad_(False).zero_()",
                "requires_grad_(False).zero_()[units:2 * units].fill_(1.0)",
            ),
        ),
        "forward",
        "training/lstm",
    ),
    Mutant(
        17,
        "lstm_two_biases",
        RECURRENT,
        (("\n    def product(", BOTH_BIASES),),
        "update",
        "step 1/train/parameter/lstm/bias",
    ),
    Mutant(
        18,
        "gru_reset_after",
        RECURRENT,
        (("torch.tanh(candidate + (r * h) @ reset)", "torch.tanh(candidate + r * (h @ reset))"),),
        "forward",
        "training/gru",
    ),
    Mutant(
        19,
        "gru_gates_sigmoid",
        RECURRENT,
        (("hard_sigmoid(opened + h @ state)", "torch.sigmoid(opened + h @ state)"),),
        "forward",
        "training/gru",
    ),
    Mutant(
        20,
        "gru_hard_sigmoid_slope",
        RECURRENT,
        (
            (
                "hard_sigmoid(opened + h @ state)",
                "(0.2 * (opened + h @ state) + 0.5).clamp(0.0, 1.0)",
            ),
        ),
        "forward",
        "training/gru",
    ),
    Mutant(
        21,
        "rnn_dropout_not_last",
        RECURRENT,
        (('self.dropout(found["gru"], noise, "gru")', 'found["gru"]'),),
        "forward",
        "training/gru/dropout",
    ),
    Mutant(
        22,
        "rnn_zero_past_the_length",
        RECURRENT,
        (("return output.gather(1, last[:, :, None].expand_as(output))", "return output"),),
        "forward",
        "training/lstm",
    ),
)
