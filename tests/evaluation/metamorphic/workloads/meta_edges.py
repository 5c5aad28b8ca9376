"""`meta_edges`: numbers that lie exactly on the edges of buckets, of rounding, of thresholds and
of ranges."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Edges(Small):
    """Multiples of a half through everything that jumps."""

    name = "meta_edges"

    def parameters(self, hyper):
        """Return a table for buckets, and what weighs the features."""
        return (
            Parameter("table", (5, 2), "glorot_uniform"),
            Parameter("mix", (24, 1), "glorot_uniform"),
        )

    def data(self, hyper):
        """Return multiples of a half in [-3, 3]."""
        drawn = generator()
        return rows(x=drawn.randint(-6, 7, (64, 3)) / 2.0, y=drawn.uniform(-1, 1, (64, 1)))


WORKLOAD = Edges()
