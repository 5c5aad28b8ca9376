"""A report as TensorBoard's event files: loss curves of every build and seed, and the judged
figures.

The only module that knows TensorBoard, through its own messages and its own writer of records. Not
its `EventFileWriter`: that one imports TensorFlow where it is installed, which the orchestrator
never does, and writes from a thread that keeps errors to itself. A run and a file have names of
their own and the times of the comparison, so that writing again replaces them with the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.errors import SendingFailed, remedy
from harness.records import files
from harness.results.model import Report
from harness.results.series import Column
from harness.sinks import figures
from harness.sinks.figures import CurveGroup, Name

JUDGED, CURVES = "judged", "curves"
VERSION = "brain.Event:2"
#: Of one tag, by step.
Scalars = Mapping[int, float]


def write(report: Report, folder: Path) -> list[Path]:
    """Write the event files of a report below a folder, and return them.

    Raises:
        SendingFailed: one cannot be written.
    """
    begun = figures.created(report).timestamp()
    runs = dict(_runs(report))
    keys = figures.keys(list(runs))
    file_name = f"events.out.tfevents.{int(begun)}.parity"
    written = []
    for name, scalars in runs.items():
        path = folder / figures.title(report) / keys[name] / file_name
        try:
            files.write_bytes(path, _file(scalars, begun))
        except OSError as error:
            raise SendingFailed(
                f"--tensorboard {folder}: {path} cannot be written ({error.strerror})."
                f" {remedy(error)}, and send it again."
            ) from error
        written.append(path)
    return written


def _runs(report: Report) -> Iterator[tuple[Name, dict[str, Scalars]]]:
    """Yield what TensorBoard calls runs, each with its scalars by tag.

    Builds and seeds have the same tags, and are overlaid.
    """
    values = figures.figures(report)
    keys = figures.keys(list(values))
    yield (JUDGED,), {keys[name]: {0: value} for name, value in values.items()}
    for group in figures.groups(report):
        runs: dict[Name, dict[str, Scalars]] = {}
        terms = figures.keys([(curve.term,) for curve in group.curves])
        for line, term, scalars in _lines(group):
            runs.setdefault((CURVES, *group.name, line), {})[f"loss/{terms[term,]}"] = scalars
        yield from runs.items()


def _lines(group: CurveGroup) -> Iterator[tuple[str, str, Scalars]]:
    """Yield each line's name, term and points: one a seed, or quantiles over seeds."""
    for curve in group.curves:
        lines: dict[str, Column]
        if curve.each:
            lines = {
                f"seed {number}": column
                for number, column in zip(curve.numbers, curve.each, strict=False)
            }
        elif curve.seeds == 1:
            lines = {f"seed {curve.numbers[0]}" if curve.numbers else "seed": curve.middle}
        else:
            lines = {"p10": curve.low, "p50": curve.middle, "p90": curve.high}
        for name, column in lines.items():
            yield name, curve.term, figures.points(curve.steps, column)


def _file(scalars: Mapping[str, Scalars], begun: float) -> bytes:
    """Return an event file."""
    from tensorboard.compat.proto import event_pb2, summary_pb2
    from tensorboard.summary.writer.record_writer import RecordWriter

    buffer = io.BytesIO()
    writer = RecordWriter(buffer)
    writer.write(event_pb2.Event(wall_time=begun, file_version=VERSION).SerializeToString())
    steps: dict[int, list[tuple[str, float]]] = {}
    for tag, points in scalars.items():
        for step, value in points.items():
            steps.setdefault(step, []).append((tag, value))
    for step in sorted(steps):
        values = [
            summary_pb2.Summary.Value(tag=tag, simple_value=value) for tag, value in steps[step]
        ]
        event = event_pb2.Event(
            wall_time=begun, step=step, summary=summary_pb2.Summary(value=values)
        )
        writer.write(event.SerializeToString())
    return buffer.getvalue()
