"""`zoo_scaling`: a small regressor trained with a dynamic loss scale in every precision, clipping,
and a rate that changes.

The scale begins high and doubles after every second good update, so in `fp16` gradients overflow
within a few steps. An update that overflows is passed over, and the schedule does not count it.
Most gradients are not long enough to be clipped.
"""

from harness.workloads.linear import Linear
from harness.workloads.spec import Optimizer, Parameter


class ZooScaling(Linear):
    """A regressor of the diabetes table under a dynamic loss scale."""

    name = "zoo_scaling"
    backends = ("tf2", "torch")
    presets = ("tiny",)

    def hyperparameters(self, preset):
        """Return the sizes, the loss scale, where gradients are clipped, and when the rate
        changes."""
        return {
            "batch": 16,
            "features": 10,
            "units": 8,
            "loss_scale": 2.0**16,
            "growth": 2,
            "clip_norm": 2.0**2,
            "rate": 2.0**-3,
            "factor": 2.0**-3,
            "updates_at_first": 3,
        }

    def parameters(self, hyper):
        """Return two layers."""
        units = hyper["units"]
        return (
            Parameter("hidden/kernel", (hyper["features"], units), "glorot_uniform"),
            Parameter("hidden/bias", (units,)),
            Parameter("output/kernel", (units, 1), "glorot_uniform"),
            Parameter("output/bias", (1,)),
        )

    def optimizers(self, hyper):
        """Return SGD."""
        return {"sgd": Optimizer("sgd", learning_rate=hyper["rate"])}

    def forward(self, hyper):
        """Return that there is no difference between training and inference."""
        return {"phase": "train", "modes": ["inference"]}


WORKLOAD = ZooScaling()
