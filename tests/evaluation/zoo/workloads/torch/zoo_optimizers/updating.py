"""Which optimizer each phase of `zoo_optimizers` has, and what is done with the gradients before
it sees them."""

import torch

from backends.torch.optimizers import Updater

from . import optimizers


class Own(Updater):
    """An updater around any optimizer of torch's kind.

    Args:
        parameters: what it updates, by name.
        make: returns a fresh optimizer; to reset it is to make it again.
        slots: canonical words for its slots, and its own.
        prepare: changes the gradients of a list of parameters before an update; says whether there
            is to be one.
    """

    def __init__(self, parameters, make, slots, prepare=None):
        self.parameters, self.make, self.words, self.prepare = parameters, make, slots, prepare
        self.scale = None
        self.reset()

    def minimise(self, total, parameters):
        """Run one update."""
        total.backward(inputs=parameters)
        if self.prepare is None or self.prepare(parameters):
            self.optimizer.step()
            self.attempts += 1
        for item in parameters:
            item.grad = None

    def slots(self):
        """Return the slots of each parameter, zero where there is none yet."""
        return {name: self._slots_of(p) for name, p in self.parameters.items()}

    def _slots_of(self, p):
        state = self.optimizer.state.get(p, {})
        return {word: state.get(own, torch.zeros_like(p)) for word, own in self.words.items()}

    def reset(self):
        """Return to the state before the first update."""
        self.optimizer, self.attempts = self.make(), 0


#: Whether a table's gradient is handed over as rows: TF1's Adam moves every row, its momentum only
#: those that were looked up.
SPARSE = {"table_adam": False, "table_momentum": True}
#: Canonical words for Adam's slots, and torch's.
MOMENTS = {"m": "exp_avg", "v": "exp_avg_sq"}


def adam(config, owned):
    """Return Adam with Keras' epsilon."""
    params, betas = list(owned.values()), (config["beta1"], config["beta2"])
    return Own(
        owned,
        lambda: optimizers.Adam(params, lr=config["rate"], betas=betas, eps=config["epsilon"]),
        MOMENTS,
    )


def adamw(config, owned):
    """Return AdamW with Keras' epsilon, whose biases do not decay."""
    kept = [p for name, p in owned.items() if name.endswith("/bias")]
    decayed = [p for name, p in owned.items() if not name.endswith("/bias")]
    groups = [
        {"params": decayed, "weight_decay": config["weight_decay"]},
        {"params": kept, "weight_decay": 0.0},
    ]
    betas, eps = (config["beta1"], config["beta2"]), config["epsilon"]
    return Own(
        owned, lambda: optimizers.Adam(groups, lr=config["rate"], betas=betas, eps=eps), MOMENTS
    )


def rmsprop(config, owned):
    """Return TF1's RMSprop."""
    params, eps = list(owned.values()), config["rmsprop_epsilon"]
    return Own(
        owned,
        lambda: optimizers.RMSprop(
            params,
            lr=config["rate"],
            alpha=config["rmsprop_decay"],
            momentum=config["momentum"],
            eps=eps,
        ),
        {"rms": "square_avg", "momentum": "momentum_buffer"},
    )


def adagrad(config, owned):
    """Return Adagrad with TF1's accumulator, and without an epsilon."""
    params = list(owned.values())
    return Own(
        owned,
        lambda: torch.optim.Adagrad(
            params,
            lr=config["rate"],
            initial_accumulator_value=config["accumulator"],
            eps=0.0,
        ),
        {"accumulator": "sum"},
    )


def clip_each(config, owned):
    """Return SGD with the gradient of each parameter clipped by its own norm."""

    def clip(parameters):
        for p in parameters:
            p.grad.mul_(config["clip_norm"] / p.grad.norm().clamp(min=config["clip_norm"]))
        return True

    return Own(owned, lambda: torch.optim.SGD(list(owned.values()), lr=config["rate"]), {}, clip)


def clip_together(config, owned):
    """Return SGD with gradients clipped by their global norm."""

    def clip(parameters):
        norm = torch.stack([p.grad.norm() for p in parameters]).norm()
        for p in parameters:
            p.grad.mul_(config["clip_norm"] / norm.clamp(min=config["clip_norm"]))
        return True

    return Own(owned, lambda: torch.optim.SGD(list(owned.values()), lr=config["rate"]), {}, clip)


def guarded(config, owned):
    """Return Adam with gradients clipped by their global norm, where that is finite."""

    def clip(parameters):
        norm = sum(p.grad.square().sum() for p in parameters).sqrt()
        for p in parameters:
            p.grad.mul_(config["clip_norm"] / norm.clamp(min=config["clip_norm"]))
        return bool(norm.isfinite())

    params, betas = list(owned.values()), (config["beta1"], config["beta2"])
    return Own(
        owned,
        lambda: optimizers.Adam(params, lr=config["rate"], betas=betas, eps=config["epsilon"]),
        MOMENTS,
        clip,
    )


def table_adam(config, owned):
    """Return Adam on all rows."""
    betas, eps = (config["beta1"], config["beta2"]), config["table_epsilon"]
    return Own(
        owned,
        lambda: optimizers.Adam(list(owned.values()), lr=config["rate"], betas=betas, eps=eps),
        MOMENTS,
    )


def table_momentum(config, owned):
    """Return momentum on the rows that have a gradient."""
    return Own(
        owned,
        lambda: optimizers.RowMomentum(
            list(owned.values()),
            lr=config["rate"],
            momentum=config["momentum"],
        ),
        {"momentum": "momentum_buffer"},
    )


UPDATERS = {
    "adam": adam,
    "adamw": adamw,
    "rmsprop": rmsprop,
    "adagrad": adagrad,
    "clip_each": clip_each,
    "clip_together": clip_together,
    "guarded": guarded,
    "table_adam": table_adam,
    "table_momentum": table_momentum,
    "first_turn": adam,
    "second_turn": adam,
}
