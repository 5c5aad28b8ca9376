"""Mistakes of training recipes: ties, frozen layers, rates by layer, accumulation, checkpoints."""

from __future__ import annotations

from tests.evaluation.pairs.mutant import ORIGINAL, Mutant

B = "recipes"
MUTANTS = (
    Mutant(
        B,
        "not_tied",
        "weights that are no longer tied",
        (("        self.out.weight = self.words.weight\n", ""),),
        "forward",
        ("product", "output", "words"),
    ),
    Mutant(
        B,
        "not_frozen",
        "a frozen layer that is trained",
        (
            (".requires_grad_(False)", ""),
            ("fast = [", "fast = [*net.frozen.parameters(), "),
        ),
        "gradients",
        ("frozen", "dense"),
    ),
    Mutant(
        B,
        "one_rate",
        "one rate for all layers",
        (('"lr": 0.125, "momentum"', '"lr": 0.5, "momentum"'),),
        "update",
        ("embedding", "words"),
    ),
    Mutant(
        B,
        "no_momentum",
        "a group without its momentum",
        (('"lr": 0.125, "momentum": 0.5', '"lr": 0.125'),),
        "update",
        ("embedding", "words"),
    ),
    Mutant(
        B,
        "parts_not_divided",
        "an accumulated loss that is not divided",
        (("y.flatten()) / PARTS", "y.flatten())"),),
        "loss",
    ),
    Mutant(
        B,
        "last_part_alone",
        "gradients of the last part alone",
        (
            (
                "            out = self.net(x)\n",
                "            self.optimizer.zero_grad()\n            out = self.net(x)\n",
            ),
        ),
        "gradients",
    ),
    Mutant(
        B,
        "another_mask_again",
        "dropout within what is computed again, which draws another mask",
        (
            (
                "tf.recompute_grad(self.block)(x) if",
                "tf.recompute_grad(lambda x: self.drop(self.block(x), training=True))(x) if",
            ),
            (
                "x + self.drop(inner, training=training)",
                "x + (inner if training else self.drop(inner))",
            ),
        ),
        "loss",
        ("dropout",),
        file=ORIGINAL,
    ),
    Mutant(
        B,
        "group_left_out",
        "parameters that no group has",
        (("*net.upper.parameters(), ", ""),),
        "gradients",
        ("upper", "dense_2"),
    ),
)
