"""`saturated`: EHR-M-GAN where its small preset never goes: decoded probabilities of 0 and 1, and a
scale that float32 rounds.

Fresh weights decode to about a half, so nothing comes near the bounds at which probabilities are
clipped, and the synthetic cohort's units are round numbers.
"""

import dataclasses

import numpy as np

from harness.workloads.ehr_mgan import EhrMGan
from harness.workloads.spec import Parameter

BIAS = "vae/discrete/output/bias"
#: Its sigmoid is 0 or 1 to the last place.
SIZE = 64.0


class Alternating(Parameter):
    """A vector of one size and both signs."""

    def draw(self, generator):
        """Return it; the generator is left alone."""
        return np.where(np.arange(*self.shape) % 2, -SIZE, SIZE)


class Saturated(EhrMGan):
    """The same model, sure of each intervention, on the same stays in other units."""

    backends = ("torch",)

    def __init__(self):
        super().__init__()
        self.name, cohort = "saturated", self.cohort

        def rescaled(preset):
            found = cohort(preset)
            return dataclasses.replace(found, minimum=found.minimum + 0.1, range=found.range * 1.1)

        self.cohort = rescaled

    def parameters(self, hyper):
        """Return those of `ehr_mgan`, with a bias that decides what is decoded."""
        return tuple(
            Alternating(BIAS, item.shape) if item.name == BIAS else item
            for item in super().parameters(hyper)
        )


WORKLOAD = Saturated()
