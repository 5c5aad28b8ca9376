"""After gradients and updates have both failed: one side makes its update again, of the other one's
gradients. Where it agrees then, the optimizer is not to blame; where it departs, it is, too.

For sides whose own training step takes gradients from outside: those of a pair file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from backends.contract import Stage
from harness.errors import CorruptRecord
from harness.evaluation import pair_evidence
from harness.execution import runner, verbs
from harness.experiments.wrong_layers import ForcedPass, run_forced
from harness.fidelity.evidence import Evidence, Restricted
from harness.fidelity.judge import judge_stage
from harness.fidelity.verdict import StageVerdict
from harness.plan import ForcedUpdateJob, Pair, Plan
from harness.records import store, tensors
from harness.results.model import StageRow
from harness.results.verdicts import Fidelity

STAGE, TAKEN = Stage.UPDATE, Stage.GRADIENTS


def localise(
    run_context: runner.RunContext,
    planned: Plan,
    evidences: pair_evidence.JobEvidences,
    rows: Sequence[StageRow],
) -> tuple[list[StageRow], list[str]]:
    """Return the rows, and a line about each that has changed: those of updates that failed behind
    gradients that failed say which of both is to blame, or why that cannot be told.

    Args:
        run_context: of the run. planned: its plan. evidences: of its jobs. rows: judged.
    """
    pairs = {
        (pair.workload, pair.a.side, pair.b.side, pair.precision, pair.seed): pair
        for pair in planned.pairs
        if pair.a.pair
    }
    departed = {_key(row) for row in rows if row.stage == TAKEN and row.verdict == Fidelity.FAIL}
    rows_said: list[StageRow] = []
    lines = []
    for row in rows:
        failed = row.stage == STAGE and row.verdict == Fidelity.FAIL
        if failed and _key(row) in departed & pairs.keys():
            said = blamed(run_context, pairs[_key(row)], evidences)
            lines.append(f"{row.workload} {row.a} : {row.b} {row.precision}: {said}")
            rows_said.append(dataclasses.replace(row, reason=f"{row.reason}; {said}"))
        else:
            rows_said.append(row)
    return rows_said, lines


def _key(row: StageRow) -> tuple[str, str, str, str, int]:
    return row.workload, row.a, row.b, row.precision, row.seed


def blamed(
    run_context: runner.RunContext, pair: Pair, evidences: pair_evidence.JobEvidences
) -> str:
    """Return what the update of side b, made of side a's gradients, says of the optimizer."""
    names = {field.name for field in dataclasses.fields(ForcedUpdateJob)} - {"teacher"}
    fields = {name: getattr(pair.b, name) for name in names if hasattr(pair.b, name)}
    job = ForcedUpdateJob(**fields, teacher=pair.a.name)
    (record,) = runner.run_jobs(
        run_context, [job], lambda _job, _record: None, _run_forced_update
    ).values()
    if not record.ok:
        return f"the update of {pair.a.side}'s gradients is {record.status}: {record.reason}"
    try:
        verdict = _judged(pair, record, evidences)
    except CorruptRecord as error:
        return str(error)
    what = f"given the gradients of {pair.a.side}, the first update of {pair.b.side}"
    if verdict is None or verdict.verdict == Fidelity.INCONCLUSIVE:
        return f"{what} tells nothing"
    if verdict.verdict == Fidelity.FAIL:
        first = next(item.name for item in verdict.tensors if item.verdict == Fidelity.FAIL)
        return f"{what} departs all the same, {first} first: the optimizer differs, too"
    return f"{what} agrees: the gradients are to blame, and not the optimizer"


def _run_forced_update(run_context: runner.RunContext, job: ForcedUpdateJob) -> store.Record:
    return run_forced(run_context, job, verbs.FORCE_UPDATE, TAKEN)


def _judged(
    pair: Pair, record: store.Record, evidences: pair_evidence.JobEvidences
) -> StageVerdict | None:
    a, b = evidences[pair.a.name].evidence, evidences[pair.b.name].evidence
    if a is None or b is None:
        return None
    forced = ForcedPass(tensors.RecordEvidence(record.folder, record.forced), b)
    made = {entry.name for entry in forced.entries(STAGE)}
    rest = frozenset(
        f"{STAGE}/{entry.name}" for entry in a.entries(STAGE) if entry.name not in made
    )
    sides: tuple[Evidence, Evidence] = Restricted(a, (), rest), forced
    null, base = pair_evidence.null(pair, STAGE, evidences), pair_evidence.base(pair, evidences)
    return judge_stage(*sides, STAGE, pair.precision, null, base)
