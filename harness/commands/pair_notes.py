"""What was read back of a pair before it ran, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from backends.contract import Stage
from harness.pairs import notes
from harness.pairs.notes import ForwardAgreement
from harness.pairs.workload import Inferred
from harness.plan import Request
from harness.results.model import StageRow
from harness.results.verdicts import Fidelity


def after(request: Request, rows: Sequence[StageRow]) -> tuple[str, ...]:
    """Return the request's lines about what is not the same; a setting that was to show in the
    forward stage, of a layer that agrees there, is said to be without effect.

    Args:
        request: whose `left_out` has all lines. rows: judged.
    """
    lines = list(request.left_out)
    for workload in request.workloads:
        if isinstance(workload, Inferred):
            before = notes.sentences(workload.inference)
            agreement = _agreement([row for row in rows if row.workload == workload.name])
            now = notes.sentences(workload.inference, agreement)
            lines = [*now, *(line for line in lines if line not in before)]
    return tuple(lines)


def _agreement(rows: Sequence[StageRow]) -> ForwardAgreement:
    """Return what the forward stage says of a pair in all its rows, in whatever precision."""
    forward = [row for row in rows if row.stage == Stage.FORWARD]
    if any(row.accepted for row in forward):
        return ForwardAgreement()
    passed = [row.verdict == Fidelity.PASS for row in forward]
    named = [_agreeing(row) for row in forward if row.verdict != Fidelity.PASS]
    if passed and all(passed):
        return ForwardAgreement(every=True)
    # What is not listed of a row that passes agrees; of one that does not it may depart.
    return ForwardAgreement(names=frozenset.intersection(*named) if named else frozenset())


def _agreeing(row: StageRow) -> frozenset[str]:
    """Return the activations that agree in a row that does not pass as a whole."""
    listed = row.compared
    if listed is None:
        return frozenset()
    named = zip(listed.names, listed.verdicts, strict=True)
    return frozenset(name for name, verdict in named if verdict == Fidelity.PASS)
