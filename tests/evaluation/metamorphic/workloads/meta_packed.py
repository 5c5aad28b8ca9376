"""`meta_packed`: sequences of unequal lengths, which the torch port sorts by length for its
loop."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Packed(Small):
    """A recurrent cell whose state stops at each row's own length; several rows have the same."""

    name = "meta_packed"

    def parameters(self, hyper):
        """Return the cell and the head."""
        shapes = {"kernel": (3, 4), "recurrent": (4, 4), "out": (4, 1)}
        return tuple(Parameter(name, shape, "glorot_uniform") for name, shape in shapes.items())

    def data(self, hyper):
        """Return sequences, their lengths, and targets."""
        drawn = generator()
        x, length = drawn.uniform(-1, 1, (64, 5, 3)), drawn.randint(1, 6, 64)
        return rows(x=x, length=length, y=drawn.uniform(-1, 1, (64, 1)))


WORKLOAD = Packed()
