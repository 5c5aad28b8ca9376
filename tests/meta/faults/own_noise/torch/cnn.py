"""`cnn` that draws its own dropout masks and never looks at the tape's."""

from backends.ports.torch.cnn import Port as Shipped


class Port(Shipped):
    """The planted fault."""

    def output(self, arrays, noise, record):
        """Return the logits under a mask of torch's own."""
        return super().output(arrays, None, record)
