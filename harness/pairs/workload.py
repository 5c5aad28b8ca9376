"""The workload that follows from a pair: what other workloads declare by hand, inferred.

The values of its parameters stay where the look at both sides has left them, and one is read at a
time: all of them are as large as the model.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.contract import UPDATE_STEPS
from backends.survey import UNIFORM
from harness.pairs import start_values
from harness.pairs.file import PairFile
from harness.pairs.inference import Inference
from harness.workloads.spec import (
    FORWARD,
    Arrays,
    Noise,
    Optimizer,
    Parameter,
    Update,
    Workload,
)

#: Steps of the trajectory: a model of one's own may be large.
STEPS = 20
PRESETS = ("tiny", "small")
#: The kind of an optimizer that the user's own training step brings.
OPTIMIZER = "own"


@dataclasses.dataclass(frozen=True)
class Lying:
    """Values that are read whenever an array is made of them. `values`: where they lie, by name."""

    values: Mapping[str, NDArray[np.float64]]
    name: str

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return them, as NumPy asks for them."""
        return np.array(self.values[self.name], dtype)


@dataclasses.dataclass(frozen=True)
class Own(Parameter):
    """A parameter that begins with the first side's own values, `initial`."""

    def values_digest(self) -> str:
        """Return the values' digest, taken once: it is asked for whenever a port is opened."""
        return self._digest

    @functools.cached_property
    def _digest(self) -> str:
        return Parameter.values_digest(self)


@dataclasses.dataclass(frozen=True)
class Likened(Own):
    """A parameter that begins with other values at every seed, in the likeness of those of the
    first side, `initial`.

    Attributes:
        role: of the piece.
    """

    role: str = ""

    def draw(self, generator: np.random.RandomState) -> NDArray[np.float64]:
        """Return start values, float64."""
        return start_values.alike(self.role, Parameter.draw(self, generator), generator)


class Declared(Workload):
    """Two models that somebody has."""

    def __init__(self, pair: PairFile, backends: tuple[str, ...]) -> None:
        self.pair, self.name = str(pair.path), pair.name
        self.backends, self.presets = backends, PRESETS

    def hyperparameters(self, preset: str) -> dict[str, Any]:
        """Return nothing yet: nobody has looked at the models."""
        return {"batch": 1}

    def parameters(self, hyper: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """Return none yet."""
        return ()

    def optimizers(self, hyper: Mapping[str, Any]) -> dict[str, Optimizer]:
        """Return a word for the user's own."""
        return {OPTIMIZER: Optimizer(OPTIMIZER, 0.0)}

    def data(self, hyper: Mapping[str, Any]) -> Arrays:
        """Return none yet."""
        return {}


class Inferred(Declared):
    """Two models that somebody has, looked at.

    Args:
        pair: the file. backends: of its sides. inference: what has been decided.
        paths: folders of the user's own packages, beside the pair file's. named: those of them that
            `--path` named.
    """

    def __init__(
        self,
        pair: PairFile,
        backends: tuple[str, ...],
        inference: Inference,
        paths: tuple[Path, ...] = (),
        named: tuple[Path, ...] = (),
    ) -> None:
        super().__init__(pair, backends)
        self.path = tuple(str(folder) for folder in named)
        self.inference, self.paths = inference, paths
        self._plans = inference.plans()
        self._parameters = self._inferred()

    def hyperparameters(self, preset: str) -> dict[str, Any]:
        """Return the rows of a batch, and what each side's port is told."""
        hyper = {
            "batch": self.inference.batch,
            "pair": {
                "path": self.pair,
                "paths": [str(path) for path in self.paths],
                "sides": self._plans,
            },
        }
        if self.update_steps() > UPDATE_STEPS:
            hyper["update_steps"] = self.update_steps()
        return hyper

    def update_steps(self) -> int:
        """Return how many training steps two updates take."""
        surveys = self.inference.surveys().values()
        each = [item.steps for survey in surveys for item in survey.optimizers]
        return UPDATE_STEPS * max(each, default=1)

    def trained(self) -> dict[str, tuple[str, ...]]:
        """Return what every optimizer and every phase trains, by canonical names."""
        return self.inference.trained()

    def accepted(self) -> list[str]:
        """Return the names of the differences that the user takes for the same and that are
        there."""
        return sorted({name for own in self.inference.accepted.values() for name in own})

    def parameters(self, hyper: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """Return the canonical parameters, to begin with the first side's very values where it
        brings some, else with others in their likeness."""
        return self._parameters

    def _inferred(self) -> tuple[Parameter, ...]:
        parameters: list[Parameter] = []
        for pair in self.inference.pieces():
            values = Lying(self.inference.values, pair.name)
            own = pair.name, tuple(pair.a.shape), values, pair.a.trainable
            brought = self.inference.first.survey.begins
            parameters.append(Own(*own) if brought else Likened(*own, role=pair.a.role))
        return tuple(parameters)

    def optimizers(self, hyper: Mapping[str, Any]) -> dict[str, Optimizer]:
        """Return the user's own, by canonical name; what they compute is theirs."""
        names = [self.inference.optimizer(phase) for phase in self.inference.phases()]
        return {name: Optimizer(OPTIMIZER, 0.0) for name in names or [OPTIMIZER]}

    def updates(self, hyper: Mapping[str, Any]) -> tuple[Update, ...]:
        """Return the user's training steps as phases."""
        return tuple(
            Update(phase, self.inference.optimizer(phase), tuple(self.inference.updated(phase)))
            for phase in self.inference.phases()
        )

    def noise(self, hyper: Mapping[str, Any]) -> tuple[Noise, ...]:
        """Return the draws that the tape answers on every side."""
        return tuple(
            Noise((site.phase,), site.name, site.shape, site.kind)
            if site.kind != UNIFORM
            else Noise((site.phase,), site.name, site.shape, "uniform", low=0.0, high=1.0)
            for site in self.inference.sites()
        )

    def forward(self, hyper: Mapping[str, Any]) -> dict[str, Any]:
        """Return how the forward stage looks: it has draws of its own."""
        return {"phase": FORWARD, "modes": ["training", "inference"]}

    def trajectory_steps(self, preset: str) -> int:
        """Return how many steps the trajectory stage trains: two updates at the least."""
        return max(STEPS, self.update_steps())

    def data(self, hyper: Mapping[str, Any]) -> Arrays:
        """Return the user's arrays."""
        return dict(self.inference.data)
