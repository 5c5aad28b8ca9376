"""Bugs of losses, in `zoo_losses`, and of regularisation, in `cnn`."""

from __future__ import annotations

from tests.evaluation.zoo.mutant import Mutant

CNN, LOSSES = "cnn", "zoo_losses"
SMOOTHED = "functional.cross_entropy(logits, smooth)"
OTHERS = '(1.0 - config["smoothing"]) * one_hot + config["smoothing"] / 2.0 * (1.0 - one_hot)'
CHANCE = "(rare * chance.log() + (1.0 - rare) * (1.0 - chance).log())"
EVENT = """\
functional.binary_cross_entropy_with_logits(
                heads["event"] - config["never"], expected
            )"""
DIVERGENCE = 'functional.log_softmax(heads["parts"], dim=1), smooth, reduction="batchmean"'
LATENT = "latent = 1.0 + log_variance - mean.square() - log_variance.exp()"

MUTANTS = (
    Mutant(
        1,
        "l2_without_its_half",
        CNN,
        (('0.5 * self.config["l2"]', 'self.config["l2"]'),),
        "loss",
        "train/l2",
    ),
    Mutant(
        2,
        "l2_not_collected",
        CNN,
        (('"total": cross_entropy + l2}', '"total": cross_entropy}'),),
        "loss",
        "train/total",
    ),
    Mutant(
        55,
        "softmax_twice",
        LOSSES,
        (
            (
                "functional.cross_entropy(logits, classes),",
                "functional.cross_entropy(functional.softmax(logits, dim=1), classes),",
            ),
        ),
        "loss",
        "train/cross_entropy",
    ),
    Mutant(
        56,
        "bce_clips_and_adds",
        LOSSES,
        (
            (
                CHANCE,
                (
                    '(rare * (chance + config["clip"]).log() + (1.0 - rare) * (1.0 - chance +'
                    ' config["clip"]).log())'
                ),
            ),
        ),
        "loss",
        "train/chance",
    ),
    Mutant(
        57,
        "bce_gradient_at_saturation",
        LOSSES,
        (
            (
                EVENT,
                (
                    'functional.binary_cross_entropy(torch.sigmoid(heads["event"] -'
                    ' config["never"]), expected)'
                ),
            ),
        ),
        "gradients",
        "train/event",
    ),
    Mutant(
        58,
        "weighted_mean_over_weights",
        LOSSES,
        (
            (
                'functional.cross_entropy(logits, classes, weights, reduction="sum") / len(logits)',
                "functional.cross_entropy(logits, classes, weights)",
            ),
        ),
        "loss",
        "train/weighted",
    ),
    Mutant(
        59,
        "mean_over_padding_too",
        LOSSES,
        ((".sum() / known.sum().clamp(min=1.0)", ".mean()"),),
        "loss",
        "train/known",
    ),
    Mutant(
        60,
        "smoothing_over_the_others",
        LOSSES,
        ((SMOOTHED, f"functional.cross_entropy(logits, {OTHERS})"),),
        "loss",
        "train/smoothed",
    ),
    Mutant(
        61,
        "kl_of_log_sigma",
        LOSSES,
        (
            (
                LATENT,
                "latent = 1.0 + 2.0 * log_variance - mean.square() - (2.0 * log_variance).exp()",
            ),
        ),
        "loss",
        "train/kl",
    ),
    Mutant(
        61,
        "kl_mean_over_the_latent",
        LOSSES,
        (("latent.sum(1).mean()", "latent.mean()"),),
        "loss",
        "train/kl",
    ),
    Mutant(62, "huber_delta", LOSSES, ((', delta=config["delta"])', ")"),), "loss", "train/huber"),
    Mutant(
        62,
        "kldiv_mean",
        LOSSES,
        ((DIVERGENCE, DIVERGENCE.replace("batchmean", "mean")),),
        "loss",
        "train/divergence",
    ),
    Mutant(
        62,
        "kldiv_of_probabilities",
        LOSSES,
        ((DIVERGENCE, DIVERGENCE.replace("log_softmax", "softmax")),),
        "loss",
        "train/divergence",
    ),
    Mutant(
        63,
        "std_unbiased",
        LOSSES,
        (("hidden.std(0, correction=0)", "hidden.std(0)"),),
        "forward",
        "training/deviation",
    ),
)
