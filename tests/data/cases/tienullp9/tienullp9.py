"""A small case."""
import numpy as np
from harness.workloads.spec import Noise, Optimizer, Parameter, Workload, Update


class W(Workload):
    """A small case."""

    name, backends, presets = "tienullp9", ("numpy", "tf2", "torch"), ("tiny",)

    def hyperparameters(self, preset):
        return {"batch": 8}

    def parameters(self, hyper):
        return (Parameter("w", (4, 3), "glorot_uniform"), Parameter("g", (5,), "ones"), Parameter("c", (5,), "zeros"),)

    def optimizers(self, hyper):
        return {"adam": Optimizer("adam", learning_rate=2.0**-9, beta1=0.875, beta2=1 - 2.0**-9, epsilon=1e-8, epsilon_place="corrected")}

    def noise(self, hyper):
        return ()

    def data(self, hyper):
        r = np.random.RandomState(0)
        x = r.uniform(-1, 1, size=(64, 4)); z = np.repeat(r.uniform(-1, 1, size=(64, 1)), 5, 1); y = r.uniform(-1, 1, size=(64, 3)); return {"x": x[:48], "z": z[:48], "y": y[:48], "eval_x": x[48:], "eval_z": z[48:]}


WORKLOAD = W()
