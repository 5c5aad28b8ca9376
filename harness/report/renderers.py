"""Write the report of a run in every format, and again from its `report.json` to the same bytes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from harness.errors import UnknownName, UsageError, remedy
from harness.records import files
from harness.report import csv_format, html, json_format, junit, markdown, model_explorer
from harness.results.model import Report


@dataclasses.dataclass(frozen=True)
class Format:
    """A form that a report can have.

    Attributes:
        render: makes the whole text of it.
        file: its name in the run's folder; empty where it is made only when asked for.
    """

    render: Callable[[Report], str]
    file: str = ""


#: A renderer is named here and nowhere else. The first is written first: the others can be made of
#: it again.
FORMATS: dict[str, Format] = {
    "json": Format(json_format.to_json, "report.json"),
    "markdown": Format(markdown.render, "report.md"),
    "html": Format(html.render, "report.html"),
    "junit": Format(junit.render, "report.xml"),
    "csv": Format(csv_format.render),
    "model-explorer": Format(model_explorer.node_data),
    "model-explorer-graphs": Format(model_explorer.graphs),
}

#: What other commands leave in place of a report, by the file that holds it.
OTHERS = {
    "selfcheck.json": "`harness selfcheck`",
    "repeat.json": "`harness repeat`",
    "bisect.json": "`harness bisect`",
    "night.json": "`harness nightly`",
}


def write(report: Report, folder: Path, also: Path | None = None) -> None:
    """Write every format of a report that has a file there into the run's folder.

    Args:
        also: one more file for the JSON.
    """
    for kind in FORMATS.values():
        if kind.file:
            files.write_text(folder / kind.file, kind.render(report))
    if also is not None:
        files.write_text(also, json_format.to_json(report))


def load(run: Path) -> Report:
    """Return the report of a run's folder, or of a report.json.

    Raises:
        UsageError: there is no such run. CorruptRecord, NewerSchema: the file cannot be used.
    """
    path = run / FORMATS["json"].file if run.is_dir() else run
    try:
        text = files.read_text(path)
    except FileNotFoundError as error:
        raise UsageError(f"{path}: there is no report. {_hint(run)}") from error
    return json_format.from_json(text, str(path))


def _hint(run: Path) -> str:
    """Return why there is no report, and what to do."""
    if not run.is_dir():
        return "Give a run's folder, e.g. reports/<date>_<what>."
    other = next((name for name in OTHERS if (run / name).is_file()), None)
    if other is None:
        return "It did not finish; go on with --resume."
    return (
        f"The folder is of {OTHERS[other]}, which makes none: what it found is in {run / other}."
        " Give the folder of a `harness compare`."
    )


def render(report: Report, format_name: str) -> str:
    """Return a report in one format.

    Args:
        report: of the judged run. format_name: one of `FORMATS`; the terminal's is drawn elsewhere.

    Raises:
        UnknownName: there is no such format.
    """
    if format_name not in FORMATS:
        raise UnknownName("format", format_name, ["terminal", *FORMATS])
    return FORMATS[format_name].render(report)


def save(text: str, path: Path) -> None:
    """Write a rendered report.

    Args:
        text: of the whole file. path: what `--out` named; its folder is made if there is none.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        files.write_text(path, text)
    except OSError as error:
        raise UsageError(
            f"--out {path}: cannot be written ({error.strerror}). {remedy(error)}."
        ) from error
