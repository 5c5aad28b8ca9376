"""`zoo_averages`: a small regressor whose averages are what ports get wrong: of weights, of losses,
over batches of unequal size.

`generate` predicts with a moving average of the weights, whose decay warms up as TF1's does. The
term `evaluation` is the loss of held-out rows, in batches of which the last is smaller. In `train`
the last batch of an epoch is smaller too: of its rows on the tape those with the lowest numbers
exist (a choice that does not depend on their order).
"""

from harness.workloads.linear import Linear
from harness.workloads.spec import Optimizer, Parameter

HELD_OUT = 20


class ZooAverages(Linear):
    """A regressor of the diabetes table with averaged weights and smaller last batches."""

    name = "zoo_averages"
    backends = ("tf2", "torch")
    presets = ("tiny",)

    def hyperparameters(self, preset):
        """Return the sizes, and the rows that are held out, as lists."""
        found = super().data({})
        return {
            "batch": 8,
            "epoch_rows": 20,
            "features": 10,
            "units": 8,
            "decay": 0.375,
            "batch_norm": {"epsilon": 2.0**-10, "momentum": 1.0 - 2.0**-2},
            "held_out": {name: found[name][-HELD_OUT:].tolist() for name in ("x", "y")},
        }

    def parameters(self, hyper):
        """Return two layers with batch normalisation between them."""
        units = hyper["units"]
        return (
            Parameter("hidden/kernel", (hyper["features"], units), "glorot_uniform"),
            Parameter("hidden/bias", (units,)),
            Parameter("batch_norm/gamma", (units,), "ones"),
            Parameter("batch_norm/beta", (units,)),
            Parameter("batch_norm/moving_mean", (units,), "zeros", trainable=False),
            Parameter("batch_norm/moving_variance", (units,), "ones", trainable=False),
            Parameter("output/kernel", (units, 1), "glorot_uniform"),
            Parameter("output/bias", (1,)),
        )

    def optimizers(self, hyper):
        """Return SGD."""
        return {"sgd": Optimizer("sgd", learning_rate=2.0**-5)}

    def data(self, hyper):
        """Return `x`, `y` and `eval_x` of `linear` without the rows held out, and the number of
        each row, `row`."""
        found = super().data(hyper)
        kept = {
            name: value if name.startswith("eval_") else value[:-HELD_OUT]
            for name, value in found.items()
        }
        return {**kept, "row": kept["x"][:, 0].argsort().argsort().astype("int64")}


WORKLOAD = ZooAverages()
