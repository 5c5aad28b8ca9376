"""Bugs of batch normalisation: in `cnn`, and in `zoo_norm` what a network with one such layer
cannot show."""

from __future__ import annotations

from tests.evaluation.zoo.mutant import Mutant

CNN, NORM = "cnn", "zoo_norm"
OPTIONS = '**config["batch_norm"])'
MEAN, VARIANCE = "parameter/batch_norm/moving_mean", "parameter/batch_norm/moving_variance"

MUTANTS = (
    Mutant(
        6,
        "batch_norm_epsilon",
        CNN,
        ((OPTIONS, '**dict(config["batch_norm"], epsilon=2.0**-17))'),),
        "forward",
        "training/batch_norm",
    ),
    Mutant(
        7,
        "batch_norm_momentum",
        CNN,
        ((OPTIONS, '**dict(config["batch_norm"], momentum=2.0**-6))'),),
        "update",
        MEAN,
    ),
    # torch's own layer, where the original is Keras'.
    Mutant(
        8,
        "batch_norm_unbiased",
        NORM,
        (("self.last = Norm(units, options)", "self.last = Norm(units, options, unbiased=True)"),),
        "update",
        "parameter/last/moving_variance",
    ),
    # Keras' layer, where the original ran TensorFlow's fused kernel; in float32, for that kernel
    # has no float64.
    Mutant(
        9,
        "batch_norm_not_fused",
        NORM,
        (("unbiased=True, scale=False", "scale=False"),),
        "update",
        "parameter/fused/moving_variance",
        precision="fp32",
    ),
    Mutant(
        10,
        "frozen_on_batch_statistics",
        NORM,
        (("if self.training and not self.frozen:", "if self.training:"),),
        "forward",
        "training/frozen",
    ),
    # All of the old is kept: the updates of the moving statistics never run.
    Mutant(
        11,
        "moving_statistics_never_moved",
        CNN,
        ((OPTIONS, '**dict(config["batch_norm"], momentum=1.0))'),),
        "update",
        MEAN,
    ),
    Mutant(
        12,
        "contrib_decay",
        CNN,
        ((OPTIONS, '**dict(config["batch_norm"], momentum=1.0 - 2.0**-10))'),),
        "update",
        MEAN,
    ),
    Mutant(
        12,
        "contrib_no_scale",
        NORM,
        (("self.last = Norm(units, options)", "self.last = Norm(units, options, scale=False)"),),
        "forward",
        "training/last",
    ),
    Mutant(
        13,
        "last_gamma_zero",
        NORM,
        (
            (
                "    def build(self):",
                """    def load_parameters(self, values):
        \"\"\"Set the weights, and begin every residual block as the identity.\"\"\"
        super().load_parameters(values)
        nn.init.zeros_(self.model.last.gamma)

    def build(self):""",
            ),
        ),
        "weights",
        "last/gamma",
    ),
    Mutant(
        14,
        "statistics_of_a_placeholder",
        NORM,
        (
            (
                "    def build(self):",
                """    def _update(self, phase, arrays, noise):
        \"\"\"Run an update; the first one lets lazy layers see a placeholder.\"\"\"
        if self.updaters["adam"].attempts == 0:
            self.model(torch.ones_like(arrays["x"]), None)
        return super()._update(phase, arrays, noise)

    def build(self):""",
            ),
        ),
        "update",
        "parameter/fused/moving_mean",
    ),
)
