"""Buckets on edges, beside masked scores."""
import numpy as np
from harness.workloads.spec import Noise, Optimizer, Parameter, Workload, Update


class W(Workload):
    """Buckets on edges, beside masked scores."""

    name, backends, presets = "maskedmin", ("numpy", "tf2", "torch"), ("tiny",)

    def hyperparameters(self, preset):
        return {"batch": 8}

    def parameters(self, hyper):
        return (Parameter("e", (5, 4), "glorot_uniform"), Parameter("o", (4, 2), "glorot_uniform"),)

    def optimizers(self, hyper):
        return {"sgd": Optimizer("sgd", learning_rate=2.0**-5)}

    def noise(self, hyper):
        return ()

    def data(self, hyper):
        r = np.random.RandomState(0)
        a = r.choice([15.0, 22.0, 25.0, 33.0, 35.0, 41.0, 45.0, 55.0, 60.0], size=64); y = r.uniform(-1, 1, size=(64, 2)); k = (r.uniform(size=(64, 3)) < 0.6).astype(np.int64); k[:, 0] = 1
        ev = r.choice([20.0, 30.0, 40.0, 50.0], size=16)
        a[::4] = 30.0
        return {"age": a[:48], "y": y[:48], "k": k[:48], "eval_age": ev, "eval_k": k[48:]}


WORKLOAD = W()
