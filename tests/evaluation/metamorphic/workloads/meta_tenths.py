"""`meta_tenths`: tenths in buckets whose edges are tenths, too: equal in every precision, and
not if one side alone is rounded."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Tenths(Small):
    """A row of a table for each bucket, and a product of what is left of the value."""

    name = "meta_tenths"

    def parameters(self, hyper):
        """Return the table and what weighs it."""
        return (
            Parameter("table", (5, 4), "glorot_uniform"),
            Parameter("out", (4, 1), "glorot_uniform"),
        )

    def data(self, hyper):
        """Return tenths in [-0.5, 0.5] and targets."""
        drawn = generator()
        return rows(x=drawn.randint(-5, 6, 64) / 10.0, y=drawn.uniform(-1, 1, (64, 1)))


WORKLOAD = Tenths()
