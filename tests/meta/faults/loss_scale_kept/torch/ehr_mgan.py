"""`ehr_mgan` that skips an update that overflows and goes on with the same loss scale."""

from backends.ports.torch.ehr_mgan import Port as Shipped


class Port(Shipped):
    """The planted fault."""

    def __init__(self, config, setting):
        super().__init__(config, setting)
        for updater in self.updaters.values():
            if updater.scale is not None:
                updater.scale.settle = self.without_halving(updater.scale)

    @staticmethod
    def without_halving(scale):
        """Return what counts updates and lets the scale be."""
        settle = scale.settle

        def run(found):
            kept = scale.scale.clone()
            settle(found)
            scale.scale.copy_(kept)

        return run
