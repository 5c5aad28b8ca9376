"""`meta_pairs`: two views of each row, told from the other rows of the batch: rows influence
each other, and rightly."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Pairs(Small):
    """A contrastive loss with the batch's own rows as negatives."""

    name = "meta_pairs"

    def parameters(self, hyper):
        """Return the encoder."""
        return (Parameter("kernel", (5, 4), "glorot_uniform"),)

    def data(self, hyper):
        """Return two views."""
        drawn = generator()
        return rows(x=drawn.uniform(-1, 1, (64, 5)), z=drawn.uniform(-1, 1, (64, 5)))


WORKLOAD = Pairs()
