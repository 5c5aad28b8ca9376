"""Bugs of what `cnn` minimises and how: its penalty and its Adam."""

from __future__ import annotations

from tests.evaluation.zoo.mutant import Mutant

CNN = "cnn"

MUTANTS = (
    Mutant(
        1, "whole_l2", CNN, (('0.5 * self.config["l2"]', 'self.config["l2"]'),), "loss", "train/l2"
    ),
    # torch's own Adam.
    Mutant(
        23,
        "epsilon_after_correction",
        CNN,
        (
            (
                "    def build(self)",
                """    def __init__(self, config, setting):
        adam = dict(config["optimizers"]["adam"], epsilon_place="corrected")
        TorchPort.__init__(self, dict(config, optimizers={"adam": adam}), setting)

    def build(self)""",
            ),
        ),
        "update",
        "parameter/batch_norm/beta",
    ),
)
