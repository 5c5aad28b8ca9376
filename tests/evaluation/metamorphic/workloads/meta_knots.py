"""`meta_knots`: ties at weights of ones in rows that are mixed with each other: every variation
crosses something, on both sides."""

from harness.workloads.spec import Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Knots(Small):
    """Minimum, rectifier and clipping at ties, of rows that are mixed with the next one."""

    name = "meta_knots"

    def parameters(self, hyper):
        """Return a gain and an offset for each place, and what weighs the features."""
        places = (Parameter("gain", (3,), "ones"), Parameter("place", (3,)))
        return (*places, Parameter("mix", (7, 1), "glorot_uniform"))

    def data(self, hyper):
        """Return rows of three tokens, each -1, 0 or 1."""
        drawn = generator()
        return rows(
            x=drawn.randint(-1, 2, (64, 3)).astype("float64"), y=drawn.uniform(-1, 1, (64, 1))
        )


WORKLOAD = Knots()
