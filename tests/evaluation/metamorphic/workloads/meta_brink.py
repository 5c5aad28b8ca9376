"""`meta_brink`: few variations are left: inputs lie on edges, rows are mixed with each other,
and rounding is magnified."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Brink(Small):
    """Floors of whole numbers, each row mixed with the next one, and a wave that magnifies
    rounding."""

    name = "meta_brink"

    def parameters(self, hyper):
        """Return two products."""
        return (
            Parameter("kernel", (5, 4), "glorot_uniform"),
            Parameter("out", (4, 1), "glorot_uniform"),
        )

    def data(self, hyper):
        """Return whole numbers and targets."""
        drawn = generator()
        return rows(
            x=drawn.randint(-3, 4, (64, 5)).astype("float64"), y=drawn.uniform(-1, 1, (64, 1))
        )


WORKLOAD = Brink()
