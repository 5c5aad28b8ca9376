"""`ehr_mgan` that draws the latents' noise afresh every hour."""

from backends.ports.torch.ehr_mgan import Port as Shipped


class Port(Shipped):
    """The planted fault."""

    def __init__(self, config, setting):
        super().__init__(config, setting)
        loop, self.hour = self.vaes.loop, 0
        shipped = loop.forth

        def forth(x, e, *rest):
            self.hour = (self.hour + 1) % self.config["hours"]
            return shipped(x, e.roll(self.hour, dims=2), *rest)

        loop.forth = forth
