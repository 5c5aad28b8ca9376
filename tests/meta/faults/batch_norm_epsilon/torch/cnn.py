"""`cnn` with 2^-17 for the epsilon of batch-norm, 2^-10."""

from backends.torch.cnn import Port as Shipped


class Port(Shipped):
    """The planted fault."""

    def build(self):
        """Return the network with another epsilon."""
        network = super().build()
        network.batch_norm.epsilon = 2.0**-17
        return network
