"""`meta_norm`: rows standardised over the batch, and set against the batch's largest."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Norm(Small):
    """Statistics of the batch in training and in inference: rows influence each other."""

    name = "meta_norm"

    def parameters(self, hyper):
        """Return two products, and an offset that nothing depends on: its gradient is nothing
        but rounding."""
        kernels = (
            Parameter("kernel", (5, 4), "glorot_uniform"),
            Parameter("out", (4, 1), "glorot_uniform"),
        )
        return (*kernels, Parameter("offset", (4,)))

    def data(self, hyper):
        """Return rows and targets."""
        drawn = generator()
        return rows(x=drawn.uniform(-1, 1, (64, 5)), y=drawn.uniform(-1, 1, (64, 1)))


WORKLOAD = Norm()
