"""`meta_power`: a kernel divided by its largest singular value; the vector of the power
iteration is nowhere declared, on either side."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Power(Small):
    """Spectral normalisation with one iteration a look in training."""

    name = "meta_power"

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


WORKLOAD = Power()
