"""`meta_storage`: values that are used twice, which a port that computes in place overwrites too
early."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Storage(Small):
    """A rectifier beside the values that enter it, and columns that are doubled."""

    name = "meta_storage"

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


WORKLOAD = Storage()
