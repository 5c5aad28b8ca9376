"""`faint`: `linear` with its bias behind a gain of 2^-27, so that the bias's gradient is real
and about 1e-8."""

from harness.workloads.linear import Linear


class Faint(Linear):
    """Linear regression with a faint bias."""

    name = "faint"
    backends = ("torch",)

    def hyperparameters(self, preset):
        """Return those of `linear`, and the gain."""
        return {**super().hyperparameters(preset), "gain": 2.0**-27}


WORKLOAD = Faint()
