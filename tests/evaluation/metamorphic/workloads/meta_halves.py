"""`meta_halves`: many activations in half precision, on both sides: in float32 some of them
round to the other neighbour."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Halves(Small):
    """Two products with a half-precision activation between them."""

    name = "meta_halves"

    def parameters(self, hyper):
        """Return two products."""
        return (
            Parameter("kernel", (32, 64), "glorot_uniform"),
            Parameter("out", (64, 1), "glorot_uniform"),
        )

    def data(self, hyper):
        """Return rows and targets."""
        drawn = generator()
        return rows(x=drawn.uniform(-1, 1, (64, 32)), y=drawn.uniform(-1, 1, (64, 1)))


WORKLOAD = Halves()
