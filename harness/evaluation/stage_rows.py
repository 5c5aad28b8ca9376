"""From a plan and its records to the rows of a report: who is compared with whom, at which stages,
and what it says.

Pure but for the lazy tensors that the records hand over. Judging the same records again gives the
same rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from harness.errors import CorruptRecord
from harness.fidelity import declarations, float32, sparse
from harness.fidelity.declarations import Told
from harness.fidelity.distribution import Judged
from harness.fidelity.evidence import Evidence, Restricted
from harness.fidelity.judge import judge_stage
from harness.fidelity.nulls import null_tensors
from harness.fidelity.overflow import LossScales, note
from harness.fidelity.precision import judge_precision
from harness.fidelity.traces import compared
from harness.fidelity.verdict import StageVerdict
from harness.plan import ChainCost, Distribution, Job, Pair, Plan, SampleJob, command
from harness.results.model import StageRow
from harness.results.verdicts import Fidelity

#: The optional method without which a stage cannot be looked at, and what else hides without it.
NEEDS = {"loss": "losses", "gradients": "gradients", "update": "train_step"}
HIDES = {"forward": ("forward/training/", "forward/inference/"), "optimizer_state": ("/slot/",)}
#: The stage that a reader would expect to find those in, and what they are.
UNSEEN = {"forward": ("forward", "activations"), "optimizer_state": ("update", "optimizer slots")}


@dataclasses.dataclass(frozen=True)
class Witness:
    """One side's evidence for one job.

    Attributes:
        evidence: None where the job left nothing to judge.
        status, reason: how the job ended. abilities: the port's optional methods.
        log: relative to the run's folder; empty for a recorded reference.
        loss_scales: where they are dynamic, those at which the gradients were recorded, by phase.
        declared: what the port has told of itself.
    """

    evidence: Evidence | None
    status: str
    reason: str
    abilities: tuple[str, ...]
    log: str
    loss_scales: LossScales = dataclasses.field(default_factory=dict)
    declared: Told = dataclasses.field(default_factory=Told)


Witnesses = Mapping[str, Witness]


def stage_rows(plan: Plan, witnesses: Witnesses) -> list[StageRow]:
    """Return one row for each stage of each pair, then the bounds of lower precisions, then what
    TF1's chain costs."""
    rows: list[StageRow] = []
    verdicts = {id(pair): _verdicts(pair, witnesses) for pair in plan.pairs}
    lower = {
        (pair.workload, pair.a.side, pair.b.side, pair.seed): pair
        for pair in plan.pairs
        if pair.precision == "fp32"
    }
    for pair in plan.pairs:
        found, same = verdicts[id(pair)], False
        if pair.precision == "fp64":
            low = lower.get((pair.workload, pair.a.side, pair.b.side, pair.seed))
            found, same = _float32(pair, low, found, verdicts[id(low)] if low else [], witnesses)
        rows += _pair_rows(pair, found, witnesses, same)
    rows += [row for low, full in plan.bounds if (row := _bound_row(low, full, witnesses))]
    rows += [row for chain in plan.chains if (row := _chain_row(chain, witnesses))]
    return rows


def _float32(
    pair: Pair,
    low: Pair | None,
    found: list[StageVerdict],
    below: list[StageVerdict],
    witnesses: Witnesses,
) -> tuple[list[StageVerdict], bool]:
    """Return the verdicts of a float64 pair with float32 named where it shows, and whether it is
    all that the sides differ by.

    Args:
        low: the same pair in float32, if it was run. found, below: the verdicts of both.
    """
    again = False
    same = low is not None and float32.explains(found, below)
    if low is not None and same:
        exact, rounded = (
            (_evidence(one.a, witnesses), _evidence(one.b, witnesses)) for one in (pair, low)
        )
        again = float32.shown_again(found, exact, rounded)
    same = same and not again
    return [float32.named(verdict, same, again) for verdict in found], same


def _evidence(job: Job, witnesses: Witnesses) -> Evidence:
    evidence = witnesses[job.name].evidence
    assert evidence is not None  # it has been judged
    return evidence


def _verdicts(pair: Pair, witnesses: Witnesses) -> list[StageVerdict]:
    if "unsupported" in (witnesses[pair.a.name].status, witnesses[pair.b.name].status):
        return []  # listed with the jobs; what cannot run says nothing about sameness
    return [judge(pair, stage, witnesses) for stage in pair.stages]


def _pair_rows(
    pair: Pair, verdicts: Sequence[StageVerdict], witnesses: Witnesses, same: bool
) -> list[StageRow]:
    """Return the rows of a pair; `same`: that float32 constants are all that it differs by."""
    logs = witnesses[pair.a.name].log, witnesses[pair.b.name].log
    rows = [_row(pair.a, pair.b, verdict.stage, verdict, logs) for verdict in verdicts]
    return [
        dataclasses.replace(
            row, excuse=float32.ACCEPTED if same and row.verdict == Fidelity.FAIL else ""
        )
        for row in rows
    ]


def judge(pair: Pair, stage: str, witnesses: Witnesses) -> StageVerdict:
    """Judge one stage of a pair by what both sides have left."""
    a, b = witnesses[pair.a.name], witnesses[pair.b.name]
    for job, side in ((pair.a, a), (pair.b, b)):
        if side.evidence is None:
            return StageVerdict(
                stage,
                Fidelity.INCONCLUSIVE,
                f"{job.side} left nothing to judge: {side.status}: {side.reason}",
                None,
                (),
            )
    need = NEEDS.get(stage)
    lacking = [
        job.side for job, side in ((pair.a, a), (pair.b, b)) if need and need not in side.abilities
    ]
    if lacking:
        return StageVerdict(
            stage,
            Fidelity.INFO,
            f"not looked at: the port of {' and '.join(lacking)} has no `{need}`",
            None,
            (),
        )
    sides = {pair.a.side: a.declared, pair.b.side: b.declared}
    broken = declarations.raised(stage, sides)
    if broken:
        return broken
    hidden = _hidden(a, b)
    try:
        one, two = _see(a, hidden), _see(b, hidden)
        scaled = note(
            stage,
            pair.precision,
            {pair.a.side: (one, a.loss_scales), pair.b.side: (two, b.loss_scales)},
        )
        unseen = {
            pair.b.side: declarations.unseen(one, two, b.declared, stage),
            pair.a.side: declarations.unseen(two, one, a.declared, stage),
        }
        names = frozenset(name for found in unseen.values() for name in found)
        whole = frozenset(f"{stage}/{name}" for name in names)
        one, two = Restricted(one, (), whole), Restricted(two, (), whole)
        verdict = judge_stage(
            one, two, stage, pair.precision, null(pair, stage, witnesses), base(pair, witnesses)
        )
        verdict = declarations.counted(
            verdict, (pair.a.side, a.declared), (pair.b.side, b.declared)
        )
        listed = [
            f"not looked at: {', '.join(found)}, which {label} cannot show"
            for label, found in unseen.items()
            if found
        ]
        rows = sparse.note(one, two, verdict) if pair.precision == "fp64" else ""
        said = [
            rows,
            *scaled,
            *listed,
            *_unseen(pair, stage, a, b),
            *declarations.notes(stage, sides, pair.updates),
        ]
        return dataclasses.replace(
            verdict,
            reason="; ".join(filter(None, [verdict.reason, *said])),
            unseen=tuple(sorted(names)),
        )
    except CorruptRecord as error:
        return StageVerdict(stage, Fidelity.INCONCLUSIVE, str(error), None, ())


def _unseen(pair: Pair, stage: str, a: Witness, b: Witness) -> list[str]:
    """Return what a reader would expect in this stage and an optional method that a port lacks
    would have shown."""
    found = []
    for method, (where, what) in UNSEEN.items():
        without = [
            job.side for job, side in ((pair.a, a), (pair.b, b)) if method not in side.abilities
        ]
        if where == stage and without:
            found.append(
                f"not looked at: {what}, the port of {' and '.join(without)} has no `{method}`"
            )
    return found


def _see(witness: Witness, hidden: tuple[str, ...]) -> Evidence:
    assert witness.evidence is not None
    return Restricted(witness.evidence, hidden) if hidden else witness.evidence


def _hidden(a: Witness, b: Witness) -> tuple[str, ...]:
    """Return parts of names that only one side can show."""
    return tuple(
        part
        for method, parts in HIDES.items()
        for part in parts
        if method not in a.abilities or method not in b.abilities
    )


def null(pair: Pair, stage: str, witnesses: Witnesses) -> frozenset[str] | None:
    """Return the names that the pair's float64 records show to be mathematically zero; None if
    there are no such records, as in float64 itself, where the pair's own have to tell."""
    found = base(pair, witnesses)
    return None if found is None else null_tensors(*found, stage)


def base(pair: Pair, witnesses: Witnesses) -> tuple[Evidence, Evidence] | None:
    """Return the float64 records behind a pair in a lower precision; None where there are none: in
    float64 itself, and on a device without it, where the precision's own noise has to tell."""
    if pair.base_a is None or pair.base_b is None:
        return None
    hidden = _hidden(witnesses[pair.a.name], witnesses[pair.b.name])
    a, b = witnesses[pair.base_a.name], witnesses[pair.base_b.name]
    return None if a.evidence is None or b.evidence is None else (_see(a, hidden), _see(b, hidden))


def _bound_row(low: Job, full: Job, witnesses: Witnesses) -> StageRow | None:
    a, b = witnesses[low.name], witnesses[full.name]
    if a.evidence is None or (a.evidence.digested and a.status == "ok"):
        # the pair's own rows, or the list of jobs, already say that there is nothing to judge
        return None
    if b.evidence is None:
        reason = f"no float64 run of {full.side} to judge by: {b.status}: {b.reason}"
        verdict = StageVerdict("precision", Fidelity.INCONCLUSIVE, reason, None, ())
    else:
        verdict = judge_precision(a.evidence, b.evidence, low.precision, a.declared.contracted)
    return _row(
        low,
        dataclasses.replace(full, side=f"{full.side} fp64"),
        "precision",
        verdict,
        (a.log, b.log),
    )


def _chain_row(chain: ChainCost, witnesses: Witnesses) -> StageRow | None:
    a, b = witnesses[chain.chain.name], witnesses[chain.plain.name]
    if a.evidence is None or b.evidence is None:
        return None
    verdict = judge_stage(a.evidence, b.evidence, "trajectory", "fp64")
    if verdict.tensors:
        worst = max(
            (item for item in verdict.tensors if item.error is not None),
            key=lambda item: item.error or 0.0,
            default=None,
        )
        verdict = dataclasses.replace(verdict, worst=worst)
    reason = (
        "what TF1's float32 powers of beta cost over the trajectory, same build with and without;"
        " not judged"
    )
    verdict = dataclasses.replace(verdict, verdict=Fidelity.INFO, reason=reason)
    plain = dataclasses.replace(chain.plain, side=f"{chain.plain.side} fp64 powers")
    row = _row(
        dataclasses.replace(chain.chain, side=f"{chain.chain.side} fp32 powers"),
        plain,
        "trajectory",
        verdict,
        (a.log, b.log),
    )
    return dataclasses.replace(
        row, command=command.of_stage(chain.chain, chain.beside, "trajectory")
    )


def _row(
    a: Job | SampleJob, b: Job | SampleJob, stage: str, verdict: StageVerdict, logs: tuple[str, ...]
) -> StageRow:
    worst = verdict.worst
    found = worst.difference if worst else None
    return StageRow(
        workload=a.workload,
        a=a.side,
        b=b.side,
        precision=a.precision,
        stage=stage,
        verdict=verdict.verdict,
        reason=verdict.reason,
        worst=worst.name if worst else None,
        error=worst.error if worst else None,
        floor=worst.floor if worst else None,
        threshold=worst.threshold if worst else None,
        value_a=found.value_a if found else None,
        value_b=found.value_b if found else None,
        place=str(list(found.place)) if found else None,
        tensors=len(verdict.tensors),
        null=verdict.null,
        decided=verdict.decided,
        unseen=verdict.unseen,
        command=command.of_stage(a, b, stage),
        logs=tuple(log for log in logs if log),
        preset=a.preset,
        seed=a.seed,
        max_error=verdict.max_error,
        beyond=verdict.beyond,
        compared=compared(verdict),
    )


def distribution_row(pair: Distribution, judged: Judged, logs: tuple[str, ...]) -> StageRow:
    """Return the row of two sides that were trained from independent seeds."""
    row = _row(pair.a[0], pair.b[0], judged.verdict.stage, judged.verdict, logs)
    return dataclasses.replace(
        row,
        place=None,
        seeds=min(judged.seeds),
        needed=judged.needed,
        command=command.of_stage(pair.a[0], pair.b[0], judged.verdict.stage, len(pair.a)),
    )
