"""From what was asked (workloads x sides x settings x seeds) to jobs and pairs."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Sequence
from typing import Any

from backends.contract import ACTIONS, ADAMS
from harness.plan.jobs import ChainCost, Distribution, Job, Pair, Plan, SampleJob, Side, SpeedJob
from harness.plan.request import DISTRIBUTION, LOCKSTEP_STAGES, Request, has_port
from harness.workloads.spec import Workload

#: Seeds of the honest variations: two of one unit in the last place of everything, one of the
#: weights' alone, two of batch order (and one plain repeat).
ULP_SEEDS, WEIGHT_SEEDS = (101, 102), (103,)
REORDER_SEEDS = (201, 202)
#: Builds whose Adam keeps its powers of beta in float32 even for float64 variables.
FLOAT32_POWERS_BACKEND = "tf1"


def make(request: Request) -> Plan:
    """Return the plan of a request."""
    jobs: dict[str, Job] = {}
    pairs: list[Pair] = []
    chains: list[ChainCost] = []
    bounds: dict[str, tuple[Job, Job]] = {}

    def add(job: Job) -> Job:
        return jobs.setdefault(job.name, job)

    if request.fidelity and any(stage in LOCKSTEP_STAGES for stage in request.stages):
        for workload, seed in itertools.product(request.workloads, request.seeds):
            able = _able(request, workload)
            for precision, (a, b) in itertools.product(request.precisions, _combinations(able)):
                powers = _powers(workload, request, precision, a, b)
                sided = [
                    add(_job(request, workload, side, precision, seed, powers)) for side in (a, b)
                ]
                base: list[Job | None] = [None, None]
                if precision != "fp64":
                    lowest = [
                        _job(
                            request,
                            workload,
                            side,
                            "fp64",
                            seed,
                            _powers(workload, request, "fp64", a, b),
                        )
                        for side in (a, b)
                    ]
                    base = [add(job) for job in lowest]
                    for low, full in zip(sided, lowest, strict=True):
                        bounds.setdefault(low.name, (low, full))
                if a is not b:
                    stages = tuple(stage for stage in request.stages if stage in LOCKSTEP_STAGES)
                    kinds = _kinds(workload, request)
                    pairs.append(
                        Pair(
                            workload.name,
                            precision,
                            seed,
                            sided[0],
                            sided[1],
                            base[0],
                            base[1],
                            stages,
                            kinds,
                        )
                    )
            if "fp64" in request.precisions and "trajectory" in request.stages:
                chains.extend(_chain(request, workload, able, seed, add))
    samples, distributions = (
        _distributions(request) if request.fidelity and DISTRIBUTION in request.stages else ((), ())
    )
    timed = tuple(_speed(request)) if request.speed else ()
    return Plan(
        tuple(jobs.values()),
        tuple(pairs),
        tuple(chains),
        timed,
        tuple(bounds.values()),
        samples,
        distributions,
    )


def _able(request: Request, workload: Workload) -> list[Side]:
    return [side for side in request.sides if has_port(side, workload)]


def _combinations(able: Sequence[Side]) -> list[tuple[Side, Side]]:
    """Return all pairs; a side alone is paired with itself, to be recorded and compared with
    nothing."""
    return list(itertools.combinations(able, 2)) or [(side, side) for side in able]


def _distributions(request: Request) -> tuple[tuple[SampleJob, ...], tuple[Distribution, ...]]:
    """Return the jobs that train independently, one a side and seed, and the pairs of sides that
    are judged by them."""
    samples: dict[str, SampleJob] = {}
    distributions = []
    for workload, precision in itertools.product(request.workloads, _native_precisions(request)):
        size = workload.distribution(request.preset or "tiny")
        if size is None:
            continue
        for a, b in _combinations(_able(request, workload)):
            found = []
            for side in (a, b):
                drawn = tuple(
                    _sample(request, workload, side, precision, number)
                    for number in range(request.models)
                )
                found.append(tuple(samples.setdefault(job.name, job) for job in drawn))
            if a is not b:
                distributions.append(
                    Distribution(workload.name, precision, request.seeds[0], found[0], found[1])
                )
    return tuple(samples.values()), tuple(distributions)


def _native_precisions(request: Request) -> tuple[str, ...]:
    """Return what models are trained in as users train them: float32, and where that was not asked
    for, what was."""
    if "fp32" in request.precisions:
        return ("fp32",)
    return tuple(item for item in request.precisions if item != "fp64") or ("fp64",)


def _sample(
    request: Request, workload: Workload, side: Side, precision: str, number: int
) -> SampleJob:
    preset = request.preset or "tiny"
    size = workload.distribution(preset)
    assert size is not None
    own = independent_seed(request.seeds[0], side.label, number)
    return SampleJob(
        **_of(side),
        **_on(request, workload, preset, precision),
        threads=request.fidelity_threads,
        seed=request.seeds[0],
        number=number,
        own_seed=own,
        steps=size.steps,
        rows=size.rows,
    )


def _of(side: Side) -> dict[str, Any]:
    """Return the fields of a job that a side fills."""
    named = {
        name: getattr(side, name) for name in ("build", "backend", "folders", "only", "python")
    }
    return {"side": side.label, **named}


def _on(request: Request, workload: Workload, preset: str, precision: str) -> dict[str, Any]:
    """Return the fields that all jobs of a workload have."""
    return {
        "workload": workload.name,
        "data": workload.source,
        "preset": preset,
        "precision": precision,
        "device": request.device,
        "execution": request.execution,
        "limit": request.limit,
    }


def independent_seed(base: int, side: str, number: int) -> int:
    """Return a seed of 31 bits that no other side and no other number has, but by an accident of
    2^-31."""
    content = hashlib.sha256(f"{base}/{side}/{number}".encode()).digest()
    return int.from_bytes(content[:4], "big") >> 1


def _powers(workload: Workload, request: Request, precision: str, a: Side, b: Side) -> str:
    """Return the dtype of the powers of beta for a pair: TF1's own chain on both sides if either is
    TF1's Adam."""
    if (
        precision == "fp64"
        and _adam(workload, request)
        and FLOAT32_POWERS_BACKEND in (a.backend, b.backend)
    ):
        return "float32"
    return "variable"


def _kinds(workload: Workload, request: Request) -> str:
    optimizers = workload.optimizers(workload.hyperparameters(request.preset or "tiny"))
    return ", ".join(dict.fromkeys(item.kind for item in optimizers.values()))


def _adam(workload: Workload, request: Request) -> bool:
    optimizers = workload.optimizers(workload.hyperparameters(request.preset or "tiny"))
    return any(item.kind in ADAMS for item in optimizers.values())


def _job(
    request: Request, workload: Workload, side: Side, precision: str, seed: int, powers: str
) -> Job:
    preset = request.preset or "tiny"
    stages = tuple(stage for stage in LOCKSTEP_STAGES if stage in request.stages)
    if any(item != "fp64" for item in request.precisions):
        # The bounds of a lower precision are judged on activations and gradients, whatever stages
        # were asked for.
        stages = tuple(
            stage for stage in LOCKSTEP_STAGES if stage in {*stages, "forward", "gradients"}
        )
    variants = [{"kind": "ulp", "precision": precision, "seed": number} for number in ULP_SEEDS]
    variants += [
        {"kind": "weights", "precision": precision, "seed": number} for number in WEIGHT_SEEDS
    ]
    variants += [{"kind": "repeat", "precision": precision, "seed": 0}]
    variants += [
        {"kind": "reorder", "precision": precision, "seed": number} for number in REORDER_SEEDS
    ]
    if precision == "fp64":
        for lower in sorted(set(request.precisions) - {"fp64"}):
            for kind, number in (("round", 0), ("ulp", 301), ("ulp", 302)):
                variants.append(
                    {
                        "kind": f"{kind}:{lower}",
                        "precision": lower,
                        "seed": number,
                        "stages": ("forward", "gradients"),
                    }
                )
    frozen = tuple(tuple(sorted(variant.items())) for variant in variants)
    return Job(
        **_of(side),
        **_on(request, workload, preset, precision),
        threads=request.fidelity_threads,
        seed=seed,
        powers=powers,
        stages=stages,
        steps=request.steps or workload.trajectory_steps(preset),
        variants=frozen,
    )


def _chain(
    request: Request, workload: Workload, able: Sequence[Side], seed: int, add: Any
) -> list[ChainCost]:
    """Return the extra row of a comparison that TF1's Adam takes part in: the same build with and
    without its chain."""
    if (
        not _adam(workload, request)
        or len(able) < 2
        or not any(side.backend == FLOAT32_POWERS_BACKEND for side in able)
    ):
        return []
    others = [side for side in able if side.backend != FLOAT32_POWERS_BACKEND]
    side = (others or list(able))[0]
    both = [
        add(_job(request, workload, side, "fp64", seed, powers))
        for powers in ("float32", "variable")
    ]
    beside = next(
        item
        for item in able
        if item is not side and FLOAT32_POWERS_BACKEND in (item.backend, side.backend)
    )
    return [
        ChainCost(
            workload.name,
            seed,
            both[0],
            both[1],
            _job(request, workload, beside, "fp64", seed, "float32"),
        )
    ]


def _speed(request: Request) -> list[SpeedJob]:
    precisions = [item for item in request.precisions if item != "fp64"] or ["fp64"]
    found = []
    for workload, precision in itertools.product(request.workloads, precisions):
        able = tuple(_able(request, workload))
        preset = request.preset or "small"
        if len(able) >= 2:
            found.append(
                SpeedJob(
                    **_on(request, workload, preset, precision),
                    threads=request.threads,
                    seed=request.seeds[0],
                    sides=able,
                    actions=_actions(request, workload, preset),
                    allow_settings=request.allow_settings,
                    warmup=request.warmup,
                )
            )
    return [*found, *_gains(request)]


def _gains(request: Request) -> list[SpeedJob]:
    """Return the jobs that time one build's precisions against its own float32, where float32 and
    lower ones are asked for."""
    lower = tuple(item for item in request.precisions if item not in ("fp64", "fp32"))
    if "fp32" not in request.precisions or not lower:
        return []
    found, precisions = [], ("fp32", *lower)
    for workload in request.workloads:
        preset = request.preset or "small"
        once = {
            (side.build, side.folders): side for side in reversed(_able(request, workload))
        }  # a build named twice gains the same
        for side in reversed(once.values()):
            sides = tuple(
                dataclasses.replace(side, label=f"{side.label}-{precision}")
                for precision in precisions
            )
            found.append(
                SpeedJob(
                    **_on(request, workload, preset, "fp32"),
                    threads=request.threads,
                    seed=request.seeds[0],
                    sides=sides,
                    actions=ACTIONS,
                    precisions=precisions,
                    allow_settings=request.allow_settings,
                    warmup=request.warmup,
                )
            )
    return found


def _actions(request: Request, workload: Workload, preset: str) -> tuple[str, ...]:
    known = (
        preset if preset in workload.presets else workload.presets[0]
    )  # a preset that does not exist ends the job, later
    return (*ACTIONS, *(phases(workload, known) if request.per_phase else ()))


def phases(workload: Workload, preset: str) -> tuple[str, ...]:
    """Return the phases that can be timed one by one; a workload's only phase is a whole step
    already."""
    found = [update.phase for update in workload.updates(workload.hyperparameters(preset))]
    return tuple(name for name in found if name not in ACTIONS) if len(found) > 1 else ()
