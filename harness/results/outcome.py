"""From rows to one answer: the verdict of a run, its headline and its exit code. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence

from backends.contract import Stage, Status
from harness.results.model import JobRow, SpeedRow, StageRow
from harness.results.speed_words import sentences
from harness.results.verdicts import Bounds, Fidelity, Speed

UNSUPPORTED = Status.UNSUPPORTED
#: The kind of the jobs that are timed.
SPEED = "speed"
#: The exit code of a run in which a side is slower than the one that was named.
TOO_SLOW = 3
#: The rows of looks at training steps.
STEPPED = (Stage.UPDATE, Stage.TRAJECTORY)
#: Between several names of accepted differences.
BETWEEN = ", "
#: The rows of models trained from independent seeds.
RESULTS = Stage.DISTRIBUTION


def fidelity(stages: Sequence[StageRow], jobs: Sequence[JobRow] = ()) -> Fidelity:
    """Return the verdict over all rows that are judged.

    Args:
        stages: all rows.
        jobs: of the run. Where one that something rests on has broken, what is left agrees at the
            most: it is no PASS of what was asked for.
    """
    verdicts = {row.verdict for row in stages}
    if Fidelity.PASS in verdicts and any(row.kind != SPEED for row in broken(jobs)):
        verdicts.add(Fidelity.INCONCLUSIVE)
    for verdict in (Fidelity.FAIL, Fidelity.INCONCLUSIVE, Fidelity.PASS):
        if verdict in verdicts:
            return verdict
    return Fidelity.NONE


def broken(jobs: Sequence[JobRow]) -> list[JobRow]:
    """Return the jobs that did not end well, unsupported ones aside."""
    return [row for row in jobs if row.status not in (Status.OK, UNSUPPORTED)]


def first_failure(stages: Sequence[StageRow]) -> StageRow | None:
    """Return the row that a reader should look at first: the first FAIL, in the order of pairs and
    of the ladder."""
    return next((row for row in stages if row.verdict == Fidelity.FAIL), None)


def accept(stages: Sequence[StageRow], accepted: Collection[str]) -> list[StageRow]:
    """Return the rows; a FAIL that is nothing but what the user takes for the same is a PASS, and
    says so.

    Args:
        stages: all rows.
        accepted: the excuses (`StageRow.excuse`) that `--accept` named; empty for none.
    """
    return [
        _accepted(row) if row.verdict == Fidelity.FAIL and row.excuse in accepted else row
        for row in stages
    ]


def _accepted(row: StageRow) -> StageRow:
    reason, command = (
        f"accepted ({row.excuse}): {row.reason}",
        f"{row.command} --accept {row.excuse}",
    )
    return dataclasses.replace(
        row, verdict=Fidelity.PASS, accepted=True, reason=reason, command=command
    )


def neutralised(stages: Sequence[StageRow], names: Mapping[str, Sequence[str]]) -> list[StageRow]:
    """Return the rows; those of steps say what differences of the frameworks were neutralised in
    them because the user takes them for the same.

    Args:
        stages: all rows. names: of the differences, by workload.
    """
    return [
        _neutralised(row, names[row.workload])
        if row.stage in STEPPED and names.get(row.workload)
        else row
        for row in stages
    ]


def _neutralised(row: StageRow, names: Sequence[str]) -> StageRow:
    # A row that is accepted for another difference has that in its command already.
    before = [row.excuse] if row.accepted else []
    names = [name for name in names if name not in before]
    option = "" if before else "--accept "
    command = f"{row.command} {option}{' '.join(names)}"
    if row.verdict != Fidelity.PASS:
        return dataclasses.replace(row, command=command)
    excuse = BETWEEN.join([*before, *names])
    reason = f"accepted ({BETWEEN.join(names)})" + (f": {row.reason}" if row.reason else "")
    return dataclasses.replace(row, accepted=True, excuse=excuse, reason=reason, command=command)


def headline(stages: Sequence[StageRow], speed: Sequence[SpeedRow], jobs: Sequence[JobRow]) -> str:
    """Return the answer in one sentence, without the verdict's own word: every renderer puts that
    before it.

    Args:
        stages, speed, jobs: all rows of the report. The first stage that fails is named, so they
            come in the order of pairs and of the ladder.
    """
    verdict = fidelity(stages, jobs)
    failed = first_failure(stages)
    if failed and failed.stage == Bounds.PRECISION:
        text = (
            f"{failed.workload} on {failed.a} does not run in {failed.precision} as it has to:"
            f" {failed.reason.rstrip('.')}."
        )
    elif failed and failed.stage == RESULTS:
        text = (
            f"Not the same results: the models that {failed.a} and {failed.b} train differ in"
            f" {failed.workload} ({failed.precision})"
        )
        text += f", most in {failed.worst}." if failed.worst else f": {failed.reason.rstrip('.')}."
    elif failed and all(row.excuse for row in stages if row.verdict == Fidelity.FAIL):
        text = (
            f"Same function to float32: {failed.a} and {failed.b} part in {failed.workload}"
            f" ({failed.precision}) at {failed.stage}"
        )
        text += f" by no more than float32's rounding, first in {failed.worst}, and agree in fp32."
    elif failed:
        text = (
            f"Not the same model: {failed.a} and {failed.b} part in {failed.workload}"
            f" ({failed.precision}) at {failed.stage}"
        )
        text += f", first in {failed.worst}." if failed.worst else "."
    elif verdict == Fidelity.PASS:
        text = _passed(stages)
    elif verdict == Fidelity.INCONCLUSIVE:
        text = _undecided(stages, jobs)
    elif not speed and any(row.status == UNSUPPORTED for row in jobs):
        text = "Nothing was measured: everything asked for is unsupported here."
    elif speed:
        text = "Speed only; fidelity was not judged."
    else:
        text = "Nothing was judged."
    timed = sentences(speed)
    text += f" {timed}" if timed else ""
    bad = len(broken(jobs))
    if bad:
        text += f" {bad} job{'s' if bad > 1 else ''} did not end well."
    return text


def _undecided(stages: Sequence[StageRow], jobs: Sequence[JobRow]) -> str:
    unsure = next((row for row in stages if row.verdict == Fidelity.INCONCLUSIVE), None)
    if unsure is not None:
        where = (
            f"{unsure.a} and {unsure.b} in {unsure.workload} ({unsure.precision}) at {unsure.stage}"
        )
        return f"Undecided for {where}: {unsure.reason.rstrip('.')}."
    bad = next(row for row in broken(jobs) if row.kind != SPEED)
    return (
        f"Undecided for {bad.build} in {bad.workload} ({bad.precision}), which ended with"
        f" {bad.status}; what could be judged agrees."
    )


def _passed(stages: Sequence[StageRow]) -> str:
    passed = [row for row in stages if row.verdict == Fidelity.PASS]
    function = [row for row in passed if row.stage not in (Bounds.PRECISION, RESULTS)]
    pairs = {(row.workload, row.a, row.b, row.precision) for row in function}
    results = [row for row in passed if row.stage == RESULTS]
    unseen = list(dict.fromkeys(row.stage for row in stages if row.not_looked_at))
    if results:
        seeds = min(row.seeds for row in results)
        text = f"Same results: models trained from {seeds} independent seeds a build are equivalent"
        text += f" in {len(results)} comparisons." if len(results) > 1 else "."
        return f"{_same_function(pairs, function, unseen)} {text}" if pairs else text
    if not pairs:
        return (
            "Every lower precision is in effect and within its bounds; no two builds were compared."
        )
    return _same_function(pairs, function, unseen)


def _same_function(
    pairs: Collection[tuple[str, ...]], rows: Sequence[StageRow], unseen: Sequence[str]
) -> str:
    agree = "comparison agrees" if len(pairs) == 1 else "comparisons agree"
    text = (
        f"Same function: {len(pairs)} {agree} at every stage that was looked at, within the"
        f" measured floor; {_compared(rows)}."
    )
    if unseen:
        text += f" Not looked at: {', '.join(unseen)}."
    accepted = sorted({name for row in rows if row.accepted for name in row.excuse.split(BETWEEN)})
    return f"{text} Accepted: {', '.join(accepted)}." if accepted else text


def _compared(rows: Sequence[StageRow]) -> str:
    """Return how many tensors a PASS rests on, and how many were left out for which reason."""
    left = {
        "mathematically zero": sum(len(row.null) for row in rows),
        "beyond the horizon": sum(row.beyond for row in rows),
        "not shown": sum(len(row.unseen) for row in rows),
    }
    parts = [
        f"{sum(row.counted for row in rows)} tensors compared",
        *(f"{number} {what}" for what, number in left.items() if number),
    ]
    return ", ".join(parts)


def exit_code(
    stages: Sequence[StageRow],
    speed: Sequence[SpeedRow],
    jobs: Sequence[JobRow],
    slower_than: str | None,
) -> int:
    """Return the exit code, the first that applies: 1, 4, 5, 6, 3, 0 (2 and 130 end a command
    before it gets here).

    Args:
        stages, speed, jobs: all rows. slower_than: the side that no other may be materially slower
            than; None for no such demand.
    """
    if fidelity(stages) == Fidelity.FAIL:
        return 1
    if broken(jobs):
        return 4
    if fidelity(stages) == Fidelity.NONE and not speed:
        return 5  # a float64 run that only stood behind an unsupported precision is no measurement
    if fidelity(stages) == Fidelity.INCONCLUSIVE or any(
        row.verdict == Speed.REFUSED and not row.by_phase for row in speed
    ):
        return 6
    if slower_than and any(
        row.a == slower_than and row.verdict == Speed.SLOWER and row.material and not row.by_phase
        for row in speed
    ):
        return TOO_SLOW
    return 0


def recorded_code(jobs: Sequence[JobRow]) -> int:
    """Return the exit code of a run that compares nothing: 4, 5 or 0."""
    if broken(jobs):
        return 4
    return 0 if any(row.status == Status.OK for row in jobs) else 5
