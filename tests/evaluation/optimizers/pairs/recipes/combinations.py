"""The combinations: what every framework's code is written from."""

from __future__ import annotations

from typing import Any, NamedTuple

#: Sizes of the nets, and rows of a batch.
INPUTS, HIDDEN, OUTPUTS, BATCH = 5, 4, 2, 8
#: What is taken from weights, or added to the loss, at each update.
DECAY = 0.01
CLIPPING = {"value": 0.02, "norm": 0.05, "global": 0.1}
#: After how many updates the piecewise schedule divides the rate by four; how many the others last.
BOUNDARY, LAST = 6, 25
#: How many parts of a batch an accumulation adds up; which share an average of weights keeps at
#: each update, and after how many updates it takes the place of the weights.
PARTS, KEPT, EVERY = 4, 0.9, 6
#: Of one kind of optimizer, its hyper-parameters as their users have them.
KINDS: dict[str, dict[str, Any]] = {
    "sgd": {"rate": 0.1},
    "momentum": {"rate": 0.05, "momentum": 0.9},
    "nesterov": {"rate": 0.05, "momentum": 0.9, "nesterov": True},
    "adam": {"rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7},
    # With β2 so small that v also falls within a few updates.
    "amsgrad": {"rate": 0.001, "beta1": 0.9, "beta2": 0.5, "epsilon": 1e-7},
    "adamw": {"rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7},
    "rmsprop": {"rate": 0.001, "rho": 0.9, "epsilon": 1e-7},
    "rmsprop_momentum": {"rate": 0.001, "rho": 0.9, "epsilon": 1e-7, "momentum": 0.9},
    "rmsprop_centered": {"rate": 0.001, "rho": 0.9, "epsilon": 1e-7, "centered": True},
    "adagrad": {"rate": 0.01, "initial": 0.1, "epsilon": 1e-10},
    "adadelta": {"rate": 1.0, "rho": 0.95, "epsilon": 1e-6},
    "adamax": {"rate": 0.002, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7},
    "nadam": {"rate": 0.002, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7},
    "lion": {"rate": 0.0005, "beta1": 0.9, "beta2": 0.99},
    # In numbers that float32 holds: no side without torch can be made to round its own.
    "ftrl": {"rate": 0.0625, "initial": 0.125, "power": -0.5, "l1": 2.0**-10, "l2": 2.0**-7},
}
#: By kind, the class as Keras calls it.
CLASSES = {
    "sgd": "SGD",
    "momentum": "SGD",
    "nesterov": "SGD",
    "adam": "Adam",
    "amsgrad": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "rmsprop_momentum": "RMSprop",
    "rmsprop_centered": "RMSprop",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
    "adamax": "Adamax",
    "nadam": "Nadam",
    "lion": "Lion",
    "ftrl": "Ftrl",
}


class Combination(NamedTuple):
    """One net and how it is trained.

    Attributes:
        kind: of the optimizer. decay: none, loss (a penalty that is part of the loss), decoupled
            (taken from the weights). clipping: none, value, norm, global. schedule: constant,
            piecewise, exponential, cosine. extra: none; accumulated (gradients of several parts of
            the batch); averaged (the average of the weights begins with those after the first
            update), averaged_overwritten (and replaces them now and then), shadowed (it begins with
            the first weights), warmed (and keeps less of them at first).
    """

    kind: str
    decay: str
    clipping: str
    schedule: str
    extra: str = "none"

    @property
    def name(self) -> str:
        """What the phase of its training is called."""
        words = [self.decay, self.clipping, self.schedule, self.extra]
        return "_".join([self.kind, *(word for word in words if word not in ("none", "constant"))])


#: (decay, clipping, schedule): each alone, and several together.
RECIPES = (
    ("none", "none", "constant"),
    ("loss", "none", "constant"),
    ("decoupled", "none", "constant"),
    ("none", "value", "constant"),
    ("none", "norm", "constant"),
    ("none", "global", "constant"),
    ("none", "none", "piecewise"),
    ("none", "none", "exponential"),
    ("none", "none", "cosine"),
    ("loss", "global", "cosine"),
)
#: Kinds whose gradients are accumulated and whose weights are averaged, too: it is the same code
#: for all of them.
WITH_EXTRAS = ("sgd", "momentum", "adam")
#: What Keras computes in float32, or with a constant that it holds in float32.
ROUNDED = {"decoupled", "norm", "global", "exponential", "cosine"}


def combinations(kind: str, decays: Any, extras: Any = ()) -> list[Combination]:
    """Return the combinations of one kind.

    Args:
        kind: of optimizers. decays: that a framework has for it. extras: that both sides have.
    """
    several = [recipe for recipe in RECIPES if recipe[0] in decays]
    if kind == "ftrl":
        several = [recipe for recipe in several if not ROUNDED & set(recipe)]
    plain = [Combination(kind, *recipe) for recipe in several]
    own = extras if kind in WITH_EXTRAS else ()
    return plain + [Combination(kind, "none", "none", "constant", extra) for extra in own]
