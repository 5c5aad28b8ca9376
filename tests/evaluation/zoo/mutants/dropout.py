"""Bugs of dropout, in `cnn`."""

from __future__ import annotations

from tests.evaluation.zoo.mutant import Mutant

CNN, FORWARD = "cnn", "forward"

MUTANTS = (
    Mutant(
        64,
        "keep_probability_as_rate",
        CNN,
        ((', config["dropout_rate"]\n', ', 1.0 - config["dropout_rate"]\n'),),
        FORWARD,
        "training/dropout",
    ),
    Mutant(
        65,
        "dropout_removed",
        CNN,
        (
            ("hidden * keep / (1.0 - self.rate)", "hidden"),
            ("functional.dropout(hidden, self.rate, self.training)", "hidden"),
        ),
        FORWARD,
        "training/dropout",
    ),
    # The function's own default is to drop whatever the module's mode, by masks of its own: there
    # is nothing to compare with.
    Mutant(
        65,
        "dropout_left_on",
        CNN,
        (
            (
                "functional.dropout(hidden, self.rate, self.training)",
                "functional.dropout(hidden, self.rate)",
            ),
        ),
        FORWARD,
        "inference/dropout",
    ),
)
