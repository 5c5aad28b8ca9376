"""`meta_loop`: a training loop as somebody wrote it, in micro-batches; tokens that are masked
differ in number from row to row."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Loop(Small):
    """Linear regression of three tokens a row; the loss is the mean over all tokens that count."""

    name = "meta_loop"
    backends = ("numpy",)

    def parameters(self, hyper):
        """Return a product and an offset."""
        return (Parameter("w", (4, 1), "glorot_uniform"), Parameter("b", (1,)))

    def data(self, hyper):
        """Return tokens, targets, and which tokens count."""
        drawn = generator()
        m = (drawn.uniform(size=(64, 3, 1)) < 0.6).astype("int64")
        m[:, 0] = 1
        return rows(x=drawn.uniform(-1, 1, (64, 3, 4)), m=m, y=drawn.uniform(-1, 1, (64, 3, 1)))


WORKLOAD = Loop()
