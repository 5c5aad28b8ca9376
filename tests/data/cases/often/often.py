"""A bag of words: a word that a batch holds four times has a gradient of four parts (keras3_embedding_adam)."""
import numpy as np
from harness.workloads.spec import Optimizer, Parameter, Workload


class Often(Workload):
    """A bag of words: a word that a batch holds four times has a gradient of four parts."""

    name, backends, presets = "often", ("tf2", "torch"), ("tiny",)

    def hyperparameters(self, preset):
        return {"batch": 4}

    def parameters(self, hyper):
        return (Parameter("emb/embeddings", (12, 5), "glorot_uniform"), Parameter("out/kernel", (5, 3), "glorot_uniform"),
                Parameter("out/bias", (3,), "zeros"))

    def optimizers(self, hyper):
        return {"adam": Optimizer("adam", 2.0**-7, 0.875, 0.96875, 2.0**-23)}

    def data(self, hyper):
        r = np.random.RandomState(0)
        t = r.randint(0, 12, size=(64, 4)).astype(np.int64)
        t[::2, 1] = t[::2, 0]
        y = r.randint(0, 3, size=64).astype(np.int64)
        return {"t": t[:48], "y": y[:48], "eval_t": t[48:]}


WORKLOAD = Often()
