"""`wine` on torch, with the sum over the batch where the specification has the mean."""

from torch.nn import functional

from backends.protocol.loading import load, locate

Honest = load(locate("torch", "wine", [__file__.split("astray")[0] + "outside"]))


class Port(Honest):
    """Another loss."""

    def terms(self, output, arrays):
        """Return the cross-entropy, summed."""
        return {"total": functional.cross_entropy(output, arrays["y"], reduction="sum")}
