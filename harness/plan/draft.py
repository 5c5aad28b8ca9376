"""From what was asked (workloads x sides x settings x seeds) to jobs and pairs."""

from __future__ import annotations

from harness.plan import distributions, lockstep, speed_jobs
from harness.plan.jobs import Distribution, Plan, SampleJob
from harness.plan.request import DISTRIBUTION, LOCKSTEP_STAGES, Request


def make(request: Request) -> Plan:
    """Return the plan of a request."""
    recorded = lockstep.Lockstep(request)
    if request.fidelity and any(stage in LOCKSTEP_STAGES for stage in request.stages):
        recorded = lockstep.draft(request)
    samples: tuple[SampleJob, ...] = ()
    judged: tuple[Distribution, ...] = ()
    if request.fidelity and DISTRIBUTION in request.stages:
        samples, judged = distributions.draft(request)
    return Plan(
        jobs=tuple(recorded.jobs.values()),
        pairs=tuple(recorded.pairs),
        chains=tuple(recorded.chains),
        speed=tuple(speed_jobs.draft(request)) if request.speed else (),
        bounds=tuple(recorded.bounds.values()),
        samples=samples,
        distributions=judged,
    )
