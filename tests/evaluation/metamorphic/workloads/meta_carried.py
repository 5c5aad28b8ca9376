"""`meta_carried`: a recurrent state that goes on from batch to batch, row by row, and is
declared."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Carried(Small):
    """Truncated sequences: a batch begins where the one before it ended."""

    name = "meta_carried"

    def parameters(self, hyper):
        """Return the cell, the head and the carried state."""
        shapes = {"kernel": (3, 4), "recurrent": (4, 4), "out": (4, 1)}
        cell = tuple(Parameter(name, shape, "glorot_uniform") for name, shape in shapes.items())
        return (*cell, Parameter("state", (8, 4), trainable=False))

    def data(self, hyper):
        """Return sequences and targets."""
        drawn = generator()
        return rows(x=drawn.uniform(-1, 1, (64, 3, 3)), y=drawn.uniform(-1, 1, (64, 1)))


WORKLOAD = Carried()
