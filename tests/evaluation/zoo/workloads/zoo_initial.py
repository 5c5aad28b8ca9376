"""`zoo_initial`: ports that make their own initial weights, each by its framework's rules, from
random numbers on the tape.

Everywhere else the tape holds the weights, so that no initialiser ever runs. Here it holds what an
initialiser starts from: numbers between 0 and 1, or of mean 0 and variance 1 for the normal one.
What `load_parameters` makes of them is the weights stage.
"""

import dataclasses

import numpy as np

from harness.workloads.spec import Optimizer, Parameter, Workload

ROWS, HELD_OUT = 256, 32


@dataclasses.dataclass(frozen=True)
class Draw(Parameter):
    """What an initialiser starts from: uniform on [0, 1)."""

    def draw(self, generator):
        """Return the numbers."""
        return generator.uniform(size=self.shape)


class Initial(Workload):
    """The mean of embedded pixels, a residual block that ends in a normalisation, ten classes."""

    name = "zoo_initial"
    backends = ("tf2", "torch")
    presets = ("tiny",)
    default = False

    def hyperparameters(self, preset):
        """Return the sizes and the epsilon of the normalisation."""
        return {
            "batch": 8,
            "steps": 64,
            "tokens": 17,
            "width": 12,
            "classes": 10,
            "epsilon": 2.0**-10,
        }

    def parameters(self, hyper):
        """Return what the initialisers start from, in the weights' shapes."""
        width, classes = hyper["width"], hyper["classes"]
        return (
            Draw("embedding/embeddings", (hyper["tokens"], width)),
            Parameter("block/kernel", (width, width), "normal"),
            Draw("block/bias", (width,)),
            Draw("norm/gamma", (width,)),
            Draw("norm/beta", (width,)),
            Draw("dense/kernel", (width, classes)),
            Draw("dense/bias", (classes,)),
        )

    def optimizers(self, hyper):
        """Return SGD."""
        return {"sgd": Optimizer("sgd", learning_rate=2.0**-4)}

    def data(self, hyper):
        """Return pixels 0 to 16 [rows, 64] and classes."""
        from sklearn.datasets import load_digits

        digits = load_digits()
        pixels, classes = digits.data.astype(np.int64), digits.target.astype(np.int64)
        return {"x": pixels[:ROWS], "y": classes[:ROWS], "eval_x": pixels[ROWS : ROWS + HELD_OUT]}


WORKLOAD = Initial()
