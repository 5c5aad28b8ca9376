"""`zoo_losses`: one small network with a head for every loss that frameworks define in two ways;
each is a term.

The data are scikit-learn's table of wines: the class of a wine, its proline (not known of some),
and whether it is of the rarest class. Two heads predict rare events: constants are taken off their
logits, so that probabilities are small and are clipped.
"""

import numpy as np

from harness.workloads.spec import Optimizer, Parameter, Workload

HEADS = {
    "value": 1,
    "chance": 1,
    "event": 1,
    "classes": 3,
    "parts": 3,
    "mean": 4,
    "log_variance": 4,
}
HELD_OUT = 18


class Losses(Workload):
    """A dense layer, the batch's own deviation beside it, seven heads, ten losses."""

    name = "zoo_losses"
    backends = ("tf2", "torch")
    presets = ("tiny",)
    default = False

    def hyperparameters(self, preset):
        """Return the sizes and every constant of a loss."""
        constants = {
            "class_weights": [0.5, 1.0, 2.0],
            "smoothing": 0.125,
            "delta": 0.5,
            "clip": 2.0**-12,
            "rare": 8.0,
            "never": 32.0,
        }
        return {"batch": 8, "features": 12, "units": 10, "heads": HEADS, **constants}

    def parameters(self, hyper):
        """Return the layers' kernels and biases."""
        shapes = {
            "hidden": (hyper["features"], hyper["units"]),
            **{name: (hyper["units"] + 1, size) for name, size in HEADS.items()},
        }
        return tuple(
            Parameter(f"{name}/{part}", shape[-rank:], "glorot_uniform")
            for name, shape in shapes.items()
            for part, rank in (("kernel", 2), ("bias", 1))
        )

    def optimizers(self, hyper):
        """Return Adam."""
        return {
            "adam": Optimizer(
                "adam", learning_rate=2.0**-8, beta1=0.875, beta2=1.0 - 2.0**-10, epsilon=2.0**-23
            )
        }

    def data(self, hyper):
        """Return `x` [rows, 12], `class` [rows], `rare` and `value` [rows, 1], and `known`
        [rows, 1]: 1 where `value` counts, else 0."""
        from sklearn.datasets import load_wine

        wines = load_wine()
        generator = np.random.RandomState(0)
        order = generator.permutation(len(wines.target))
        table, classes = wines.data[order], wines.target[order].astype(np.int64)
        table = (table - table.mean(axis=0)) / table.std(axis=0)
        training = {
            "x": table[:, :-1],
            "class": classes,
            "rare": (classes == 2)[:, None].astype(np.int64),
            "value": table[:, -1:],
            "known": (generator.uniform(size=(len(table), 1)) < 0.75).astype(np.int64),
        }
        held_out = {"eval_x": table[-HELD_OUT:, :-1]}
        return {
            **{name: np.ascontiguousarray(values[:-HELD_OUT]) for name, values in training.items()},
            **held_out,
        }


WORKLOAD = Losses()
