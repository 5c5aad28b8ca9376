"""Bugs of the catalogue that the ports of `ehr_mgan` have met, a model of many phases and
optimizers.

A recording of it takes half a minute, so what a smaller workload shows as well is planted there.
"""

from __future__ import annotations

from tests.evaluation.zoo.mutant import Mutant

GAN = "ehr_mgan"

MUTANTS = (
    # The penalty that the original declares and never adds.
    Mutant(
        2,
        "l2_added",
        GAN,
        (
            (
                "        return terms(stream, arrays, noise)",
                """        found = terms(stream, arrays, noise)
        weights = [self.trainable[name] for name in self.updates[phase][1]]
        penalty = 0.001 * sum(0.5 * weight.square().sum() for weight in weights)
        return {**found, "total": found["total"] + penalty}""",
            ),
        ),
        "loss",
        "pretrain/continuous/total",
    ),
    # Two trained biases where the model has one, as nn.LSTM comes: their sum moves twice as far.
    Mutant(
        17,
        "doubled_bias",
        GAN,
        (
            (
                "    def build(self)",
                """    def _update(self, phase, arrays, noise):
        biases = [
            weight
            for name, weight in self.trainable.items()
            if name.endswith("/bias") and "/layer" in name
        ]
        before = [bias.detach().clone() for bias in biases]
        terms = super()._update(phase, arrays, noise)
        with torch.no_grad():
            for bias, old in zip(biases, before, strict=True):
                bias.add_(bias - old)
        return terms

    def build(self)""",
            ),
        ),
        "update",
        "step 1/pretrain/continuous/parameter/vae/continuous/decoder/layer2/bias",
    ),
    # What both VAEs share has one pair of moments.
    Mutant(
        32,
        "single_vae_optimizer",
        GAN,
        (
            (
                "        TorchPort.__init__(self, config, setting)\n",
                """        TorchPort.__init__(self, config, setting)
        for schedule in ("pretrain", "joint/vae"):
            continuous = self.optimizers[schedule + "/continuous"]
            self.optimizers[schedule + "/discrete"].state = continuous.state
""",
            ),
        ),
        "update",
        "step 1/pretrain/discrete/parameter/vae/shared/decoder/layer1/bias",
    ),
    # The textbook's divergence.
    Mutant(
        61,
        "kl_of_variance",
        GAN,
        (
            (
                "torch.exp(logarithm) + mu.square() - logarithm - 1.0",
                "torch.exp(2.0 * logarithm) + mu.square() - 2.0 * logarithm - 1.0",
            ),
        ),
        "loss",
        "pretrain/continuous/kl",
        file="losses.py",
    ),
    # As any other model would, but for this one.
    Mutant(
        65,
        "no_dropout_in_generation",
        GAN,
        (
            (
                "        latents = self.networks.latents(arrays, noise, {})",
                """        kept = self.config["keep"]
        generated = {
            site: torch.full_like(item, kept)
            for site, item in noise.items()
            if site.startswith("generated/")
        }
        noise = {**noise, **generated}
        latents = self.networks.latents(arrays, noise, {})""",
            ),
        ),
        "forward",
        "generate",
    ),
    Mutant(
        77,
        "discriminators_last",
        GAN,
        (
            (
                "        self.LAYOUT = layouts(config)",
                """        pretraining, joint = config["schedule"]
        late = sorted(joint["phases"], key=lambda phase: "discriminator" in phase)
        config = dict(config, schedule=[pretraining, dict(joint, phases=late)])
        self.LAYOUT = layouts(config)""",
            ),
        ),
        "trajectory",
        "step 5/loss/joint/",
    ),
)
