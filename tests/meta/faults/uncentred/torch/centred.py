"""`centred` without its centring: batch statistics are taken about zero, so the bias has a real
gradient."""

from backends.protocol.loading import load, locate

Honest = load(
    locate("torch", "centred", [__file__.split("meta/faults")[0] + "evaluation/workloads"])
)


class Port(Honest):
    """The planted fault."""

    def normalise(self, hidden):
        """Return the hidden values over their root mean square."""
        return hidden / (hidden.square().mean(dim=0) + self.config["epsilon"]).sqrt()
