"""Which optimizers are compared on which sides, and what is planted in them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from backends.contract import Stage
from tests.evaluation.optimizers.pairs.recipes import combinations

PAIRS = Path(__file__).parent / "pairs"
#: The package that the pairs' code lies in, and the module of it that a build's side is made by.
RECIPES = "recipes"
MODULES = {"tf1": "tf1_side", "tf2": "keras_side", "tf2.10": "keras_side", "torch": "torch_side"}
#: Kinds that a framework lacks.
LACKING = {
    "torch": ("ftrl",),
    "tf2": (),
    # Its Nadam takes no schedules.
    "tf2.10": ("lion", "nadam"),
    "tf1": ("amsgrad", "nadam", "lion"),
}
SIDES = (("tf2", "torch"), ("tf2.10", "torch"), ("tf1", "torch"))
#: What is done beside the updates, by the first side. The averages of Keras 3 begin as those of
#: torch's `AveragedModel` do, those of Keras 2 and TensorFlow 1 as a copy of the net does.
EXTRAS = {
    "tf2": ("accumulated", "averaged", "averaged_overwritten"),
    "tf2.10": ("accumulated", "shadowed"),
    "tf1": ("accumulated", "shadowed", "warmed"),
}
#: What torch has not is compared without it.
WITHOUT_TORCH = (("tf2.10", "tf2"), ("tf1", "tf2"))


@dataclasses.dataclass(frozen=True)
class Plant:
    """A mistake in the code of the torch side.

    Attributes:
        kind: of the optimizers that are compared with it. old, new: the text that is replaced.
        what: it is, in a few words. spoilt: the names of the combinations that it is in, as they
            end; empty: all of the kind's. stage: where it has to show. sides: that are compared.
    """

    kind: str
    old: str
    new: str
    what: str
    spoilt: str = ""
    stage: Stage = Stage.UPDATE
    sides: tuple[str, str] = ("tf2", "torch")


@dataclasses.dataclass(frozen=True)
class Entry:
    """One kind of optimizer on two sides, with all its combinations.

    Attributes:
        kind: as in the combinations. sides: names of builds. plants: mistakes in the second one.
    """

    kind: str
    sides: tuple[str, str]
    plants: tuple[Plant, ...] = ()

    @property
    def name(self) -> str:
        """What it is called: `adam.tf2.torch`."""
        return ".".join((self.kind, *self.sides))

    @property
    def decays(self) -> tuple[str, ...]:
        """The decays that its combinations have; AdamW has its own in each."""
        return ("none", "loss") if self.kind == "adamw" else ("none", "loss", "decoupled")

    @property
    def extras(self) -> tuple[str, ...]:
        """What is done beside the updates on both sides."""
        return EXTRAS[self.sides[0]]

    def combinations(self) -> list[str]:
        """Return the names of its combinations, which are its phases."""
        made = combinations.combinations(self.kind, self.decays, self.extras)
        return [item.name for item in made]

    def text(self) -> str:
        """Return the pair file."""
        sides = "\n\n\n".join(
            f'@pair.side("{build}")\n'
            f"def {name}():\n"
            f"    from {RECIPES} import combinations, {MODULES[build]}\n\n"
            f"    chosen = combinations.combinations(\n"
            f"        {self.kind!r}, {self.decays!r}, {self.extras!r}\n"
            "    )\n"
            f"    return {MODULES[build]}.declared(chosen)"
            for name, build in zip(("original", "port"), self.sides, strict=True)
        )
        return (
            f'"""{self.kind}, in every combination."""\n\nfrom backends import pair\n\n\n{sides}\n'
            "\n\n@pair.data\ndef data():\n"
            f"    from {RECIPES} import combinations, rows\n\n"
            "    return pair.arrays(combinations.BATCH, **rows.load())\n"
        )


def _entries() -> list[Entry]:
    entries = []
    for kind in combinations.KINDS:
        several = WITHOUT_TORCH if kind in LACKING["torch"] else SIDES
        for sides in several:
            lacking = {*LACKING[sides[0]], *LACKING[sides[1]]}
            if kind not in lacking:
                entries.append(Entry(kind, sides))
    return entries


ENTRIES = tuple(_entries())


def _plants() -> tuple[Plant, ...]:
    """Return one mistake in the formula of each kind, and those of decay, clipping and schedules,
    which are the same code for all kinds, in that of SGD."""
    sgd = "optim.SGD(params, rate, momentum, nesterov=nesterov)"
    betas = "rate, betas, epsilon"
    other = "rate, (betas[0], 0.99), epsilon"
    return (
        Plant("sgd", sgd, sgd[:-1] + ", weight_decay=1e-4)", "a decay that nobody asked for"),
        Plant("momentum", sgd, sgd[:-1] + ", dampening=0.1)", "dampening"),
        Plant("nesterov", sgd, sgd.replace("nesterov=nesterov", "nesterov=False"), "no look ahead"),
        Plant("adam", f"Adam(params, {betas}, ams", f"Adam(params, {other}, ams", "another β2"),
        Plant("amsgrad", "amsgrad=amsgrad", "amsgrad=False", "the largest v is not kept"),
        Plant("adamw", "AdamW(params", "Adam(params", "a decay that goes through the gradient"),
        Plant(
            "rmsprop",
            'RMSprop(\n            params, rate, hyper["rho"]',
            "RMSprop(\n            params, rate, 0.99",
            "torch's own rho",
        ),
        Plant("rmsprop_momentum", "momentum=momentum, cent", "momentum=0.0, cent", "no momentum"),
        Plant("rmsprop_centered", "centered=centered", "centered=False", "not centered"),
        Plant("adagrad", "eps=epsilon", "eps=epsilon, lr_decay=1e-3", "a rate that falls"),
        Plant(
            "adadelta",
            'rate, hyper["rho"], epsilon),\n        "Adamax"',
            'rate, 0.9, epsilon),\n        "Adamax"',
            "torch's own rho",
        ),
        Plant("adamax", f"Adamax(params, {betas}", f"Adamax(params, {other}", "another β2"),
        Plant(
            "nadam",
            f"NAdam(params, {betas}",
            f"NAdam(params, {betas}, momentum_decay=0.04",
            "another schedule",
        ),
        Plant(
            "lion",
            "(first * mean + (1 - first) * p.grad)",
            "mean",
            "the mean without the gradient",
        ),
        Plant(
            "sgd",
            "mul_(1 - rate * DECAY)",
            "mul_(1 - DECAY)",
            "a decay without the rate",
            "decoupled",
        ),
        Plant(
            "sgd",
            'clip_grad_value_(net.parameters(), CLIPPING["value"])',
            'clip_grad_norm_(net.parameters(), CLIPPING["value"])',
            "by norm, not by value",
            "value",
        ),
        Plant(
            "sgd",
            'clip_grad_norm_([parameter], CLIPPING["norm"])',
            'clip_grad_norm_(net.parameters(), CLIPPING["norm"])',
            "all together, not each",
            "norm",
        ),
        Plant(
            "sgd",
            'clip_grad_norm_(net.parameters(), CLIPPING["global"])',
            'clip_grad_norm_(net.parameters(), CLIPPING["global"], 1.0)',
            "another norm",
            "global",
        ),
        Plant(
            "sgd", "[BOUNDARY]", "[BOUNDARY - 1]", "one update early", "piecewise", Stage.TRAJECTORY
        ),
        Plant(
            "sgd",
            "ExponentialLR(optimizer, 0.9)",
            "ExponentialLR(optimizer, 0.99)",
            "another base",
            "exponential",
        ),
        Plant(
            "sgd",
            "(loss / PARTS).backward()",
            "loss.backward()",
            "parts that are not divided",
            "accumulated",
            Stage.LOSS,
        ),
        Plant(
            "momentum",
            "(loss / PARTS).backward()",
            "(loss / PARTS / PARTS).backward()",
            "parts that are divided twice",
            "accumulated",
            Stage.LOSS,
        ),
        Plant(
            "sgd",
            "get_ema_multi_avg_fn(KEPT)",
            "get_ema_multi_avg_fn(0.99)",
            "an average that keeps another share",
            "averaged",
        ),
        Plant(
            "momentum",
            "        self.optimizer.step()\n        if self.average is not None:\n"
            "            self.average.update()\n",
            "        if self.average is not None:\n            self.average.update()\n"
            "        self.optimizer.step()\n",
            "an average of the weights before the update",
            "averaged",
        ),
        Plant(
            "adam",
            "self.count % EVERY == 0",
            "self.count % (EVERY + 1) == 0",
            "an average that replaces the weights one update late",
            "overwritten",
            Stage.TRAJECTORY,
        ),
        Plant(
            "sgd",
            "            share = KEPT\n",
            "            share = KEPT * KEPT\n",
            "a copy of the net that keeps another share",
            "shadowed",
            sides=("tf1", "torch"),
        ),
        Plant(
            "adam",
            "min(KEPT, (1 + self.count) / (10 + self.count))",
            "KEPT",
            "an average that does not warm up",
            "warmed",
            sides=("tf1", "torch"),
        ),
        Plant(
            "sgd",
            "CosineAnnealingLR(optimizer, LAST)",
            "CosineAnnealingLR(optimizer, LAST - 1)",
            "one update shorter",
            "cosine",
        ),
    )


PLANTS = _plants()
