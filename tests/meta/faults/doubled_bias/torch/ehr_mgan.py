"""`ehr_mgan` on nn.LSTM as it comes: two trained biases where the model has one, so that their sum moves twice as far."""

import re

import torch

from backends.torch.ehr_mgan import Port as Shipped


class Port(Shipped):
    """The planted fault."""

    def _update(self, phase, arrays, noise):
        """Run the update, and move every LSTM's bias on by as much again."""
        biases = [weight for name, weight in self.trainable.items() if re.search(r"/layer\d/bias$", name)]
        before = [bias.detach().clone() for bias in biases]
        terms = super()._update(phase, arrays, noise)
        with torch.no_grad():
            for bias, old in zip(biases, before, strict=True):
                bias.add_(bias - old)
        return terms
