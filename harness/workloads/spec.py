"""What a workload is: configuration, presets, data, parameters with canonical names, noise, phases.
Framework-free.

Owns the declarations that `tape` draws from and that ports receive as plain JSON. A new workload is
one subclass of `Workload` here-under (or in a user's folder) and one file per backend; nothing else
has to change.
"""

from __future__ import annotations

import abc
import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backends.contract import UPDATE_STEPS
from harness.errors import UsageError
from harness.workloads import start_values
from harness.workloads.generators import glorot_uniform, normal

Arrays = dict[str, NDArray[Any]]

#: Pseudo-phases of `Noise`: what the forward stage and `generate` consume on a tape.
FORWARD, GENERATE = "forward", "generate"


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One weight or running statistic.

    Attributes:
        name: canonical, e.g. `conv1/kernel`.
        shape: in canonical layout (kernels [in, out] or [height, width, in, out]).
        initial: `zeros`, `ones`, `normal` or `glorot_uniform` (limit sqrt(6 / (fan_in + fan_out)),
            Glorot & Bengio 2010; of a vector both fans are its length, as in TensorFlow); or start
            values of one's own: an array in `shape`, or the path of an .npy, or of an .npz that
            holds one under the parameter's name.
        trainable: False for running statistics.
        deviation: standard deviation of `normal`.

    Example:
        >>> kernel = Parameter("dense/kernel", (784, 10), "glorot_uniform")
        >>> kernel.draw(np.random.RandomState(0)).shape
        (784, 10)
        >>> Parameter("norm/moving_variance", (2,), "ones", trainable=False).described()
        {'name': 'norm/moving_variance', 'shape': [2], 'trainable': False}
        >>> Parameter("w", (2,), [0.5, -0.5]).draw(np.random.RandomState(0)).tolist()
        [0.5, -0.5]
    """

    name: str
    shape: tuple[int, ...]
    initial: str | ArrayLike | os.PathLike[str] = "zeros"
    trainable: bool = True
    deviation: float = 1.0

    def draw(self, generator: np.random.RandomState) -> NDArray[np.float64]:
        """Return the initial value, float64. Uniform draws only: their bits do not depend on a
        platform's libm.

        Raises:
            UsageError: start values of the user's own cannot be had, or do not fit.
        """
        if start_values.holds_values(self.initial):
            return start_values.values(self.name, self.shape, self.initial)
        if self.initial == "normal":
            return self.deviation * normal(generator, self.shape)
        if self.initial == "zeros":
            return np.zeros(self.shape)
        if self.initial == "ones":
            return np.ones(self.shape)
        if self.initial == "glorot_uniform":
            return glorot_uniform(generator, self.shape)
        raise ValueError(
            f"parameter {self.name}: initial '{self.initial}' is not one of zeros, ones, normal,"
            " glorot_uniform, nor a path of .npy or .npz"
        )

    def described(self) -> dict[str, Any]:
        """Return what a port is told of it, plain JSON; with a digest of start values of the user's
        own: other values are other work."""
        description: dict[str, Any] = {
            "name": self.name,
            "shape": list(self.shape),
            "trainable": self.trainable,
        }
        if start_values.holds_values(self.initial):
            description["given"] = self.values_digest()
        return description

    def values_digest(self) -> str:
        """Return a digest of start values of the user's own."""
        assert start_values.holds_values(self.initial)
        return start_values.digest(start_values.values(self.name, self.shape, self.initial))


@dataclasses.dataclass(frozen=True)
class Noise:
    """One site at which randomness enters.

    Attributes:
        phases: the phases that consume it; several consume the same draw of a step. `FORWARD` and
            `GENERATE` name what the forward stage and `generate` consume; those are drawn once, not
            once a step.
        site: name, unique in each of the phases.
        shape: of one draw. Its first axis is the batch; or a multiple of it, as batch * heads of
            attention, the rows of one sample beside each other; or 1, one draw for all rows.
            Anything else belongs to no row.
        kind: `keep_mask` (1 with probability `keep`, else 0), `uniform` on [low, high) or `normal`
            (mean 0, variance 1).
        keep, low, high: as said under `kind`.

    Example:
        The mask of a dropout of a quarter, on a batch of 16; and what a GAN generates from.

        >>> mask = Noise(("train", FORWARD), "dropout", (16, 32), keep=0.75)
        >>> mask.draw(np.random.RandomState(0), steps=2).shape
        (2, 16, 32)
        >>> latent = Noise((GENERATE,), "latent", (16, 8), "uniform", low=-1.0)
        >>> bool(np.all(np.abs(latent.draw(np.random.RandomState(0), steps=1)) <= 1.0))
        True
    """

    phases: tuple[str, ...]
    site: str
    shape: tuple[int, ...]
    kind: str = "keep_mask"
    keep: float = 1.0
    low: float = 0.0
    high: float = 1.0

    def draw(self, generator: np.random.RandomState, steps: int) -> NDArray[Any]:
        """Return [steps, *shape]: float64, masks uint8.

        Args:
                    generator: of the draws. steps: how many.

        Raises:
            ValueError: the kind is none.
        """
        shape = (steps, *self.shape)
        if self.kind == "uniform":
            return self.low + (self.high - self.low) * generator.uniform(size=shape)
        if self.kind == "normal":
            return normal(generator, shape)
        if self.kind == "keep_mask":
            return (generator.uniform(size=shape) < self.keep).astype(np.uint8)
        raise ValueError(
            f"noise {self.site}: kind '{self.kind}' is not one of keep_mask, uniform, normal"
        )


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """An optimizer's semantics as data, down to what frameworks disagree on.

    Attributes:
        kind: `sgd`, `adam` (Kingma & Ba 2015) or `adamw` (Loshchilov & Hutter 2019: Adam with
            decoupled weight decay).
        learning_rate, beta1, beta2, epsilon: hyper-parameters; dyadic ones are exact in float32.
        epsilon_place: `hat` as TF1 and Keras (the unnumbered variant in the paper, section 2: the
            bias correction scales the step, so it scales epsilon too) or `corrected` as torch
            (epsilon after the correction).
        beta_power_dtype: the dtype in which the powers of beta are kept: `variable` (as the
            weights) or `float32` (as TF1 does even for float64 variables: a chain of float32
            products).
        weight_decay: of `adamw`: before its step of Adam, every weight that has a gradient loses
            learning_rate * weight_decay of itself. So torch and Keras do it; the moments know
            nothing of it.

    Example:
        Adam as PyTorch computes it, with numbers that are exact in float32.

        >>> adam = Optimizer("adam", 2.0**-10, 0.875, 0.96875, 2.0**-20, "corrected")
        >>> adam.plain("variable")["epsilon_place"]
        'corrected'
        >>> Optimizer("sgd", 2.0**-6, weight_decay=0.5)
        Traceback (most recent call last):
        ...
        ValueError: weight_decay 0.5 of an optimizer of kind 'sgd': only adamw decays weights
    """

    kind: str
    learning_rate: float
    beta1: float = 0.0
    beta2: float = 0.0
    epsilon: float = 0.0
    epsilon_place: str = "hat"
    beta_power_dtype: str = "variable"
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        if self.weight_decay and self.kind != "adamw":
            raise ValueError(
                f"weight_decay {self.weight_decay} of an optimizer of kind {self.kind!r}: only"
                " adamw decays weights"
            )

    def plain(self, beta_power_dtype: str) -> dict[str, Any]:
        """Return it as plain JSON for a port; the weight decay is told of what has one."""
        semantics = {**dataclasses.asdict(self), "beta_power_dtype": beta_power_dtype}
        if self.kind != "adamw":
            del semantics["weight_decay"]
        return semantics


@dataclasses.dataclass(frozen=True)
class Update:
    """What a phase updates: the parameters named, through the optimizer named, whose slots are its
    own.

    Several phases may share an optimizer; a parameter may belong to several optimizers.
    """

    phase: str
    optimizer: str
    parameters: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class ModelSpec:
    """What a workload declares of its weights in one preset, and of what trains them: the part of
    its configuration that the harness itself looks at."""

    workload: str
    parameters: tuple[Parameter, ...]
    optimizers: Mapping[str, Optimizer]
    updates: tuple[Update, ...]


@dataclasses.dataclass(frozen=True)
class Segment:
    """A stretch of training in which every step runs the same phases; `steps` None: until training
    ends."""

    name: str
    steps: int | None
    phases: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Sampling:
    """How much the distribution stage does for each seed: native training steps, and rows to
    generate from the trained model."""

    steps: int
    rows: int


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """Real rows beside what `generate` gives, in its layout and units.

    Attributes:
        rows: [N, T, F], never trained on. training: [M, T, F], trained on.
        discrete: how many of the last channels are 0 or 1. minimum, range: [F], scale each channel
            to [0, 1].
        channels: names of the F channels.
    """

    rows: NDArray[np.float64]
    training: NDArray[np.float64]
    discrete: int
    minimum: NDArray[np.float64]
    range: NDArray[np.float64]
    channels: tuple[str, ...]


class Workload(abc.ABC):
    """What is computed.

    Attributes:
        name: as used on the command line. port: the name of the ports' files, if it is another one.
        backends: the backends that ship a port.
        presets: `tiny`, `small`, `paper` or some of them.
        default: whether a comparison that names no workload includes this one.
        sources: what `--data` may name beside a folder; empty if the workload brings its own data.
        source: what `--data` named; empty for the workload's own.
        pair: path of the pair file that it follows from; empty for one that is written down.
        path: folders of the user's own packages that `--path` named beside it.

    Example:
        >>> class Line(Workload):
        ...     '''A straight line through eight points.'''
        ...
        ...     name = "line"
        ...     backends = ("numpy", "torch")
        ...     presets = ("tiny",)
        ...
        ...     def hyperparameters(self, preset):
        ...         return {"batch": 4}
        ...
        ...     def parameters(self, hyper):
        ...         return (Parameter("w", (1, 1), "ones"), Parameter("b", (1,)))
        ...
        ...     def optimizers(self, hyper):
        ...         return {"sgd": Optimizer("sgd", learning_rate=2.0**-4)}
        ...
        ...     def data(self, hyper):
        ...         x = np.arange(8.0)[:, None]
        ...         return {"x": x, "y": 3.0 * x - 1.0, "eval_x": x[:2]}
        >>> Line().what
        'A straight line through eight points.'
        >>> config = Line().config("tiny")
        >>> config["phases"], config["batch"], config["forward"]["modes"]
        (['train'], 4, ['training', 'inference'])
        >>> config["updates"]
        [{'phase': 'train', 'optimizer': 'sgd', 'parameters': ['w', 'b']}]
    """

    name: str
    port: str = ""
    backends: tuple[str, ...]
    presets: tuple[str, ...] = ("tiny", "small", "paper")
    default: bool = True
    sources: tuple[str, ...] = ()
    source: str = ""
    pair: str = ""
    path: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """The workload in one line."""
        return (type(self).__doc__ or "").strip().partition("\n")[0]

    def with_data(self, data: str) -> Workload:
        """Return this workload on the data that `--data` names.

        Args:
            data: one of `sources`, or a folder.

        Raises:
            UsageError: the workload takes none, or they cannot be used.
        """
        raise UsageError(
            f"--data {data}: workload {self.name} brings its own data and takes no other."
        )

    @abc.abstractmethod
    def hyperparameters(self, preset: str) -> dict[str, Any]:
        """Return the workload's own configuration, plain JSON; must hold `batch`."""

    @abc.abstractmethod
    def parameters(self, hyper: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """Return every weight and running statistic in canonical order."""

    @abc.abstractmethod
    def optimizers(self, hyper: Mapping[str, Any]) -> dict[str, Optimizer]:
        """Return the optimizers' semantics by name; one optimizer is named after its kind."""

    @abc.abstractmethod
    def data(self, hyper: Mapping[str, Any]) -> Arrays:
        """Return the data: training rows, and evaluation inputs under names that begin with
        `eval_`."""

    def updates(self, hyper: Mapping[str, Any]) -> tuple[Update, ...]:
        """Return the named phases, in the order of the schedule; by default one, `train`, of
        everything trainable."""
        trainable = tuple(item.name for item in self.parameters(hyper) if item.trainable)
        return (Update("train", next(iter(self.optimizers(hyper))), trainable),)

    def schedule(self, hyper: Mapping[str, Any]) -> tuple[Segment, ...]:
        """Return the segments of training in order; by default one without end that runs every
        phase."""
        return (Segment("train", None, tuple(update.phase for update in self.updates(hyper))),)

    def noise(self, hyper: Mapping[str, Any]) -> tuple[Noise, ...]:
        """Return the sites at which randomness enters."""
        return ()

    def forward(self, hyper: Mapping[str, Any]) -> dict[str, Any]:
        """Return how the forward stage looks: `phase`, whose noise it takes, and `modes`, of
        training and inference."""
        return {"phase": self.updates(hyper)[0].phase, "modes": ["training", "inference"]}

    def update_steps(self) -> int:
        """Return how many training steps the update stage looks at."""
        return UPDATE_STEPS

    def trained(self) -> dict[str, tuple[str, ...]]:
        """Return, by what trains them in words, parameters of which training that is seen at all
        moves some; none where the workload's own optimizers move all of them at every step."""
        return {}

    def trajectory_steps(self, preset: str) -> int:
        """Return how many steps the trajectory stage trains."""
        return 50

    def distribution(self, preset: str) -> Sampling | None:
        """Return what the distribution stage does, or None where a workload has no such stage."""
        return None

    def held_out(self, hyper: Mapping[str, Any]) -> HeldOut | None:
        """Return real rows for the quality of what is generated, or None where there is nothing to
        hold it against."""
        return None

    def operations(self, hyper: Mapping[str, Any], action: str) -> float | None:
        """Return the floating-point operations of the matrix products and convolutions of one step
        of `train` or `generate`, a multiplication and an addition counting as two; None where
        nobody has counted. For builds whose framework cannot.

        Args:
            hyper: what `hyperparameters` returns.
            action: one of `contract.ACTIONS`.
        """
        return None

    def namings(self, hyper: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Return, by a word, under which names known programs keep this model in TF1 checkpoints
        (see `harness/models/foreign_names.py`)."""
        return {}

    def model_spec(self, preset: str) -> ModelSpec:
        """Return what the workload declares of its weights and of what trains them.

        Args:
            preset: one of `presets`.
        """
        hyper = self.hyperparameters(preset)
        return ModelSpec(
            workload=self.name,
            parameters=tuple(self.parameters(hyper)),
            optimizers=self.optimizers(hyper),
            updates=tuple(self.updates(hyper)),
        )

    def config(self, preset: str, beta_power_dtype: str = "variable") -> dict[str, Any]:
        """Return everything that a port needs, plain JSON (see `backends.contract.Port`).

        Args:
            preset: one of `presets`.
            beta_power_dtype: in which dtype every optimizer keeps its powers of beta, `variable` or
                `float32` (see `Optimizer`).

        Raises:
            UsageError: start values of the user's own cannot be had, or do not fit.
        """
        hyper = self.hyperparameters(preset)
        updates = self.updates(hyper)
        plain_updates = [
            {**dataclasses.asdict(update), "parameters": list(update.parameters)}
            for update in updates
        ]
        segments = [
            {**dataclasses.asdict(segment), "phases": list(segment.phases)}
            for segment in self.schedule(hyper)
        ]
        optimizers = {
            name: optimizer.plain(beta_power_dtype)
            for name, optimizer in self.optimizers(hyper).items()
        }
        sites = [
            {**dataclasses.asdict(site), "phases": list(site.phases), "shape": list(site.shape)}
            for site in self.noise(hyper)
        ]
        return {
            "workload": self.name,
            "preset": preset,
            **hyper,
            "phases": [update.phase for update in updates],
            "updates": plain_updates,
            "schedule": segments,
            "optimizers": optimizers,
            "noise": sites,
            "forward": self.forward(hyper),
            "parameters": [item.described() for item in self.parameters(hyper)],
        }
