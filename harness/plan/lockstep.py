"""Jobs that record on one tape, and the pairs of sides that are judged by them: with the honest
variations of each side, the float64 jobs behind lower precisions, and TF1's chain of powers."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import Any

from backends.contract import ADAMS, Stage
from harness.plan import job_fields
from harness.plan.jobs import ChainCost, Job, Pair, Side
from harness.plan.request import LOCKSTEP_STAGES, Request
from harness.workloads.spec import Workload

#: Seeds of the honest variations: two of one unit in the last place of everything, one of the
#: weights' alone, two of batch order (and one plain repeat).
ULP_SEEDS, WEIGHT_SEEDS = (101, 102), (103,)
REORDER_SEEDS = (201, 202)
#: Of a pair with so many parameters, tensors of so many values are kept as sketches: records of
#: whole ones would take gigabytes.
LARGE, SKETCH_FROM = 2**20, 2**14
#: Builds whose Adam keeps its powers of beta in float32 even for float64 variables.
FLOAT32_POWERS_BACKEND = "tf1"
#: The backend whose optimizers hold every number in float64 where they are to compute in it.
FLOAT64_CONSTANTS_BACKEND = "torch"
#: The variations that hold them in float32, each by itself: two may make up for each other.
CONSTANTS = ("constants:rates", "constants:others", "constants:powers")


def draft(request: Request) -> Lockstep:
    """Return what a request records on tapes, and what is judged by it."""
    lockstep = Lockstep(request)
    for workload, seed in itertools.product(request.workloads, request.seeds):
        able = job_fields.able_sides(request, workload)
        pairs = job_fields.combinations(able)
        for precision, (a, b) in itertools.product(request.precisions, pairs):
            lockstep.add_pair(workload, precision, seed, a, b)
        if "fp64" in request.precisions and Stage.TRAJECTORY in request.stages:
            lockstep.add_chain(workload, seed, able)
    return lockstep


@dataclasses.dataclass
class Lockstep:
    """A part of a plan while it is drafted.

    Attributes:
        jobs: by name, so that each is there once however many pairs use it.
        bounds: (lower precision, float64) of one side, by the name of the first.
    """

    request: Request
    jobs: dict[str, Job] = dataclasses.field(default_factory=dict)
    pairs: list[Pair] = dataclasses.field(default_factory=list)
    chains: list[ChainCost] = dataclasses.field(default_factory=list)
    bounds: dict[str, tuple[Job, Job]] = dataclasses.field(default_factory=dict)

    def add_pair(self, workload: Workload, precision: str, seed: int, a: Side, b: Side) -> None:
        """Add the jobs of two sides and their pair; of a side with itself, the job alone."""
        sided = [self._add(job) for job in self._jobs(workload, precision, seed, a, b)]
        base: list[Job | None] = [None, None]
        if precision != "fp64":
            full = self._jobs(workload, "fp64", seed, a, b)
            base = [self._add(job) for job in full]
            for low, job in zip(sided, full, strict=True):
                self.bounds.setdefault(low.name, (low, job))
        if a is not b:
            pair = Pair(
                workload=workload.name,
                precision=precision,
                seed=seed,
                a=sided[0],
                b=sided[1],
                base_a=base[0],
                base_b=base[1],
                stages=tuple(stage for stage in self.request.stages if stage in LOCKSTEP_STAGES),
                updates=_kinds(workload, self.request),
                trained=tuple(workload.trained().items()),
            )
            self.pairs.append(pair)

    def add_chain(self, workload: Workload, seed: int, able: Sequence[Side]) -> None:
        """Add the extra row of a comparison that TF1's Adam takes part in: the same build with and
        without its chain."""
        if not _has_adam(workload, self.request) or len(able) < 2:
            return
        if not any(side.backend == FLOAT32_POWERS_BACKEND for side in able):
            return
        others = [side for side in able if side.backend != FLOAT32_POWERS_BACKEND]
        side = (others or list(able))[0]
        chain, plain = (
            self._add(_job(self.request, workload, side, "fp64", seed, powers))
            for powers in ("float32", "variable")
        )
        beside = next(
            item
            for item in able
            if item is not side and FLOAT32_POWERS_BACKEND in (item.backend, side.backend)
        )
        beside_job = _job(self.request, workload, beside, "fp64", seed, "float32")
        self.chains.append(ChainCost(workload.name, seed, chain, plain, beside_job))

    def _add(self, job: Job) -> Job:
        return self.jobs.setdefault(job.name, job)

    def _jobs(
        self, workload: Workload, precision: str, seed: int, a: Side, b: Side
    ) -> tuple[Job, ...]:
        """Return the jobs of two sides. Both keep the powers of beta as TF1 does if either is TF1's
        Adam."""
        of_tf1 = FLOAT32_POWERS_BACKEND in (a.backend, b.backend)
        chained = precision == "fp64" and of_tf1 and _has_adam(workload, self.request)
        powers = "float32" if chained else "variable"
        return tuple(_job(self.request, workload, side, precision, seed, powers) for side in (a, b))


def _kinds(workload: Workload, request: Request) -> str:
    """Return the kinds of a workload's optimizers, in words."""
    optimizers = workload.optimizers(workload.hyperparameters(request.preset or "tiny"))
    return ", ".join(dict.fromkeys(item.kind for item in optimizers.values()))


def _has_adam(workload: Workload, request: Request) -> bool:
    optimizers = workload.optimizers(workload.hyperparameters(request.preset or "tiny"))
    return any(item.kind in ADAMS for item in optimizers.values())


def _job(
    request: Request, workload: Workload, side: Side, precision: str, seed: int, powers: str
) -> Job:
    preset = request.preset or "tiny"
    variants = _variations(precision)
    if precision == "fp64":
        variants += _roundings(request)
        variants += _constants(request, workload, side)
    steps = request.steps or workload.trajectory_steps(preset)
    updated = workload.update_steps()
    return Job(
        **job_fields.of_side(side),
        **job_fields.of_workload(request, workload, preset, precision),
        threads=request.fidelity_threads,
        seed=seed,
        powers=powers,
        stages=_recorded_stages(request),
        steps=steps,
        tape_steps=updated if steps < updated else 0,
        variants=tuple(tuple(sorted(variant.items())) for variant in variants),
        sketch_from=SKETCH_FROM if _is_large(workload, preset) else 0,
    )


def _is_large(workload: Workload, preset: str) -> bool:
    """Whether a pair's models are too large for records of whole tensors."""
    if not workload.pair:
        return False
    parameters = workload.parameters(workload.hyperparameters(preset))
    return sum(math.prod(item.shape) for item in parameters) >= LARGE


def _recorded_stages(request: Request) -> tuple[str, ...]:
    stages = {*request.stages}
    if any(item != "fp64" for item in request.precisions):
        # The bounds of a lower precision are judged on activations and gradients, whatever stages
        # were asked for.
        stages |= {Stage.FORWARD, Stage.GRADIENTS}
    return tuple(stage for stage in LOCKSTEP_STAGES if stage in stages)


def _variations(precision: str) -> list[dict[str, Any]]:
    """Return the honest variations: what the same side computes with other roundings."""
    kinds = [("ulp", number) for number in ULP_SEEDS]
    kinds += [("weights", number) for number in WEIGHT_SEEDS]
    kinds += [("repeat", 0)]
    kinds += [("reorder", number) for number in REORDER_SEEDS]
    return [{"kind": kind, "precision": precision, "seed": number} for kind, number in kinds]


def _constants(request: Request, workload: Workload, side: Side) -> list[dict[str, Any]]:
    """Return the variations of a pair's optimizers: Keras and TensorFlow hold some of their numbers
    in float32, torch, which can be made to, none."""
    others = {item.backend for item in request.sides} - {FLOAT64_CONSTANTS_BACKEND}
    if not workload.pair or side.backend != FLOAT64_CONSTANTS_BACKEND or not others:
        return []
    stages = (Stage.UPDATE, Stage.TRAJECTORY)
    return [{"kind": kind, "precision": "fp64", "seed": 0, "stages": stages} for kind in CONSTANTS]


def _roundings(request: Request) -> list[dict[str, Any]]:
    """Return the variations that round a float64 job to the lower precisions asked for."""
    stages = (Stage.FORWARD, Stage.GRADIENTS)
    kinds = (("round", 0), ("ulp", 301), ("ulp", 302))
    return [
        {"kind": f"{kind}:{lower}", "precision": lower, "seed": number, "stages": stages}
        for lower in sorted(set(request.precisions) - {"fp64"})
        for kind, number in kinds
    ]
