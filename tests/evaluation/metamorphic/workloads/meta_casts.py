"""`meta_casts`: no cast anywhere: what one side casts to a lower precision swallows a unit in
the last place."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Casts(Small):
    """Two products with a hyperbolic tangent between them."""

    name = "meta_casts"

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


WORKLOAD = Casts()
