"""Under which circumstances speed was measured, in words: which rounds count, what a busy machine
did, what a report's notes say.

A round counts if nothing disturbed it (`harness.speed.disturbance`) and its steps stayed the same
(`harness.speed.steadiness`). Both are decided without looking at which side was faster.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from harness.evaluation import measured_rounds
from harness.records import store
from harness.speed import disturbance, schedule


def usable(records: Sequence[store.Record]) -> list[store.Record]:
    """Return the rounds that make a verdict."""
    return [
        record
        for record in records
        if not measured_rounds.disturbed(record) and not measured_rounds.changed(record)
    ]


def busy(records: Sequence[store.Record]) -> str:
    """Return what the machine did while the disturbed rounds ran, empty if there are none."""
    disturbed = [record for record in records if measured_rounds.disturbed(record)]
    if not disturbed:
        return ""
    total = disturbance.together(measured_rounds.met(record) for record in disturbed)
    states = [state for record in disturbed for state in record.round.machine]
    cores = max((state.cores or 1.0 for state in states), default=1.0)
    return f"the machine was busy: {disturbance.words(total, cores)}"


def learned(records: Sequence[store.Record]) -> dict[str, dict[str, int]] | None:
    """Return how many steps a round has to warm up, by action and side, by the first round that
    nothing disturbed; None where none has run yet, so that the next one has to look: on a busy
    machine steps seem to change."""
    first = next((record for record in records if not measured_rounds.disturbed(record)), None)
    return None if first is None else measured_rounds.learned(first)


def why_too_few(records: Sequence[store.Record]) -> str:
    """Return why fewer rounds count than an interval needs, empty if enough do, or if too few have
    run."""
    missing = len(records) - len(usable(records))
    if not missing or len(usable(records)) >= schedule.MIN_ROUNDS:
        return ""
    reasons = "; ".join(filter(None, [busy(records), *changes(records)]))
    return (
        f"{reasons}; {missing} of {len(records)} rounds do not count, and {schedule.MIN_ROUNDS}"
        " have to"
    )


def changes(records: Sequence[store.Record]) -> list[str]:
    """Name the pairs whose ratio changed while it was measured."""
    factors_of: dict[tuple[str, str, str], list[float]] = {}
    for record in records:
        if not measured_rounds.disturbed(record):
            for place, factor in measured_rounds.changed(record).items():
                factors_of.setdefault(place, []).append(max(factor, 1.0 / factor))
    return [
        f"{action}: steps of {a} or {b} changed by a factor of {statistics.median(factors):.1f}"
        f" while they were measured, in {len(factors)} of {len(records)} rounds; --warmup gives"
        " them longer"
        for (action, a, b), factors in factors_of.items()
    ]
