"""`wine`: softmax regression on scikit-learn's wines; a workload that lives outside the tree."""

import numpy as np

from harness.workloads.spec import Optimizer, Parameter, Workload


class Wine(Workload):
    """Thirteen measurements, three growers."""

    name = "wine"
    backends = ("numpy", "tf2", "torch")
    presets = ("tiny",)

    def hyperparameters(self, preset):
        """Return what ports need."""
        return {"batch": 16, "features": 13, "classes": 3}

    def parameters(self, hyper):
        """Return one layer."""
        return (
            Parameter("kernel", (hyper["features"], hyper["classes"]), "glorot_uniform"),
            Parameter("bias", (hyper["classes"],)),
        )

    def optimizers(self, hyper):
        """Return SGD."""
        return {"sgd": Optimizer("sgd", learning_rate=2.0**-4)}

    def data(self, hyper):
        """Return standardised wines; every ninth is held out."""
        from sklearn.datasets import load_wine

        x, y = load_wine(return_X_y=True)
        x, held_out = (x - x.mean(axis=0)) / x.std(axis=0), np.arange(len(x)) % 9 == 0
        return {"x": x[~held_out], "y": y[~held_out].astype(np.int64), "eval_x": x[held_out]}


WORKLOAD = Wine()
