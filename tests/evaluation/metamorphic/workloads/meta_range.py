"""`meta_range`: activations divided by a running range, as observers of quantisation keep it; it
is declared."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Range(Small):
    """The range decays, and is never less than the batch's largest."""

    name = "meta_range"

    def parameters(self, hyper):
        """Return two products and the range."""
        kernels = (
            Parameter("kernel", (5, 4), "glorot_uniform"),
            Parameter("out", (4, 1), "glorot_uniform"),
        )
        return (*kernels, Parameter("range", (1,), "ones", trainable=False))

    def data(self, hyper):
        """Return rows and targets."""
        drawn = generator()
        return rows(x=drawn.uniform(-0.25, 0.25, (64, 5)), y=drawn.uniform(-1, 1, (64, 1)))


WORKLOAD = Range()
