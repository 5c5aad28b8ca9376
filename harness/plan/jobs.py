"""What is done: the jobs, and which of them are judged against each other. Pure."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from backends.contract import Setting


@dataclasses.dataclass(frozen=True)
class Side:
    """One column of a comparison.

    Attributes:
        label: unique, e.g. `torch`, `torch@mine` with the ports of a folder of that name, or
            `torch#2` for the second `torch`.
        build: name in `builds.BUILDS`. backend: that build's backend.
        folders: where ports are looked for before the shipped ones.
        deterministic: whether the framework is asked for deterministic kernels.
        only: whether ports are taken from the first of the folders and from nowhere else:
            BUILD@FOLDER.
        python: the interpreter that the user named for it; empty for the build's own.
    """

    label: str
    build: str
    backend: str
    folders: tuple[str, ...] = ()
    deterministic: bool = False
    only: bool = False
    python: str = ""


@dataclasses.dataclass(frozen=True)
class Opening:
    """What a worker needs to open a port; `folders`, `only`, `label`: as in `Side`."""

    backend: str
    workload: str
    preset: str
    powers: str
    folders: tuple[str, ...]
    setting: Setting
    only: bool = False
    label: str = ""


#: Fields that change how work is done and not what it is: jobs that differ in them alone have one
#: name, so that `--resume` finds them.
HOW = ("limit", "pass_env", "python")


@dataclasses.dataclass(frozen=True, kw_only=True)
class WorkloadJob:
    """What every job says: on which workload, and how. Two jobs that differ in any field have other
    names: they are other work.

    Attributes:
        device, precision, execution, threads: as in `contract.Setting`.
        seed: what the run was asked with. data: what `--data` named; empty for the workload's own.
        pair: the pair file that the workload follows from, if it does. path: folders of the user's
            own packages, as `--path` named them.
        limit: longest time of one request, seconds; for the command that repeats the job. 0 for the
            usual one. pass_env: as in `Request`, likewise.
    """

    workload: str
    preset: str
    precision: str
    device: str
    execution: str
    threads: int
    seed: int
    data: str = ""
    pair: str = ""
    path: tuple[str, ...] = ()
    limit: float = 0.0
    pass_env: tuple[str, ...] = ()

    def describe(self) -> dict[str, Any]:
        """Return the job as plain JSON, for its record."""
        return dict(json.loads(json.dumps(dataclasses.asdict(self))))

    def _open(self, side: Side | SideJob, powers: str) -> Opening:
        setting = Setting(
            device=self.device,
            precision=self.precision,
            execution=self.execution,
            threads=self.threads,
            deterministic=side.deterministic,
        )
        return Opening(
            backend=side.backend,
            workload=self.workload,
            preset=self.preset,
            powers=powers,
            folders=side.folders,
            setting=setting,
            only=side.only,
            label=side.label if isinstance(side, Side) else side.side,
        )

    def _digest(self) -> str:
        content = json.dumps(_what(dataclasses.asdict(self)), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:8]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SideJob(WorkloadJob):
    """A job of one side. `side`: its label; all other fields: as in `Side`."""

    side: str
    build: str
    backend: str
    folders: tuple[str, ...]
    deterministic: bool = False
    only: bool = False
    python: str = ""

    def _named(self, what: str) -> str:
        """Return a folder's name: readable, and unique by content."""
        return f"{self.workload}-{_safe(self.side)}-{self.precision}{what}-{self._digest()}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job(SideJob):
    """One side records one workload on one tape.

    Attributes:
        steps: of the trajectory. tape_steps: that the tape is drawn for, where they are more.
        sketch_from: tensors of so many values are kept as sketches; 0: all are kept whole.
    """

    powers: str
    stages: tuple[str, ...]
    steps: int
    variants: tuple[tuple[tuple[str, Any], ...], ...]
    tape_steps: int = 0
    sketch_from: int = 0

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._named(f"{'-chain' if self.powers == 'float32' else ''}-seed{self.seed}")

    def opening(self) -> Opening:
        """Return what the worker opens."""
        return self._open(self, self.powers)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TeacherForcedJob(SideJob):
    """One side computes each layer of its forward pass from another side's values of those before
    it.

    Attributes:
        teacher: the job whose record holds those values.
        steps, tape_steps: as in `Job`, for the same tape.
    """

    powers: str
    steps: int
    teacher: str
    tape_steps: int = 0

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._named(f"-teacher-forced-seed{self.seed}")

    def opening(self) -> Opening:
        """Return what the worker opens."""
        return self._open(self, self.powers)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ForcedUpdateJob(TeacherForcedJob):
    """One side makes its first update of another side's gradients."""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._named(f"-forced-update-seed{self.seed}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class SampleJob(SideJob):
    """One side trains natively from a seed of its own, and generates.

    Attributes:
        number: which of the seeds this is, counted from 0.
        own_seed: what initial weights are drawn from and what the framework's generators start
            from.
        steps: of training. rows: to generate.
    """

    number: int
    own_seed: int
    steps: int
    rows: int

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._named(f"-sample{self.number:03d}")

    def opening(self) -> Opening:
        """Return what the worker opens."""
        return self._open(self, "variable")


@dataclasses.dataclass(frozen=True)
class Distribution:
    """Two sides whose independently trained models are judged against each other; `a` is the
    original."""

    workload: str
    precision: str
    seed: int
    a: tuple[SampleJob, ...]
    b: tuple[SampleJob, ...]


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two jobs to be judged at some stages, and the float64 jobs behind them (None in float64
    itself).

    Attributes:
        updates: the kinds of the specification's optimizers, in words.
        trained: what has to be seen to move its parameters, in words, and their names.
    """

    workload: str
    precision: str
    seed: int
    a: Job
    b: Job
    base_a: Job | None
    base_b: Job | None
    stages: tuple[str, ...]
    updates: str = ""
    trained: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclasses.dataclass(frozen=True)
class ChainCost:
    """One informative row: what TF1's float32 chain of powers costs against the float64 one, on one
    build.

    `beside` is a job of a TF1 side, without which nobody would ask for the chain.
    """

    workload: str
    seed: int
    chain: Job
    plain: Job
    beside: Job


@dataclasses.dataclass(frozen=True)
class Warmup:
    """How long each side warms up before it is timed, where the user says so: `steps` at the least,
    and `seconds`."""

    seconds: float
    steps: int

    def __str__(self) -> str:
        """As on the command line: `2s`, or `500` steps."""
        return f"{self.seconds:g}s" if self.seconds else str(self.steps)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SpeedJob(WorkloadJob):
    """All sides timed against each other on one workload.

    Attributes:
        actions: those of `contract.ACTIONS`, then phases.
        precisions: of each side, where one build's precisions are timed against each other; else
            all sides have `precision`.
        allow_settings: compare sides whose settings differ in a way that leaves no verdict.
        slowdowns: of each side, where the verdict itself is tested: the share by which it is made
            slower. Else none is.
        warmup: how long each side warms up; None until steps are steady.
    """

    sides: tuple[Side, ...]
    actions: tuple[str, ...]
    precisions: tuple[str, ...] = ()
    slowdowns: tuple[float, ...] = ()
    allow_settings: bool = False
    warmup: Warmup | None = None

    @property
    def name(self) -> str:
        """The prefix of the rounds' folders."""
        return f"speed-{self.workload}-{self.precision}-{self._digest()}"

    def opening(self, label: str) -> Opening:
        """Return what the worker of one side opens; timing needs no float32 chain, which costs no
        time either way."""
        opening = self._open(next(side for side in self.sides if side.label == label), "variable")
        setting = dataclasses.replace(opening.setting, precision=self.precision_of(label))
        return dataclasses.replace(opening, setting=setting)

    def precision_of(self, label: str) -> str:
        """Return the precision in which a side runs."""
        return self.precisions[self._index(label)] if self.precisions else self.precision

    def slowdown_of(self, label: str) -> float:
        """Return the share by which a side is made slower."""
        return self.slowdowns[self._index(label)] if self.slowdowns else 0.0

    def _index(self, label: str) -> int:
        return [side.label for side in self.sides].index(label)

    def spelled(self, a: str, b: str) -> str:
        """Return the precision of two sides: `fp32`, or `fp32:bf16` where they have different
        ones.

        Args:
            a, b: labels.
        """
        both = dict.fromkeys((self.precision_of(a), self.precision_of(b)))
        return ":".join(both)


def _what(value: Any) -> Any:
    """Return a job's fields, and those of its sides, without `HOW`."""
    if isinstance(value, dict):
        return {name: _what(item) for name, item in value.items() if name not in HOW}
    return [_what(item) for item in value] if isinstance(value, (list, tuple)) else value


def same_work(job: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two descriptions are of the same work, however it is waited for.

    Args:
        job, other: as `describe` gave them, or as a record has kept them.
    """
    return bool(_what(dict(job)) == _what(dict(other)))


def _safe(label: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in label)


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
