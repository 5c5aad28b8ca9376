"""The distribution stage: jobs that train independently, and the sides that are judged by them."""

from __future__ import annotations

import hashlib
import itertools

from harness.plan import job_fields
from harness.plan.jobs import Distribution, SampleJob, Side
from harness.plan.request import Request
from harness.workloads.spec import Workload


def draft(request: Request) -> tuple[tuple[SampleJob, ...], tuple[Distribution, ...]]:
    """Return the jobs that train independently, one a side and seed, and the pairs of sides that
    are judged by them."""
    samples: dict[str, SampleJob] = {}
    distributions = []
    for workload, precision in itertools.product(request.workloads, native_precisions(request)):
        if workload.distribution(request.preset or "tiny") is None:
            continue
        for a, b in job_fields.combinations(job_fields.able_sides(request, workload)):
            trained = []
            for side in (a, b):
                drawn = [
                    _sample(request, workload, side, precision, number)
                    for number in range(request.models)
                ]
                trained.append(tuple(samples.setdefault(job.name, job) for job in drawn))
            if a is not b:
                distributions.append(
                    Distribution(workload.name, precision, request.seeds[0], trained[0], trained[1])
                )
    return tuple(samples.values()), tuple(distributions)


def native_precisions(request: Request) -> tuple[str, ...]:
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
    return SampleJob(
        **job_fields.of_side(side),
        **job_fields.of_workload(request, workload, preset, precision),
        threads=request.fidelity_threads,
        seed=request.seeds[0],
        number=number,
        own_seed=independent_seed(request.seeds[0], side.label, number),
        steps=size.steps,
        rows=size.rows,
    )


def independent_seed(base: int, side: str, number: int) -> int:
    """Return a seed of 31 bits that no other side and no other number has, but by an accident of
    2^-31."""
    content = hashlib.sha256(f"{base}/{side}/{number}".encode()).digest()
    return int.from_bytes(content[:4], "big") >> 1
