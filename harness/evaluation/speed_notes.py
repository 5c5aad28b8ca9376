"""What a report's notes say about the rounds of a speed job, in words."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence

from backends.contract import ACTIONS
from harness.evaluation.circumstances import busy, changes, learned
from harness.evaluation.speed_rows import Timed
from harness.execution import rounds
from harness.speed import steadiness

#: Of the rounds, in which memory has to grow.
GROWING = 2.0 / 3.0


def notes(timed: Sequence[Timed]) -> tuple[str, ...]:
    """Return in words what disturbed the rounds, what a round takes, whose steps never got steady,
    whose memory grows, and which phases were not timed because a port cannot run one."""
    found, first = [], []
    for one in timed:
        if one.records:
            first += _disturbed(one)
            found.append(_taken(one))
            found += [*_unsteady(one), *_late(one), *_growing(one)]
        phases = [action for action in one.job.actions if action not in ACTIONS]
        opened = one.records[-1].result["opened"] if one.records and phases else {}
        lacking = [
            label for label in one.labels if opened and not rounds.takes(phases[0], opened[label])
        ]
        if lacking:
            found.append(
                f"{one.job.workload}: single phases were not timed on {' and '.join(lacking)}: the"
                " port has no `train_step`"
            )
    return (*first, *found)


def _taken(one: Timed) -> str:
    """Return what a round takes, and what of it: seconds, medians over rounds."""
    parts = []
    for record in one.records:
        prepared = [
            side
            for action in record.result["actions"].values()
            for side in action["prepared"].values()
        ]
        ready_s = sum(side.get("warmup_s", 0.0) for side in prepared)
        ready_s += sum(side.get("build_s", 0.0) for side in record.result["opened"].values())
        parts.append((record.duration_s, record.result.get("imported_s", 0.0), ready_s))
    round_s, import_s, ready_s = (statistics.median(part) for part in zip(*parts, strict=True))
    sides = " and ".join(one.labels)
    return (
        f"{one.job.workload} {one.job.precision}: a round of {sides} takes {round_s:.1f} s:"
        f" {import_s:.1f} s to import the frameworks, {ready_s:.1f} s to build and warm up,"
        f" {max(0.0, round_s - import_s - ready_s):.1f} s to measure"
    )


def _unsteady(one: Timed) -> list[str]:
    """Name the sides whose steps were still getting faster when the longest warm-up ended, in a
    tenth of the rounds or more."""
    found = []
    for action, label in itertools.product(one.job.actions, one.labels):
        told = [
            record.result["actions"]
            .get(action, {})
            .get("prepared", {})
            .get(label, {})
            .get("steady", True)
            for record in one.records
        ]
        if told.count(False) * 10 >= len(told) > 0:
            found.append(
                f"{one.job.workload} {one.job.precision} {action}: steps of {label} were still"
                f" getting faster when they were measured, in {told.count(False)} of {len(told)}"
                " rounds"
            )
    return found


def _disturbed(one: Timed) -> list[str]:
    """Say what a busy machine did, and how many rounds were left out."""
    what, count = busy(one.records), sum(map(rounds.disturbed, one.records))
    found = (
        [
            f"{one.job.workload} {one.job.precision}: {what}; {count} of {len(one.records)} rounds"
            " were left out"
        ]
        if what
        else []
    )
    return found + [
        f"{one.job.workload} {one.job.precision} {text}" for text in changes(one.records)
    ]


def _late(one: Timed) -> list[str]:
    """Name the sides whose steps changed late in the first warm-up that nothing disturbed, so that
    later rounds have warmed up longer."""
    found = []
    for action, sides in (learned(one.records) or {}).items():
        for label, steps in sides.items():
            found.append(
                f"{one.job.workload} {one.job.precision} {action}: steps of {label} took another"
                f" time until late in the warm-up; it was made longer, {steps} steps"
            )
    return found


def _growing(one: Timed) -> list[str]:
    """Name the sides whose memory grows with every step, in most rounds, and by how much."""
    found = []
    for action, label in itertools.product(ACTIONS, one.labels):
        points = [
            record.result["actions"].get(action, {}).get("resident_bytes", {}).get(label, [])
            for record in one.records
        ]
        found_rates = [
            steadiness.growth([(int(step), int(size)) for step, size in each]) for each in points
        ]
        rates = [rate for rate in found_rates if rate is not None]
        if rates and len(rates) >= GROWING * len(points):
            found.append(
                f"{one.job.workload} {one.job.precision} {action}: memory of {label} grows by"
                f" {_bytes(statistics.median(rates))} a step while it is measured, in {len(rates)}"
                f" of {len(points)} rounds: something is kept that should be let go"
            )
    return found


def _bytes(number: float) -> str:
    return (
        f"{number / 2**20:.1f} MB"
        if number >= 2**20
        else f"{number / 1024:.1f} kB"
        if number >= 1024
        else f"{number:.0f} bytes"
    )
