"""From a plan and its records to the rows of a report: who is compared with whom, at which stages,
and what it says.

Pure but for the lazy tensors that the records hand over. Judging the same records again gives the
same rows.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

from backends.contract import Stage, Status
from harness.errors import CorruptRecord
from harness.evaluation import pair_evidence
from harness.evaluation.pair_evidence import JobEvidence, JobEvidences
from harness.fidelity import averages, declarations, float32, sparse, unseen_updates
from harness.fidelity.distribution import JudgedDistribution
from harness.fidelity.evidence import Evidence, Restricted
from harness.fidelity.judge import judge_stage
from harness.fidelity.overflow import note
from harness.fidelity.plot_series import compared
from harness.fidelity.precision import judge_precision
from harness.fidelity.verdict import StageVerdict, TensorVerdict
from harness.plan import ChainCost, Distribution, Job, Pair, Plan, SampleJob, command
from harness.results.model import StageRow
from harness.results.verdicts import Bounds, Fidelity

#: The optional method without which a stage cannot be looked at, and what else hides without it.
NEEDS: dict[Stage, str] = {
    Stage.LOSS: "losses",
    Stage.GRADIENTS: "gradients",
    Stage.UPDATE: "train_step",
}
#: What other methods would show: the stage in which a reader would expect it, and what it is.
UNSEEN = {
    "forward": (Stage.FORWARD, "activations"),
    "optimizer_state": (Stage.UPDATE, "optimizer slots"),
}


def stage_rows(plan: Plan, evidences: JobEvidences) -> list[StageRow]:
    """Return one row for each stage of each pair, then the bounds of lower precisions, then what
    TF1's chain costs.

    Args:
        plan: its pairs, bounds and chains, in the order of their rows.
        evidences: of all its jobs, by name.
    """
    rows: list[StageRow] = []
    verdicts = {id(pair): _verdicts(pair, evidences) for pair in plan.pairs}
    lower = {
        (pair.workload, pair.a.side, pair.b.side, pair.seed): pair
        for pair in plan.pairs
        if pair.precision == "fp32"
    }
    for pair in plan.pairs:
        full, same = verdicts[id(pair)], False
        if pair.precision == "fp64":
            low = lower.get((pair.workload, pair.a.side, pair.b.side, pair.seed))
            full, same = _float32(pair, low, full, verdicts[id(low)] if low else [], evidences)
        rows += _pair_rows(pair, full, evidences, same)
    rows += [row for low, full in plan.bounds if (row := _bound_row(low, full, evidences))]
    rows += [row for chain in plan.chains if (row := _chain_row(chain, evidences))]
    return rows


def _float32(
    pair: Pair,
    low: Pair | None,
    full: list[StageVerdict],
    below: list[StageVerdict],
    evidences: JobEvidences,
) -> tuple[list[StageVerdict], bool]:
    """Return the verdicts of a float64 pair with float32 named where it shows, and whether it is
    all that the sides differ by.

    Args:
        low: the same pair in float32, if it was run. full, below: the verdicts of both.
    """
    again = False
    same = low is not None and float32.explains(full, below)
    if low is not None and same:
        again = float32.shown_again(full, _sides(pair, evidences), _sides(low, evidences))
    same = same and not again
    return [float32.named(verdict, same, again) for verdict in full], same


def _sides(pair: Pair, evidences: JobEvidences) -> tuple[Evidence, Evidence]:
    a, b = (pair_evidence.judged_evidence(job, evidences) for job in (pair.a, pair.b))
    return a, b


def _verdicts(pair: Pair, evidences: JobEvidences) -> list[StageVerdict]:
    if Status.UNSUPPORTED in (evidences[pair.a.name].status, evidences[pair.b.name].status):
        return []  # listed with the jobs; what cannot run says nothing about sameness
    return [judge(pair, Stage(stage), evidences) for stage in pair.stages]


def _pair_rows(
    pair: Pair, verdicts: Sequence[StageVerdict], evidences: JobEvidences, same: bool
) -> list[StageRow]:
    """Return the rows of a pair; `same`: that float32 constants are all that it differs by."""
    logs = evidences[pair.a.name].log, evidences[pair.b.name].log
    rows = [_row(pair.a, pair.b, verdict, logs) for verdict in verdicts]
    if not same:
        return rows
    return [
        dataclasses.replace(row, excuse=float32.ACCEPTED if row.verdict == Fidelity.FAIL else "")
        for row in rows
    ]


def judge(pair: Pair, stage: Stage, evidences: JobEvidences) -> StageVerdict:
    """Judge one stage of a pair by what both sides have left.

    A side without evidence and a record that cannot be read make it INCONCLUSIVE; an optional
    method that the stage needs and a port lacks, INFO.

    Args:
        pair: whose jobs have run. stage: of the ladder.
        evidences: of all jobs, by name: those of the float64 jobs behind a pair are looked at too.
    """
    a, b = evidences[pair.a.name], evidences[pair.b.name]
    for job, side in ((pair.a, a), (pair.b, b)):
        if side.evidence is None:
            reason = f"{job.side} left nothing to judge: {side.status}: {side.reason}"
            return StageVerdict(stage, Fidelity.INCONCLUSIVE, reason, None, ())
    need = NEEDS.get(stage)
    without = _without(pair, a, b, need) if need else []
    if without:
        reason = f"not looked at: the port of {' and '.join(without)} has no `{need}`"
        return StageVerdict(stage, Fidelity.INFO, reason, None, (), not_looked_at=True)
    declared = {pair.a.side: a.declared, pair.b.side: b.declared}
    broken = declarations.raised(stage, declared)
    if broken:
        return broken
    try:
        return _judged(pair, stage, evidences)
    except CorruptRecord as error:
        return StageVerdict(stage, Fidelity.INCONCLUSIVE, str(error), None, ())


def _without(pair: Pair, a: JobEvidence, b: JobEvidence, method: str) -> list[str]:
    """Return the sides whose port lacks an optional method."""
    sides = ((pair.a, a), (pair.b, b))
    return [job.side for job, side in sides if method not in side.abilities]


def _judged(pair: Pair, stage: Stage, evidences: JobEvidences) -> StageVerdict:
    """Compare what both sides show, and say what one of them does not.

    Raises:
        CorruptRecord: a file is not what its record says.
    """
    a, b = evidences[pair.a.name], evidences[pair.b.name]
    hidden = pair_evidence.hidden_parts(a, b)
    shown_a, shown_b = pair_evidence.visible(a, hidden), pair_evidence.visible(b, hidden)
    scales = {pair.a.side: (shown_a, a.loss_scales), pair.b.side: (shown_b, b.loss_scales)}
    scaled = note(stage, pair.precision, scales)
    unseen = {
        pair.b.side: declarations.unseen(shown_a, shown_b, b.declared, stage),
        pair.a.side: declarations.unseen(shown_b, shown_a, a.declared, stage),
    }
    names = frozenset(itertools.chain.from_iterable(unseen.values()))
    whole = frozenset(f"{stage}/{name}" for name in names)
    shown_a, shown_b = Restricted(shown_a, (), whole), Restricted(shown_b, (), whole)
    alone = averages.one_sided(shown_a, shown_b, stage)
    shown_a, shown_b = averages.shared(shown_a, shown_b, stage, alone)
    verdict = judge_stage(
        shown_a,
        shown_b,
        stage,
        pair.precision,
        pair_evidence.null(pair, stage, evidences),
        pair_evidence.base(pair, evidences),
    )
    declared = {pair.a.side: a.declared, pair.b.side: b.declared}
    verdict = declarations.counted(verdict, *declared.items())
    trained = dict(pair.trained)
    verdict = unseen_updates.withheld(verdict, shown_a, shown_b, pair.precision, trained)
    verdict = averages.decided(verdict, alone, declared)
    sentences = [
        verdict.reason,
        sparse.note(shown_a, shown_b, verdict) if pair.precision == "fp64" else "",
        *scaled,
        *_not_shown(unseen),
        *_unseen(pair, stage, a, b),
        *declarations.notes(stage, declared, pair.updates),
    ]
    return dataclasses.replace(
        verdict, reason="; ".join(filter(None, sentences)), unseen=tuple(sorted(names))
    )


def _not_shown(unseen: Mapping[str, Sequence[str]]) -> list[str]:
    """Say which activations a side cannot show."""
    return [
        f"not looked at: {', '.join(names)}, which {label} cannot show"
        for label, names in unseen.items()
        if names
    ]


def _unseen(pair: Pair, stage: Stage, a: JobEvidence, b: JobEvidence) -> list[str]:
    """Return what a reader would expect in this stage and an optional method that a port lacks
    would have shown."""
    sentences = []
    for method, (where, what) in UNSEEN.items():
        without = _without(pair, a, b, method)
        if where == stage and without:
            sentences.append(
                f"not looked at: {what}, the port of {' and '.join(without)} has no `{method}`"
            )
    return sentences


def _bound_row(low: Job, full: Job, evidences: JobEvidences) -> StageRow | None:
    a, b = evidences[low.name], evidences[full.name]
    if a.evidence is None or (a.evidence.digested and a.status == Status.OK):
        # the pair's own rows, or the list of jobs, already say that there is nothing to judge
        return None
    if b.evidence is None:
        reason = f"no float64 run of {full.side} to judge by: {b.status}: {b.reason}"
        verdict = StageVerdict(Bounds.PRECISION, Fidelity.INCONCLUSIVE, reason, None, ())
    else:
        verdict = judge_precision(a.evidence, b.evidence, low.precision, a.declared.contracted)
    return _called(_row(low, full, verdict, (a.log, b.log)), "", "fp64")


def _chain_row(chain: ChainCost, evidences: JobEvidences) -> StageRow | None:
    a, b = evidences[chain.chain.name], evidences[chain.plain.name]
    if a.evidence is None or b.evidence is None:
        return None
    verdict = judge_stage(a.evidence, b.evidence, Stage.TRAJECTORY, "fp64")
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
    row = _row(chain.chain, chain.plain, verdict, (a.log, b.log))
    return dataclasses.replace(
        _called(row, "fp32 powers", "fp64 powers"),
        command=command.of_stage(chain.chain, chain.beside, Stage.TRAJECTORY),
    )


def _called(row: StageRow, a: str, b: str) -> StageRow:
    """Return a row of one build against itself, with words added to the labels of its sides;
    without any, a label is the side."""
    return dataclasses.replace(
        row,
        a=f"{row.a} {a}".rstrip(),
        b=f"{row.b} {b}".rstrip(),
        a_side=row.a if a else "",
        b_side=row.b if b else "",
    )


def _row(
    a: Job | SampleJob, b: Job | SampleJob, verdict: StageVerdict, logs: tuple[str, ...]
) -> StageRow:
    worst = verdict.worst
    difference = worst.shown if worst else None
    return StageRow(
        workload=a.workload,
        a=a.side,
        b=b.side,
        precision=a.precision,
        stage=verdict.stage,
        verdict=verdict.verdict,
        reason=verdict.reason,
        worst=worst.name if worst else None,
        error=worst.error if worst else None,
        floor=worst.floor if worst else None,
        threshold=worst.threshold if worst else None,
        value_a=difference.value_a if difference else None,
        value_b=difference.value_b if difference else None,
        place=str(list(difference.index)) if difference else None,
        tensors=len(verdict.tensors),
        null=verdict.null,
        decided=verdict.decided,
        unseen=verdict.unseen,
        not_looked_at=verdict.not_looked_at,
        command=command.of_stage(a, b, _rung(verdict.stage)),
        logs=tuple(log for log in logs if log),
        preset=a.preset,
        seed=a.seed,
        device=a.device,
        execution=a.execution,
        data=a.data,
        threads=a.threads,
        interpreters=_interpreters(a, b),
        max_error=verdict.max_error,
        beyond=verdict.beyond,
        compared=compared(verdict),
    )


def _rung(stage: Stage | Bounds) -> Stage | None:
    """Return a stage; None for the bounds of a precision, which are no rung of the ladder."""
    return stage if isinstance(stage, Stage) else None


def _interpreters(a: Job | SampleJob, b: Job | SampleJob) -> tuple[str, ...]:
    """Return the interpreters of both sides, where the user has named one."""
    return (a.python, b.python) if a.python or b.python else ()


def at_tensor(row: StageRow, tensor: TensorVerdict) -> StageRow:
    """Return a row with another tensor as the one that stands for the stage."""
    difference = tensor.shown
    return dataclasses.replace(
        row,
        worst=tensor.name,
        error=tensor.error,
        floor=tensor.floor,
        threshold=tensor.threshold,
        value_a=difference.value_a if difference else None,
        value_b=difference.value_b if difference else None,
        place=str(list(difference.index)) if difference else None,
    )


def distribution_row(
    pair: Distribution, judged: JudgedDistribution, logs: tuple[str, ...]
) -> StageRow:
    """Return the row of two sides that were trained from independent seeds."""
    row = _row(pair.a[0], pair.b[0], judged.verdict, logs)
    return dataclasses.replace(
        row,
        place=None,
        seeds=min(judged.seeds),
        needed=judged.needed,
        command=command.of_stage(pair.a[0], pair.b[0], Stage.DISTRIBUTION, len(pair.a)),
    )
