"""`cnn` on torch's own batch-norm, whose running variance moves towards n/(n-1) times the population variance."""

from torch.nn import functional

from backends.torch.cnn import Port as Shipped
from backends.torch.core import BatchNorm


class Unbiased(BatchNorm):
    """The planted fault."""

    def forward(self, x):
        """Normalise x, letting torch move the running statistics."""
        if not (self.training and self.tracking):
            return super().forward(x)
        return functional.batch_norm(
            x, self.moving_mean, self.moving_variance, self.gamma, self.beta, True, 1.0 - self.momentum, self.epsilon)


class Port(Shipped):
    """The network with that layer."""

    def build(self):
        """Return the network with the other batch-norm."""
        network = super().build()
        network.batch_norm = Unbiased(self.config["units"], **self.config["batch_norm"])
        return network
