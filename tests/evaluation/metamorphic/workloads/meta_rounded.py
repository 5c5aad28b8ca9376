"""`meta_rounded`: casts to float32 and to steps of 1/64, in float64 too and on both sides: the
same function."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Rounded(Small):
    """Two products with casts between them."""

    name = "meta_rounded"

    def parameters(self, hyper):
        """Return two products."""
        return (
            Parameter("kernel", (5, 4), "glorot_uniform"),
            Parameter("out", (4, 1), "glorot_uniform"),
        )

    def data(self, hyper):
        """Return rows and targets."""
        drawn = generator()
        return rows(x=drawn.uniform(-1, 1, (64, 5)), y=drawn.uniform(-1, 1, (64, 1)))


WORKLOAD = Rounded()
