"""`meta_noise`: linear regression with jitter on the inputs and dropout, both from the tape."""

from harness.workloads.spec import Noise, Parameter
from tests.evaluation.metamorphic.small import Small, generator, rows


class Jittered(Small):
    """Noise that the tape holds; a port that draws its own from a fixed seed repeats itself, and
    is wrong."""

    name = "meta_noise"
    backends = ("numpy",)

    def parameters(self, hyper):
        """Return a product and an offset."""
        return (Parameter("w", (4, 1), "glorot_uniform"), Parameter("b", (1,)))

    def noise(self, hyper):
        """Return the jitter and the mask."""
        phases = ("train", "forward")
        return (
            Noise(phases, "jitter", (8, 4), "normal"),
            Noise(phases, "keep", (8, 4), "keep_mask", keep=0.75),
        )

    def data(self, hyper):
        """Return rows and targets."""
        drawn = generator()
        return rows(x=drawn.uniform(-1, 1, (64, 4)), y=drawn.uniform(-1, 1, (64, 1)))


WORKLOAD = Jittered()
