"""Bugs of training two networks against each other, in `zoo_adversarial`."""

from __future__ import annotations

from tests.evaluation.zoo.mutant import Mutant

ADVERSARIAL = "zoo_adversarial"
LOSS = "\n    def loss_terms("
#: `zero_grad` of torch before 2.0: zeros, not None, so Adam moves on by its moments what a phase
#: does not train.
ZEROS = """
    def _update(self, phase, arrays, noise):
        for weight in self.trainable.values():
            weight.grad = torch.zeros_like(weight)
        return super()._update(phase, arrays, noise)
"""
GENERATOR_FIRST = """
    def _train_once(self, source):
        phases = reversed(self.config["phases"])
        batches = [(phase, source.batch(source.cursor, phase)) for phase in phases]
        return [
            (phase, self._update(phase, *self._on_device(phase, batch)))
            for phase, batch in batches
        ]
"""

MUTANTS = (
    Mutant(
        77,
        "critic_without_detach",
        ADVERSARIAL,
        (("fake.detach()", "fake"),),
        "gradients",
        "critic/shared/kernel",
    ),
    Mutant(
        77,
        "generator_detached",
        ADVERSARIAL,
        (
            (
                'return {"total": error(self.score(fake), 1.0)}',
                'return {"total": error(self.score(fake.detach()), 1.0)}',
            ),
        ),
        "gradients",
        "generator/",
    ),
    Mutant(
        77,
        "zero_gradients_for_none",
        ADVERSARIAL,
        ((LOSS, ZEROS + LOSS),),
        "update",
        "step 1/generator/slot/adam/critic",
    ),
    Mutant(
        77,
        "generator_first",
        ADVERSARIAL,
        ((LOSS, GENERATOR_FIRST + LOSS),),
        "trajectory",
        "step 1/loss/",
    ),
)
