"""What is known of the two sides of a pair: the evidence of each job, what of it may be compared,
and which tensors float64 has shown to be zero. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from backends.contract import Stage, Status
from harness.fidelity.declarations import Declarations
from harness.fidelity.evidence import Evidence, Restricted
from harness.fidelity.nulls import null_tensors
from harness.fidelity.overflow import LossScales
from harness.plan import Job, Pair

#: Parts of the names of what an optional method shows.
HIDES = {"forward": ("forward/training/", "forward/inference/"), "optimizer_state": ("/slot/",)}


@dataclasses.dataclass(frozen=True)
class JobEvidence:
    """One side's evidence for one job.

    Attributes:
        evidence: None where the job left nothing to judge.
        status, reason: how the job ended. abilities: the port's optional methods.
        log: relative to the run's folder; empty for a recorded reference.
        loss_scales: where they are dynamic, those at which the gradients were recorded, by phase.
        declared: what the port has told of itself.
    """

    evidence: Evidence | None
    status: Status
    reason: str
    abilities: tuple[str, ...]
    log: str
    loss_scales: LossScales = dataclasses.field(default_factory=dict)
    declared: Declarations = dataclasses.field(default_factory=Declarations)


JobEvidences = Mapping[str, JobEvidence]


def judged_evidence(job: Job, evidences: JobEvidences) -> Evidence:
    """Return the evidence of a job whose pair has been judged."""
    evidence = evidences[job.name].evidence
    assert evidence is not None
    return evidence


def visible(side: JobEvidence, hidden: tuple[str, ...]) -> Evidence:
    """Return a side's evidence without the tensors whose names hold one of these parts."""
    assert side.evidence is not None
    return Restricted(side.evidence, hidden) if hidden else side.evidence


def hidden_parts(a: JobEvidence, b: JobEvidence) -> tuple[str, ...]:
    """Return parts of names that only one side can show."""
    return tuple(
        part
        for method, parts in HIDES.items()
        for part in parts
        if method not in a.abilities or method not in b.abilities
    )


def null(pair: Pair, stage: Stage, evidences: JobEvidences) -> frozenset[str] | None:
    """Return the names that the pair's float64 records show to be mathematically zero; None if
    there are no such records, as in float64 itself, where the pair's own have to tell.

    Args:
        pair: in any precision. stage: of the ladder. evidences: of all jobs, by name.
    """
    full = base(pair, evidences)
    return None if full is None else null_tensors(*full, stage)


def base(pair: Pair, evidences: JobEvidences) -> tuple[Evidence, Evidence] | None:
    """Return the float64 records behind a pair in a lower precision; None where there are none: in
    float64 itself, and on a device without it, where the precision's own noise has to tell.

    What only one of the pair's own sides can show is hidden in both.

    Args:
        pair: names the float64 jobs. evidences: of all jobs, by name.
    """
    if pair.base_a is None or pair.base_b is None:
        return None
    hidden = hidden_parts(evidences[pair.a.name], evidences[pair.b.name])
    a, b = evidences[pair.base_a.name], evidences[pair.base_b.name]
    if a.evidence is None or b.evidence is None:
        return None
    return visible(a, hidden), visible(b, hidden)
