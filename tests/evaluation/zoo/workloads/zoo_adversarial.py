"""`zoo_adversarial`: a small GAN of scikit-learn's irises whose two networks share a matrix,
trained by one Adam.

The shared matrix encodes what the critic sees and decodes what the generator makes, and both phases
train it: what the critic's loss may not reach through a generated flower is decided by where the
gradient is stopped, not by who updates what.
"""

import numpy as np

from harness.workloads.spec import Noise, Optimizer, Parameter, Update, Workload

HELD_OUT = 22


class Adversarial(Workload):
    """Generator and critic, one dense layer each besides the shared matrix."""

    name = "zoo_adversarial"
    backends = ("tf2", "torch")
    presets = ("tiny",)
    default = False

    def hyperparameters(self, preset):
        """Return the sizes."""
        return {"batch": 8, "features": 4, "code": 6, "units": 10}

    def parameters(self, hyper):
        """Return the shared matrix and the layers of both."""
        code, units = hyper["code"], hyper["units"]
        shapes = {
            "generator/hidden": (code, units),
            "generator/code": (units, code),
            "critic/hidden": (code, units),
            "critic/score": (units, 1),
        }
        layers = [
            (f"{name}/{part}", shape[-rank:])
            for name, shape in shapes.items()
            for part, rank in (("kernel", 2), ("bias", 1))
        ]
        found = [("shared/kernel", (hyper["features"], code)), *layers]
        return tuple(Parameter(name, shape, "glorot_uniform") for name, shape in found)

    def optimizers(self, hyper):
        """Return Adam."""
        return {
            "adam": Optimizer(
                "adam", learning_rate=2.0**-8, beta1=0.5, beta2=1.0 - 2.0**-10, epsilon=2.0**-23
            )
        }

    def updates(self, hyper):
        """Return both phases; each trains its own network and the shared matrix."""
        names = [item.name for item in self.parameters(hyper)]

        def update(phase):
            owned = tuple(name for name in names if name.startswith(("shared", phase)))
            return Update(phase, "adam", owned)

        return update("critic"), update("generator")

    def noise(self, hyper):
        """Return what the generator starts from, drawn anew for each phase."""
        shape = (hyper["batch"], hyper["code"])
        return tuple(Noise((phase,), "z", shape, "normal") for phase in ("critic", "generator"))

    def data(self, hyper):
        """Return the flowers, standardised."""
        from sklearn.datasets import load_iris

        table = load_iris().data
        table = ((table - table.mean(axis=0)) / table.std(axis=0))[
            np.random.RandomState(0).permutation(len(table))
        ]
        return {
            "x": np.ascontiguousarray(table[:-HELD_OUT]),
            "eval_x": np.ascontiguousarray(table[-HELD_OUT:]),
        }


WORKLOAD = Adversarial()
