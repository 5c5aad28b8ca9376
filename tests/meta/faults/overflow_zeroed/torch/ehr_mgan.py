"""`ehr_mgan` that never skips an update: what is not finite in a gradient becomes zero."""

import torch

from backends.ports.torch.ehr_mgan import Port as Shipped


class Port(Shipped):
    """The planted fault."""

    def __init__(self, config, setting):
        super().__init__(config, setting)
        for updater in self.updaters.values():
            if updater.scale is not None:
                updater.scale.unscale = self.without_infinities(updater.scale.unscale)

    @staticmethod
    def without_infinities(unscale):
        """Return what divides gradients by the scale and finds nothing amiss."""

        def run(gradients):
            found = unscale(gradients)
            for gradient in gradients:
                gradient.nan_to_num_(0.0, 0.0, 0.0)
            return torch.zeros_like(found)

        return run
