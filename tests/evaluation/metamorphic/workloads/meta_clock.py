"""`meta_clock`: a loss that warms up with a clock, momentum, and an average of the weights:
state that is declared."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Clock(Small):
    """Linear regression of inputs that are centred over the batch, with everything that training
    carries along."""

    name = "meta_clock"
    backends = ("numpy",)

    def parameters(self, hyper):
        """Return a product, and what is carried: nothing of it is trained."""
        carried = (
            Parameter("clock", (1,), trainable=False),
            Parameter("velocity", (4, 1), trainable=False),
        )
        return (
            Parameter("w", (4, 1), "glorot_uniform"),
            *carried,
            Parameter("average", (4, 1), "ones", trainable=False),
        )

    def data(self, hyper):
        """Return rows and targets."""
        drawn = generator()
        return rows(x=drawn.uniform(-1, 1, (64, 4)), y=drawn.uniform(-1, 1, (64, 1)))


WORKLOAD = Clock()
