"""Mistakes of loss scales: clipping, differentiating and updating with the wrong one of two."""

from __future__ import annotations

from tests.evaluation.pairs.mutant import Mutant

B = "scaled"
UNSCALED = "        self.scaler.unscale_(self.optimizer)\n"
MUTANTS = (
    Mutant(
        B,
        "clipped_before_unscaling",
        "gradients that are clipped while they are still scaled",
        ((UNSCALED, ""),),
        "update",
    ),
    Mutant(
        B,
        "scaled_update",
        "an update by scaled gradients, which nothing skips",
        (
            (UNSCALED, ""),
            (
                "self.scaler.step(self.optimizer)\n        self.scaler.update()",
                "self.optimizer.step()",
            ),
        ),
        "update",
    ),
    Mutant(
        B,
        "scaled_loss_unused",
        "gradients that are divided by a scale which the loss never had",
        (
            (
                "self.scaler.scale(loss).backward()",
                "self.scaler.scale(loss)\n        loss.backward()",
            ),
        ),
        "update",
    ),
    Mutant(
        B,
        "unscaled_loss_divided",
        "a loss that is divided by the scale before it is scaled",
        (("self.scaler.scale(loss)", "self.scaler.scale(loss / SCALE)"),),
        "loss",
    ),
)
