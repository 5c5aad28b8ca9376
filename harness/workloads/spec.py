"""What a workload is: configuration, presets, data, parameters with canonical names, noise, phases. Framework-free.

Owns the declarations that `tape` draws from and that ports receive as plain JSON. A new workload is one subclass of
`Workload` here-under (or in a user's folder) and one file per backend; nothing else has to change.
"""

from __future__ import annotations

import abc
import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One weight or running statistic.

    Attributes:
        name: canonical, e.g. `conv1/kernel`.
        shape: in canonical layout (kernels [in, out] or [height, width, in, out]).
        initial: `zeros`, `ones` or `glorot_uniform` (limit sqrt(6 / (fan_in + fan_out)), Glorot & Bengio 2010).
        trainable: False for running statistics.
    """

    name: str
    shape: tuple[int, ...]
    initial: str = "zeros"
    trainable: bool = True

    def draw(self, generator: np.random.RandomState) -> NDArray[np.float64]:
        """Return the initial value, float64. Uniform draws only: their bits do not depend on a platform's libm."""
        if self.initial == "zeros":
            return np.zeros(self.shape)
        if self.initial == "ones":
            return np.ones(self.shape)
        if self.initial == "glorot_uniform":
            receptive = math.prod(self.shape[:-2])
            limit = math.sqrt(6.0 / (receptive * (self.shape[-2] + self.shape[-1])))
            return generator.uniform(-limit, limit, size=self.shape)
        raise ValueError(f"parameter {self.name}: initial '{self.initial}' is not one of zeros, ones, glorot_uniform")


@dataclasses.dataclass(frozen=True)
class Noise:
    """One site at which a phase draws randomness.

    Attributes:
        phase: the phase that consumes it.
        site: name, unique in the phase.
        shape: of one step's draw, batch axis first.
        kind: `keep_mask` (1 with probability `keep`, else 0) or `uniform` on [0, 1).
        keep: probability of a 1 in a `keep_mask`.
    """

    phase: str
    site: str
    shape: tuple[int, ...]
    kind: str = "keep_mask"
    keep: float = 1.0

    def draw(self, generator: np.random.RandomState, steps: int) -> NDArray[np.float64]:
        """Return [steps, *shape], float64."""
        values = generator.uniform(size=(steps, *self.shape))
        if self.kind == "uniform":
            return values
        if self.kind == "keep_mask":
            return (values < self.keep).astype(np.float64)
        raise ValueError(f"noise {self.site}: kind '{self.kind}' is not one of keep_mask, uniform")


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """An optimizer's semantics as data, down to what frameworks disagree on.

    Attributes:
        kind: `sgd` or `adam` (Kingma & Ba 2015).
        learning_rate, beta1, beta2, epsilon: hyper-parameters; dyadic ones are exact in float32.
        epsilon_place: `hat` as TF1 and Keras (the unnumbered variant in the paper, section 2: the bias correction
            scales the step, so it scales epsilon too) or `corrected` as torch (epsilon after the correction).
        beta_power_dtype: the dtype in which the powers of beta are kept: `variable` (as the weights) or `float32`
            (as TF1 does even for float64 variables: a chain of float32 products).
    """

    kind: str
    learning_rate: float
    beta1: float = 0.0
    beta2: float = 0.0
    epsilon: float = 0.0
    epsilon_place: str = "hat"
    beta_power_dtype: str = "variable"


class Workload(abc.ABC):
    """What is computed.

    Attributes:
        name: as used on the command line and as the name of the ports' files.
        backends: the backends that ship a port.
        presets: `tiny`, `small`, `paper` or some of them.
        phases: named update steps, in the order of the schedule.
    """

    name: str
    backends: tuple[str, ...]
    presets: tuple[str, ...] = ("tiny", "small", "paper")
    phases: tuple[str, ...] = ("train",)

    @abc.abstractmethod
    def hyperparameters(self, preset: str) -> dict[str, Any]:
        """Return the workload's own configuration, plain JSON; must hold `batch`."""

    @abc.abstractmethod
    def parameters(self, hyper: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """Return every weight and running statistic in canonical order."""

    @abc.abstractmethod
    def optimizer(self, hyper: Mapping[str, Any]) -> Optimizer:
        """Return the optimizer's semantics."""

    @abc.abstractmethod
    def data(self, hyper: Mapping[str, Any]) -> Arrays:
        """Return the data: training rows, and evaluation inputs under names that begin with `eval_`."""

    def noise(self, hyper: Mapping[str, Any]) -> tuple[Noise, ...]:
        """Return the sites at which randomness enters a step."""
        return ()

    def config(self, preset: str, beta_power_dtype: str = "variable") -> dict[str, Any]:
        """Return everything that a port needs, plain JSON (see `backends.contract.Port`)."""
        hyper = self.hyperparameters(preset)
        optimizer = dataclasses.replace(self.optimizer(hyper), beta_power_dtype=beta_power_dtype)
        return {
            "workload": self.name,
            "preset": preset,
            **hyper,
            "phases": list(self.phases),
            "optimizer": dataclasses.asdict(optimizer),
            "parameters": [
                {"name": item.name, "shape": list(item.shape), "trainable": item.trainable}
                for item in self.parameters(hyper)
            ],
        }
