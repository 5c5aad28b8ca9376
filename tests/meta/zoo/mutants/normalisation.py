"""Bugs of batch normalisation and dropout, in `cnn`."""

from __future__ import annotations

from tests.meta.zoo.mutant import Mutant

CNN = "cnn"
MUTANTS = (
    Mutant(
        6, "batch_norm_epsilon", CNN, (('**config["batch_norm"])', '**dict(config["batch_norm"], epsilon=2.0**-17))'),),
        "forward", "training/batch_norm"),
    Mutant(
        7, "batch_norm_momentum", CNN, (('**config["batch_norm"])', '**dict(config["batch_norm"], momentum=2.0**-6))'),),
        "update", "parameter/batch_norm/moving_mean"),
)
