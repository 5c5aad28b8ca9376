"""Weights that alias what was loaded."""
import numpy as np
from harness.workloads.spec import Noise, Optimizer, Parameter, Workload, Update


class W(Workload):
    """Weights that alias what was loaded."""

    name, backends, presets = "alias", ("numpy", "tf2", "torch"), ("tiny",)

    def hyperparameters(self, preset):
        return {"batch": 8}

    def parameters(self, hyper):
        return (Parameter("w", (4, 2), "glorot_uniform"), Parameter("b", (2,), "glorot_uniform"),)

    def optimizers(self, hyper):
        return {"sgd": Optimizer("sgd", learning_rate=2.0**-5)}

    def noise(self, hyper):
        return ()

    def data(self, hyper):
        r = np.random.RandomState(0)
        x = r.uniform(-1, 1, size=(64, 4)); y = r.uniform(-1, 1, size=(64, 2)); return {"x": x[:48], "y": y[:48], "eval_x": x[48:]}


WORKLOAD = W()
