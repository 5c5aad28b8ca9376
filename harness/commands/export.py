"""What `compare` writes beside the run's own folder, in other programs' formats: `--export FORMAT
FILE`, and `--json FILE`."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import UnknownName, UsageError, remedy
from harness.evaluation.measured_rounds import as_round
from harness.evaluation.speed_rows import Timed
from harness.records import files, store
from harness.report import benchmark_format
from harness.results.model import Report
from harness.speed import estimate

#: Other programs' formats, by the name that `--export` has for them.
FORMATS = ("pytest-benchmark",)


def check(json: Path | None, export: tuple[str, Path] | None, timed: bool) -> None:
    """Refuse, before anything runs, what could not be written after it.

    Raises:
        UnknownName: the format. UsageError: the file cannot be written, or nothing is timed that
            could be exported.
    """
    if export is not None and export[0] not in FORMATS:
        raise UnknownName("format", export[0], FORMATS)
    if export is not None and not timed:
        raise UsageError(
            f"--export {export[0]}: nothing is timed here (`harness run`, or --no-speed). Drop it,"
            " or ask for the speed."
        )
    for name, path in (
        ("--json", json),
        (f"--export {export[0]}" if export else "", export[1] if export else None),
    ):
        if path is not None and (error := files.unwritable(path)):
            raise UsageError(
                f"{name} {path}: cannot be written: {error.strerror}. {remedy(error)}."
            )


def write(export: tuple[str, Path] | None, timed: Sequence[Timed], report: Report) -> None:
    """Write the paired results where `--export` asks for them."""
    if export is not None:
        files.write_text(
            export[1], benchmark_format.render(list(_measured(timed)), report.speed, report.created)
        )


def _measured(timed: Sequence[Timed]) -> Iterator[benchmark_format.MeasuredSide]:
    """Yield every side of every action that was timed, with one step time a round."""
    for side in timed:
        job = side.job
        precision = benchmark_format.PRECISIONS if job.precisions else job.precision
        for action, label in itertools.product(job.actions, side.labels):
            if not side.records or not all(
                _took_part(item, action, label) for item in side.records
            ):
                continue
            steps = [estimate.step_time([as_round(item, action)], label) for item in side.records]
            last = side.records[-1].round
            yield benchmark_format.MeasuredSide(
                f"{job.workload} {job.preset} {precision} {action}",
                label,
                tuple(step for step in steps if step is not None),
                last.actions[action].prepared[label].steps_a_sample,
                dataclasses.asdict(last.opened[label].identity),
            )


def _took_part(record: store.Record, action: str, label: str) -> bool:
    measured = record.round.actions.get(action)
    return measured is not None and label in measured.prepared
