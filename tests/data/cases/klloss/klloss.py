"""A loss that begins at zero."""
import numpy as np
from harness.workloads.spec import Noise, Optimizer, Parameter, Workload, Update


class W(Workload):
    """A loss that begins at zero."""

    name, backends, presets = "klloss", ("numpy", "tf2", "torch"), ("tiny",)

    def hyperparameters(self, preset):
        return {"batch": 8}

    def parameters(self, hyper):
        return (Parameter("s", (4, 3), np.arange(12).reshape(4, 3) / 16.0 - 0.3), Parameter("t", (4, 3), np.arange(12).reshape(4, 3) / 16.0 - 0.3, False), Parameter("o", (3,2), "glorot_uniform"),)

    def optimizers(self, hyper):
        return {"sgd": Optimizer("sgd", learning_rate=2.0**-5)}

    def noise(self, hyper):
        return ()

    def data(self, hyper):
        r = np.random.RandomState(0)
        x = r.uniform(-1, 1, size=(64, 4)); y = r.uniform(-1, 1, size=(64, 2)); return {"x": x[:48], "y": y[:48], "eval_x": x[48:]}


WORKLOAD = W()
