"""`zoo_attention`: a block of a transformer that reads a row of a digit as tokens, padded on the
left.

Causal attention with rotary positions, so a place in the padding may look at nothing but padding:
all its scores are masked, and the mask's value decides what comes out. Dyadic frequencies, so that
no framework's power function enters.
"""

import numpy as np

from harness.workloads.spec import Optimizer, Parameter, Workload

ROWS, HELD_OUT = 256, 32
LINE = 3  # which one of an image is read
LEVELS = 17  # of a pixel; token 0 is padding


class Attention(Workload):
    """Embedding, attention, GELU between dense layers, normalised after each; ten classes."""

    name = "zoo_attention"
    backends = ("tf2", "torch")
    presets = ("tiny",)
    default = False

    def hyperparameters(self, preset):
        """Return the sizes, the epsilon of the normalisations and what a masked score becomes."""
        sizes = {
            "batch": 8,
            "steps": 8,
            "tokens": LEVELS + 1,
            "width": 8,
            "heads": 2,
            "hidden": 16,
            "classes": 10,
        }
        return {**sizes, "epsilon": 2.0**-10, "masked": -1e9, "frequencies": [1.0, 2.0**-7]}

    def parameters(self, hyper):
        """Return the weights; every bias and every normalisation starts away from 0 and 1, as
        after some training."""
        width, hidden = hyper["width"], hyper["hidden"]
        dense = dict.fromkeys(("query", "key", "value", "merge"), (width, width))
        dense.update(inner=(width, hidden), outer=(hidden, width), dense=(width, hyper["classes"]))
        found = [Parameter("embedding/embeddings", (hyper["tokens"], width), "normal")]
        for name, shape in dense.items():
            found.append(Parameter(f"{name}/kernel", shape, "glorot_uniform"))
            found.append(Parameter(f"{name}/bias", shape[1:], "normal", deviation=0.125))
        for name in ("norm1", "norm2"):
            found += [Parameter(f"{name}/{part}", (width,), "normal") for part in ("gamma", "beta")]
        return tuple(found)

    def optimizers(self, hyper):
        """Return Adam."""
        return {
            "adam": Optimizer(
                "adam", learning_rate=2.0**-8, beta1=0.875, beta2=1.0 - 2.0**-10, epsilon=2.0**-23
            )
        }

    def data(self, hyper):
        """Return tokens [rows, steps], 0 on the left of those that are shorter, and classes."""
        from sklearn.datasets import load_digits

        digits = load_digits()
        tokens = digits.images[: ROWS + HELD_OUT, LINE].astype(np.int64) + 1
        missing = np.random.RandomState(0).randint(0, hyper["steps"] - 2, size=len(tokens))
        tokens[np.arange(hyper["steps"]) < missing[:, None]] = 0
        return {
            "x": tokens[:ROWS],
            "y": digits.target[:ROWS].astype(np.int64),
            "eval_x": tokens[ROWS:],
        }


WORKLOAD = Attention()
