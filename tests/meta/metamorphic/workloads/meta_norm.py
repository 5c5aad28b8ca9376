"""`meta_norm`: rows standardised over the batch, and set against the batch's largest."""

from harness.workloads.spec import Parameter
from tests.meta.metamorphic.small import Small, generator, rows


class Norm(Small):
    """Statistics of the batch in training and in inference: rows influence each other."""

    name = "meta_norm"

    def parameters(self, hyper):
        """Return two products."""
        return (Parameter("kernel", (5, 4), "glorot_uniform"), Parameter("out", (4, 1), "glorot_uniform"))

    def data(self, hyper):
        """Return rows and targets."""
        drawn = generator()
        return rows(x=drawn.uniform(-1, 1, (64, 5)), y=drawn.uniform(-1, 1, (64, 1)))


WORKLOAD = Norm()
