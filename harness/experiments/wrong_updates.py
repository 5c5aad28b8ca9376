"""After updates have failed: one side makes them again, and none of them is hidden by what departed
before it. The first one is made of the other side's gradients: where it agrees then, the optimizer
is not to blame; where it departs, it is, too. Each later one begins with the other side's state.

For sides whose own training step takes gradients from outside: those of a pair file.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection, Mapping, Sequence

from backends.contract import Stage
from harness.errors import CorruptRecord
from harness.evaluation import pair_evidence, stage_rows
from harness.execution import runner, verbs
from harness.experiments.wrong_layers import ForcedPass, run_forced, sketches
from harness.fidelity import averages
from harness.fidelity.evidence import Evidence, Restricted
from harness.fidelity.judge import judge_stage
from harness.fidelity.verdict import StageVerdict, TensorVerdict
from harness.plan import ForcedUpdateJob, Pair, Plan
from harness.records import store, tensors
from harness.results.model import StageRow
from harness.results.verdicts import Fidelity

STAGE, TAKEN = Stage.UPDATE, Stage.GRADIENTS
#: More updates in a row that say the same are told by the first and the last.
MOST_ALONE = 4


def localise(
    run_context: runner.RunContext,
    planned: Plan,
    evidences: pair_evidence.JobEvidences,
    rows: Sequence[StageRow],
) -> tuple[list[StageRow], list[str]]:
    """Return the rows, and a line about each that has changed: those of updates that failed say
    whether the gradients or the optimizer are to blame, and which later updates depart by
    themselves, or why that cannot be told.

    Args:
        run_context: of the run. planned: its plan. evidences: of its jobs. rows: judged.
    """
    pairs = {
        (pair.workload, pair.a.side, pair.b.side, pair.precision, pair.seed): pair
        for pair in planned.pairs
        if pair.a.pair
    }
    rows_said: list[StageRow] = []
    lines = []
    for row in rows:
        pair = pairs.get((row.workload, row.a, row.b, row.precision, row.seed))
        if pair is None or row.stage != STAGE or row.verdict != Fidelity.FAIL:
            rows_said.append(row)
            continue
        said = blamed(run_context, pair, evidences)
        lines += [f"{row.workload} {row.a} : {row.b} {row.precision}: {part}" for part in said]
        rows_said.append(dataclasses.replace(row, reason="; ".join([row.reason, *said])))
    return rows_said, lines


def blamed(
    run_context: runner.RunContext, pair: Pair, evidences: pair_evidence.JobEvidences
) -> list[str]:
    """Return what the updates of side b, made of side a's gradients and states, say of the
    optimizer and of later steps.

    Args:
        run_context: of the run. pair: whose updates have failed. evidences: of the run's jobs.
    """
    if any(sketches(evidences[pair.a.name].evidence, stage) for stage in (TAKEN, STAGE)):
        return [f"{pair.a.side} has left sketches, of which no update can be made"]
    names = {field.name for field in dataclasses.fields(ForcedUpdateJob)} - {"teacher"}
    fields = {name: getattr(pair.b, name) for name in names if hasattr(pair.b, name)}
    job = ForcedUpdateJob(**fields, teacher=pair.a.name)
    (record,) = runner.run_jobs(
        run_context, [job], lambda _job, _record: None, _run_forced_update
    ).values()
    if not record.ok:
        return [
            f"making the updates of {pair.a.side}'s gradients and states is {record.status}:"
            f" {record.reason}"
        ]
    try:
        verdict = _judged(pair, record, evidences)
        gradients = stage_rows.judge(pair, TAKEN, evidences)
    except CorruptRecord as error:
        return [str(error)]
    if verdict is None:
        return []
    updates = _by_update(verdict)
    # Where a gradient departs, so does what is made of it, whatever the state.
    wrong = {item.name.partition("/")[0] for item in gradients.tensors if _departs(item)}
    right = {name: made for name, made in updates.items() if name.split("/")[1] not in wrong}
    first, *_ = updates
    if first in right:
        del right[first]  # the row has said it
        return _of_states(pair, right)
    config = run_context.workloads[pair.workload].config(pair.b.preset)
    kept = {item["name"] for item in config["parameters"] if not item["trainable"]}
    return [_of_gradients(pair, updates[first], kept), *_of_states(pair, right)]


def _departs(item: TensorVerdict) -> bool:
    return item.verdict == Fidelity.FAIL


def _by_update(verdict: StageVerdict) -> dict[str, list[TensorVerdict]]:
    """Return the tensors by the update that they show, `step <number>/<phase>`, in order."""
    updates: dict[str, list[TensorVerdict]] = {}
    for item in verdict.tensors:
        updates.setdefault("/".join(item.name.split("/")[:2]), []).append(item)
    return updates


def _of_gradients(pair: Pair, made: Sequence[TensorVerdict], kept: Collection[str]) -> str:
    """Return what the first update, made of the other side's gradients, says of the optimizer; no
    optimizer moves what is `kept`: running statistics."""
    what = f"given the gradients of {pair.a.side}, the first update of {pair.b.side}"
    departed = [item.name for item in made if _departs(item)]
    if departed:
        statistics = all(name.partition("/parameter/")[2] in kept for name in departed)
        which = "what a step keeps of running statistics" if statistics else "the optimizer"
        return f"{what} departs all the same, {departed[0]} first: {which} differs, too"
    if any(item.verdict == Fidelity.INCONCLUSIVE for item in made):
        return f"{what} tells nothing"
    return f"{what} agrees: the gradients are to blame, and not the optimizer"


def _of_states(pair: Pair, updates: Mapping[str, Sequence[TensorVerdict]]) -> list[str]:
    """Return what later updates, begun with the other side's state, say of themselves; of many in a
    row that say the same, the first and the last are named."""
    first, says = {}, {}
    for name, made in updates.items():
        departed = [item.name.removeprefix(name + "/") for item in made if _departs(item)]
        undecided = any(item.verdict == Fidelity.INCONCLUSIVE for item in made)
        first[name] = next(iter(departed), "")
        says[name] = (
            Fidelity.FAIL if departed else Fidelity.INCONCLUSIVE if undecided else Fidelity.PASS
        )
    parts = []
    for verdict, names in itertools.groupby(first, key=says.__getitem__):
        if verdict != Fidelity.INCONCLUSIVE:
            parts += _in_a_row(list(names), first, verdict == Fidelity.FAIL)
    return [f"begun with the state of {pair.a.side}, {', '.join(parts)}"] if parts else []


def _in_a_row(names: Sequence[str], first: Mapping[str, str], departs: bool) -> list[str]:
    """Return what updates of one verdict say; `first`: what departs first, by update."""
    if len(names) <= MOST_ALONE:
        return [_said(name, first[name]) for name in names]
    if departs:
        more = f"as do the {len(names) - 1} updates behind it, up to {names[-1]}"
        return [f"{_said(names[0], first[names[0]])}, {more}"]
    return [f"all {len(names)} updates from {names[0]} to {names[-1]} agree"]


def _said(name: str, departed: str) -> str:
    return f"{name} departs all the same, {departed} first" if departed else f"{name} agrees"


def _run_forced_update(run_context: runner.RunContext, job: ForcedUpdateJob) -> store.Record:
    return run_forced(run_context, job, verbs.FORCE_UPDATE, (TAKEN, STAGE))


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
    sides = averages.shared(*sides, STAGE, averages.one_sided(*sides, STAGE))
    null, base = pair_evidence.null(pair, STAGE, evidences), pair_evidence.base(pair, evidences)
    return judge_stage(*sides, STAGE, pair.precision, null, base)
