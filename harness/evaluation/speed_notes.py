"""What a report's notes say about the rounds of a speed job, in words."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence

from backends.contract import ACTIONS
from harness.evaluation import measured_rounds
from harness.evaluation.circumstances import busy, changes, learned
from harness.evaluation.speed_rows import Timed
from harness.execution import rounds
from harness.records.store import Record
from harness.speed import steadiness

#: Of the rounds, in which memory has to grow.
GROWING = 2.0 / 3.0
#: Of the rounds, in which steps have to be still getting faster.
UNSTEADY = 0.1


def notes(jobs: Sequence[Timed]) -> tuple[str, ...]:
    """Return in words what disturbed the rounds, what a round takes, whose steps never got steady,
    whose memory grows, and which phases were not timed because a port cannot run one."""
    first: list[str] = []
    others: list[str] = []
    for timed in jobs:
        if timed.records:
            first += _disturbed(timed)
            others += [_taken(timed), *_unsteady(timed), *_late(timed), *_growing(timed)]
        others += _without_phases(timed)
    return (*first, *others)


def _without_phases(timed: Timed) -> list[str]:
    """Name the sides whose single phases could not be timed."""
    phases = [action for action in timed.job.actions if action not in ACTIONS]
    if not (timed.records and phases):
        return []
    opened = timed.records[-1].round.opened
    missing = [
        label for label in timed.labels if not rounds.takes(phases[0], opened[label].abilities)
    ]
    if not missing:
        return []
    return [
        f"{timed.job.workload}: single phases were not timed on {' and '.join(missing)}: the port"
        " has no `train_step`"
    ]


def _taken(timed: Timed) -> str:
    """Return what a round takes, and what of it: seconds, medians over rounds."""
    round_s = statistics.median(record.duration_s for record in timed.records)
    import_s = statistics.median(record.round.imported_s for record in timed.records)
    ready_s = statistics.median(_ready_s(record) for record in timed.records)
    sides = " and ".join(timed.labels)
    return (
        f"{_subject(timed)}: a round of {sides} takes {round_s:.1f} s: {import_s:.1f} s to import"
        f" the frameworks, {ready_s:.1f} s to build and warm up,"
        f" {max(0.0, round_s - import_s - ready_s):.1f} s to measure"
    )


def _ready_s(record: Record) -> float:
    """Return what building the ports and warming them up took in a round, seconds."""
    warmup_s = 0.0
    for action in record.round.actions.values():
        warmup_s += sum(side.warmup_s for side in action.prepared.values())
    return warmup_s + sum(opened.build_s for opened in record.round.opened.values())


def _subject(timed: Timed) -> str:
    return f"{timed.job.workload} {timed.job.precision}"


def _unsteady(timed: Timed) -> list[str]:
    """Name the sides whose steps were still getting faster when the longest warm-up ended."""
    lines = []
    count = len(timed.records)
    for action, label in itertools.product(timed.job.actions, timed.labels):
        unsteady = sum(not _steady(record, action, label) for record in timed.records)
        if unsteady >= UNSTEADY * count > 0:
            lines.append(
                f"{_subject(timed)} {action}: steps of {label} were still getting faster when they"
                f" were measured, in {unsteady} of {count} rounds"
            )
    return lines


def _steady(record: Record, action: str, label: str) -> bool:
    measured = record.round.actions.get(action)
    side = measured.prepared.get(label) if measured else None
    return side is None or side.steady


def _disturbed(timed: Timed) -> list[str]:
    """Say what a busy machine did, and how many rounds were left out."""
    lines = [f"{_subject(timed)} {text}" for text in changes(timed.records)]
    what = busy(timed.records)
    if what:
        count = sum(map(measured_rounds.disturbed, timed.records))
        out = f"{count} of {len(timed.records)} rounds were left out"
        lines.insert(0, f"{_subject(timed)}: {what}; {out}")
    return lines


def _late(timed: Timed) -> list[str]:
    """Name the sides whose steps changed late in the first warm-up that nothing disturbed, so that
    later rounds have warmed up longer."""
    return [
        f"{_subject(timed)} {action}: steps of {label} took another time until late in the warm-up;"
        f" it was made longer, {steps} steps"
        for action, sides in (learned(timed.records) or {}).items()
        for label, steps in sides.items()
    ]


def _growing(timed: Timed) -> list[str]:
    """Name the sides whose memory grows with every step, in most rounds, and by how much."""
    lines = []
    count = len(timed.records)
    for action, label in itertools.product(ACTIONS, timed.labels):
        growths = [_growth(record, action, label) for record in timed.records]
        rates = [rate for rate in growths if rate is not None]
        if rates and len(rates) >= GROWING * count:
            lines.append(
                f"{_subject(timed)} {action}: memory of {label} grows by"
                f" {_bytes(statistics.median(rates))} a step while it is measured, in {len(rates)}"
                f" of {count} rounds: something is kept that should be let go"
            )
    return lines


def _growth(record: Record, action: str, label: str) -> float | None:
    """Return by how many bytes a step memory grew in a round; None where it did not."""
    measured = record.round.actions.get(action)
    points = measured.resident_bytes.get(label, ()) if measured else ()
    return steadiness.growth([(steps, size) for steps, size in points])


def _bytes(number: float) -> str:
    if number >= 2**20:
        return f"{number / 2**20:.1f} MB"
    return f"{number / 1024:.1f} kB" if number >= 1024 else f"{number:.0f} bytes"
