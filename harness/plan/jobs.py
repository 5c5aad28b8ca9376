"""What is done: the jobs, and which of them are judged against each other. Pure."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any


@dataclasses.dataclass(frozen=True)
class Side:
    """One column of a comparison.

    Attributes:
        label: unique, e.g. `torch`, or `torch#2` for the second time the same build is named.
        build: name in `builds.BUILDS`. backend: that build's backend.
        folders: where ports are looked for before the shipped ones.
    """

    label: str
    build: str
    backend: str
    folders: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Opening:
    """What a worker needs to open a port. `setting` is `contract.Setting` as plain JSON."""

    backend: str
    workload: str
    preset: str
    powers: str
    folders: tuple[str, ...]
    setting: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Job:
    """One side records one workload on one tape. `data`: what `--data` named; empty for the workload's own."""

    side: str
    build: str
    backend: str
    folders: tuple[str, ...]
    workload: str
    preset: str
    precision: str
    device: str
    execution: str
    threads: int
    seed: int
    powers: str
    stages: tuple[str, ...]
    steps: int
    variants: tuple[tuple[tuple[str, Any], ...], ...]
    data: str = ""

    @property
    def name(self) -> str:
        """The folder's name: readable, and unique by content."""
        chain = "-chain" if self.powers == "float32" else ""
        return f"{self.workload}-{_safe(self.side)}-{self.precision}{chain}-seed{self.seed}-{_digest(self)}"

    def opening(self) -> Opening:
        """Return what the worker opens."""
        return Opening(self.backend, self.workload, self.preset, self.powers, self.folders, _setting(self))


@dataclasses.dataclass(frozen=True)
class SampleJob:
    """One side trains natively from a seed of its own, and generates.

    Attributes:
        seed: what the run was asked with. number: which of the seeds this is, counted from 0.
        own_seed: what initial weights are drawn from and what the framework's generators start from.
        steps: of training. rows: to generate. data: what `--data` named.
    """

    side: str
    build: str
    backend: str
    folders: tuple[str, ...]
    workload: str
    preset: str
    precision: str
    device: str
    execution: str
    threads: int
    seed: int
    number: int
    own_seed: int
    steps: int
    rows: int
    data: str = ""

    @property
    def name(self) -> str:
        """The folder's name: readable, and unique by content."""
        return f"{self.workload}-{_safe(self.side)}-{self.precision}-sample{self.number:03d}-{_digest(self)}"

    def opening(self) -> Opening:
        """Return what the worker opens."""
        return Opening(self.backend, self.workload, self.preset, "variable", self.folders, _setting(self))


@dataclasses.dataclass(frozen=True)
class Distribution:
    """Two sides whose independently trained models are judged against each other; `a` is the original."""

    workload: str
    precision: str
    seed: int
    a: tuple[SampleJob, ...]
    b: tuple[SampleJob, ...]


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two jobs to be judged at some stages, and the float64 jobs behind them (None in float64 itself)."""

    workload: str
    precision: str
    seed: int
    a: Job
    b: Job
    base_a: Job | None
    base_b: Job | None
    stages: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class ChainCost:
    """One informative row: what TF1's float32 chain of powers costs against the float64 one, on one build.

    `beside` is a job of a TF1 side, without which nobody would ask for the chain.
    """

    workload: str
    seed: int
    chain: Job
    plain: Job
    beside: Job


@dataclasses.dataclass(frozen=True)
class SpeedJob:
    """All sides timed against each other on one workload. `actions`: those of `contract.ACTIONS`, then phases."""

    workload: str
    preset: str
    precision: str
    device: str
    execution: str
    threads: int
    seed: int
    sides: tuple[Side, ...]
    actions: tuple[str, ...]
    data: str = ""

    @property
    def name(self) -> str:
        """The prefix of the rounds' folders."""
        return f"speed-{self.workload}-{self.precision}-{_digest(self)}"

    def opening(self, label: str) -> Opening:
        """Return what the worker of one side opens; timing needs no float32 chain, which costs no time either way."""
        side = next(side for side in self.sides if side.label == label)
        return Opening(side.backend, self.workload, self.preset, "variable", side.folders, _setting(self))


def _setting(job: Job | SampleJob | SpeedJob) -> dict[str, Any]:
    return {name: getattr(job, name) for name in ("device", "precision", "execution", "threads")}


def _safe(label: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in label)


def _digest(job: Job | SampleJob | SpeedJob) -> str:
    content = json.dumps(dataclasses.asdict(job), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:8]


@dataclasses.dataclass(frozen=True)
class Plan:
    """Everything to do, in order."""

    jobs: tuple[Job, ...]
    pairs: tuple[Pair, ...]
    chains: tuple[ChainCost, ...]
    speed: tuple[SpeedJob, ...]
    bounds: tuple[tuple[Job, Job], ...]  # (lower precision, float64) of one side
    samples: tuple[SampleJob, ...] = ()
    distributions: tuple[Distribution, ...] = ()


def describe(job: Job | SampleJob | SpeedJob) -> dict[str, Any]:
    """Return a job as plain JSON, for its record."""
    return dict(json.loads(json.dumps(dataclasses.asdict(job))))
