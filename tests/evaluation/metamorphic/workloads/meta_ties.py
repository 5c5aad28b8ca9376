"""`meta_ties`: repeated tokens, weights of ones and zeros: gradients at kinks and at exact ties."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Ties(Small):
    """Minimum, absolute value, rectifier, clipping, sorting and the place of the largest, all at
    ties."""

    name = "meta_ties"

    def parameters(self, hyper):
        """Return a gain and an offset for each place, and what weighs the features."""
        places = (Parameter("gain", (3,), "ones"), Parameter("place", (3,)))
        return (
            *places,
            Parameter("table", (3, 2), "glorot_uniform"),
            Parameter("mix", (15, 1), "glorot_uniform"),
        )

    def data(self, hyper):
        """Return rows of three tokens, each -1, 0 or 1."""
        drawn = generator()
        return rows(
            x=drawn.randint(-1, 2, (64, 3)).astype("float64"), y=drawn.uniform(-1, 1, (64, 1))
        )


WORKLOAD = Ties()
