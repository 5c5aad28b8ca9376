"""From what was asked (workloads x sides x settings x seeds) to jobs and pairs. Pure: no files, no
clock, no processes.

A *side* is a build with, perhaps, a folder of ports of its own. A *job* is one side recording one
workload; a *pair* says which two jobs are judged against each other. A job is planned once however
many pairs use it. `jobs` holds what is done, `request` what was asked, `draft` the way from one to
the other, for which `lockstep` plans what records on tapes, `distributions` what trains
independently and `speed_jobs` what is timed.
"""

from harness.plan.command import arguments, manner
from harness.plan.draft import make
from harness.plan.jobs import (
    ChainCost,
    Distribution,
    ForcedUpdateJob,
    Job,
    Opening,
    Pair,
    Plan,
    SampleJob,
    Side,
    SpeedJob,
    TeacherForcedJob,
    Warmup,
    same_work,
)
from harness.plan.lockstep import REORDER_SEEDS, ULP_SEEDS
from harness.plan.request import (
    DISTRIBUTION,
    LIMIT_S,
    LOCKSTEP_STAGES,
    MODELS,
    Request,
    has_port,
    identity,
    sides,
)
from harness.plan.speed_jobs import phases

__all__ = [
    "DISTRIBUTION",
    "LIMIT_S",
    "LOCKSTEP_STAGES",
    "MODELS",
    "REORDER_SEEDS",
    "ULP_SEEDS",
    "ChainCost",
    "Distribution",
    "ForcedUpdateJob",
    "Job",
    "Opening",
    "Pair",
    "Plan",
    "Request",
    "SampleJob",
    "Side",
    "SpeedJob",
    "TeacherForcedJob",
    "Warmup",
    "arguments",
    "has_port",
    "identity",
    "make",
    "manner",
    "phases",
    "same_work",
    "sides",
]
