"""`centred`: a dense layer with a bias directly before batch normalisation, which takes the bias
out again.

The gradient of that bias is mathematically zero; what the frameworks compute for it is rounding
noise.
"""

from harness.workloads.linear import Linear
from harness.workloads.spec import Parameter


class Centred(Linear):
    """x W + b, normalised over the batch, summed over the units."""

    name = "centred"
    backends = ("tf2", "torch")

    def hyperparameters(self, preset):
        """Return those of `linear`, the number of units and the epsilon of the normalisation."""
        return {**super().hyperparameters(preset), "units": 8, "epsilon": 2.0**-10}

    def parameters(self, hyper):
        """Return the layer's kernel and bias, and a kernel that tells the units apart."""
        units = hyper["units"]
        return (
            Parameter("dense/kernel", (hyper["features"], units), "glorot_uniform"),
            Parameter("dense/bias", (units,)),
            Parameter("head/kernel", (units, 1), "glorot_uniform"),
        )


WORKLOAD = Centred()
