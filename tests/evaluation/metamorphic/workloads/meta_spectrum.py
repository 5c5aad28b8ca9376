"""`meta_spectrum`: a filter in the domain of frequencies: complex activations from real weights."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Spectrum(Small):
    """Transform, filter, transform back, weigh."""

    name = "meta_spectrum"

    def parameters(self, hyper):
        """Return the filter's real and imaginary part, and what weighs the signal."""
        shapes = {"real": (5,), "imaginary": (5,), "out": (8, 1)}
        return tuple(Parameter(name, shape, "glorot_uniform") for name, shape in shapes.items())

    def data(self, hyper):
        """Return signals and targets."""
        drawn = generator()
        return rows(x=drawn.uniform(-1, 1, (64, 8)), y=drawn.uniform(-1, 1, (64, 1)))


WORKLOAD = Spectrum()
