"""From what was asked (workloads x sides x settings x seeds) to jobs and pairs. Pure: no files, no clock, no processes.

A *side* is a build with, perhaps, a folder of ports of its own. A *job* is one side recording one workload; a *pair* says
which two jobs are judged against each other. A job is planned once however many pairs use it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Sequence
from typing import Any

from backends.contract import STAGES
from harness.workloads.spec import Workload

#: Seeds of the honest variations: three of one unit in the last place, two of batch order (and one plain repeat).
ULP_SEEDS = (101, 102, 103)
REORDER_SEEDS = (201, 202)
LOCKSTEP_STAGES = STAGES[:-1]
#: Builds whose Adam keeps its powers of beta in float32 even for float64 variables.
FLOAT32_POWERS_BACKEND = "tf1"


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
class Request:
    """What the user asked for, checked: names exist, sides and workloads fit.

    Attributes:
        threads: of every timed worker. fidelity_threads: of every recording one; the steps of `tiny` are so short that a
            second thread only waits for the first, for a hundred times as long where other programs run.
    """

    workloads: tuple[Workload, ...]
    sides: tuple[Side, ...]
    precisions: tuple[str, ...]
    stages: tuple[str, ...]
    preset: str | None
    device: str
    execution: str
    seeds: tuple[int, ...]
    threads: int
    fidelity_threads: int
    fidelity: bool = True
    speed: bool = True


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
    """One side records one workload on one tape."""

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

    @property
    def name(self) -> str:
        """The folder's name: readable, and unique by content."""
        content = json.dumps(dataclasses.asdict(self), sort_keys=True)
        short = hashlib.sha256(content.encode()).hexdigest()[:8]
        chain = "-chain" if self.powers == "float32" else ""
        safe = "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in self.side)
        return f"{self.workload}-{safe}-{self.precision}{chain}-seed{self.seed}-{short}"

    def opening(self) -> Opening:
        """Return what the worker opens."""
        return Opening(self.backend, self.workload, self.preset, self.powers, self.folders, _setting(self))


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
    """All sides timed against each other on one workload."""

    workload: str
    preset: str
    precision: str
    device: str
    execution: str
    threads: int
    seed: int
    sides: tuple[Side, ...]

    @property
    def name(self) -> str:
        """The prefix of the rounds' folders."""
        content = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return f"speed-{self.workload}-{self.precision}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"

    def opening(self, label: str) -> Opening:
        """Return what the worker of one side opens; timing needs no float32 chain, which costs no time either way."""
        side = next(side for side in self.sides if side.label == label)
        return Opening(side.backend, self.workload, self.preset, "variable", side.folders, _setting(self))


def _setting(job: Job | SpeedJob) -> dict[str, Any]:
    return {name: getattr(job, name) for name in ("device", "precision", "execution", "threads")}


@dataclasses.dataclass(frozen=True)
class Plan:
    """Everything to do, in order."""

    jobs: tuple[Job, ...]
    pairs: tuple[Pair, ...]
    chains: tuple[ChainCost, ...]
    speed: tuple[SpeedJob, ...]
    bounds: tuple[tuple[Job, Job], ...]  # (lower precision, float64) of one side


def sides(builds: Sequence[tuple[str, str, tuple[str, ...]]]) -> tuple[Side, ...]:
    """Return sides with unique labels from (build, backend, folders) in the order asked for."""
    seen: dict[str, int] = {}
    found = []
    for build, backend, folders in builds:
        seen[build] = seen.get(build, 0) + 1
        label = build if seen[build] == 1 else f"{build}#{seen[build]}"
        found.append(Side(label, build, backend, folders))
    return tuple(found)


def make(request: Request) -> Plan:
    """Return the plan of a request."""
    jobs: dict[str, Job] = {}
    pairs: list[Pair] = []
    chains: list[ChainCost] = []
    bounds: dict[str, tuple[Job, Job]] = {}

    def add(job: Job) -> Job:
        return jobs.setdefault(job.name, job)

    if request.fidelity:
        for workload, seed in itertools.product(request.workloads, request.seeds):
            able = [side for side in request.sides if side.backend in workload.backends]
            combinations = list(itertools.combinations(able, 2)) or [(side, side) for side in able]
            for precision, (a, b) in itertools.product(request.precisions, combinations):
                powers = _powers(workload, request, precision, a, b)
                sided = [add(_job(request, workload, side, precision, seed, powers)) for side in (a, b)]
                base: list[Job | None] = [None, None]
                if precision != "fp64":
                    lowest = [_job(request, workload, side, "fp64", seed, _powers(workload, request, "fp64", a, b)) for side in (a, b)]
                    base = [add(job) for job in lowest]
                    for low, full in zip(sided, lowest, strict=True):
                        bounds.setdefault(low.name, (low, full))
                if a is not b:
                    stages = tuple(stage for stage in request.stages if stage in LOCKSTEP_STAGES)
                    pairs.append(Pair(workload.name, precision, seed, sided[0], sided[1], base[0], base[1], stages))
            if "fp64" in request.precisions and "trajectory" in request.stages:
                chains.extend(_chain(request, workload, able, seed, add))
    timed = tuple(_speed(request)) if request.speed else ()
    return Plan(tuple(jobs.values()), tuple(pairs), tuple(chains), timed, tuple(bounds.values()))


def _powers(workload: Workload, request: Request, precision: str, a: Side, b: Side) -> str:
    """Return the dtype of the powers of beta for a pair: TF1's own chain on both sides if either is TF1's Adam."""
    if precision == "fp64" and _adam(workload, request) and FLOAT32_POWERS_BACKEND in (a.backend, b.backend):
        return "float32"
    return "variable"


def _adam(workload: Workload, request: Request) -> bool:
    optimizers = workload.optimizers(workload.hyperparameters(request.preset or "tiny"))
    return any(item.kind == "adam" for item in optimizers.values())


def _job(request: Request, workload: Workload, side: Side, precision: str, seed: int, powers: str) -> Job:
    preset = request.preset or "tiny"
    stages = tuple(stage for stage in LOCKSTEP_STAGES if stage in request.stages)
    if any(item != "fp64" for item in request.precisions):
        # The bounds of a lower precision are judged on activations and gradients, whatever stages were asked for.
        stages = tuple(stage for stage in LOCKSTEP_STAGES if stage in {*stages, "forward", "gradients"})
    variants = [{"kind": "ulp", "precision": precision, "seed": number} for number in ULP_SEEDS]
    variants += [{"kind": "repeat", "precision": precision, "seed": 0}]
    variants += [{"kind": "reorder", "precision": precision, "seed": number} for number in REORDER_SEEDS]
    if precision == "fp64":
        for lower in sorted(set(request.precisions) - {"fp64"}):
            for kind, number in (("round", 0), ("ulp", 301), ("ulp", 302)):
                variants.append({
                    "kind": f"{kind}:{lower}", "precision": lower, "seed": number, "stages": ("forward", "gradients"),
                })
    frozen = tuple(tuple(sorted(variant.items())) for variant in variants)
    return Job(
        side.label, side.build, side.backend, side.folders, workload.name, preset, precision,
        request.device, request.execution, request.fidelity_threads, seed, powers, stages, workload.trajectory_steps(preset), frozen,
    )


def _chain(request: Request, workload: Workload, able: Sequence[Side], seed: int, add: Any) -> list[ChainCost]:
    """Return the extra row of a comparison that TF1's Adam takes part in: the same build with and without its chain."""
    if not _adam(workload, request) or len(able) < 2 or not any(side.backend == FLOAT32_POWERS_BACKEND for side in able):
        return []
    others = [side for side in able if side.backend != FLOAT32_POWERS_BACKEND]
    side = (others or list(able))[0]
    both = [add(_job(request, workload, side, "fp64", seed, powers)) for powers in ("float32", "variable")]
    beside = next(item for item in able if item is not side and FLOAT32_POWERS_BACKEND in (item.backend, side.backend))
    return [ChainCost(workload.name, seed, both[0], both[1], _job(request, workload, beside, "fp64", seed, "float32"))]


def _speed(request: Request) -> list[SpeedJob]:
    precisions = [item for item in request.precisions if item != "fp64"] or ["fp64"]
    found = []
    for workload, precision in itertools.product(request.workloads, precisions):
        able = tuple(side for side in request.sides if side.backend in workload.backends)
        preset = request.preset or "small"
        if len(able) >= 2:
            found.append(SpeedJob(
                workload.name, preset, precision, request.device, request.execution, request.threads, request.seeds[0], able,
            ))
    return found


def describe(job: Job | SpeedJob) -> dict[str, Any]:
    """Return a job as plain JSON, for its record."""
    return dict(json.loads(json.dumps(dataclasses.asdict(job))))


def arguments(asked: Sequence[Side | Job]) -> list[str]:
    """Return the words of a command line that name these sides again, with the folders of their ports."""
    shared = [folder for folder in asked[0].folders if all(folder in other.folders for other in asked)]
    words = ["--backends"]
    for one in asked:
        own = [folder for folder in one.folders if folder not in shared]
        words.append("@".join([one.build, *own[:1]]))
    return [*words, "--ports", *shared] if shared else words


def identity(request: Request) -> dict[str, Any]:
    """Return what decides the work of a request, as plain JSON: two requests with the same identity do the same work."""
    plain = dataclasses.asdict(dataclasses.replace(request, workloads=()))
    presets = {request.preset} if request.preset else {"tiny", "small"}
    configs = [workload.config(preset) for workload in request.workloads for preset in sorted(presets & {*workload.presets})]
    return {**plain, "workloads": configs}
