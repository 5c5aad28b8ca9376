"""The report as JSON, and back: for machines, and for drawing a report again without judging again.

Strict JSON: what is not finite is written as "NaN", "Infinity" or "-Infinity" and read back where
the model has a float. The same report gives the same bytes: the top level in a fixed order, names
below it sorted. The module is not called `json` so that the standard library's is never shadowed.
The last name is the seal, as `records.store` writes it: a report that was edited is not read.
History of the schema: see `model.SCHEMA`.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import shlex
from typing import Any, TypeAlias

from harness.errors import CorruptRecord, NewerSchema
from harness.records import store
from harness.records.decoder import decode, parse
from harness.report import implied_fields
from harness.results import outcome
from harness.results.model import SCHEMA, SEALED_SINCE, Report, StageRow
from harness.results.verdicts import Fidelity

SUMMARY = ("fidelity", "headline", "exit_code")
ORDER = (
    "schema",
    "title",
    "created",
    "harness_version",
    "commit",
    "command",
    "summary",
    "notes",
    "stages",
    "speed",
    "quality",
    "jobs",
    "builds",
    "tapes",
    "curves",
    "spreads",
    "history",
)
Plain: TypeAlias = dict[str, Any]
#: Columns of numbers, each on a line of its own: a number a line would make the file several times
#: as long.
COLUMNS = ("compared", "turns", "curves", "spreads", "history")


def to_json(report: Report) -> str:
    """Return the report as strict JSON with a newline at its end."""
    document = to_plain(report)
    if report.schema >= SEALED_SINCE:
        document[store.SEAL] = store.seal(document)
    return _text(document) + "\n"


def to_plain(report: Report) -> dict[str, Any]:
    """Return what the JSON of a report holds, but for the seal."""
    flat = dataclasses.asdict(report)
    flat["summary"] = {name: flat.pop(name) for name in SUMMARY}
    document = {name: plain(flat[name]) for name in ORDER}
    for name in implied_fields.READ:
        document[name] = [implied_fields.written(name, row) for row in document[name]]
    return document


def _text(value: Any, margin: str = "\n ") -> str:
    """Return JSON that is indented by one space, but for columns of numbers. `margin`: a new line
    and the indentation inside."""
    if not value or not isinstance(value, (dict, list)):
        return json.dumps(value, allow_nan=False)
    if isinstance(value, dict):
        parts = [
            f"{json.dumps(name)}:"
            f" {_column(part, margin) if name in COLUMNS else _text(part, margin + ' ')}"
            for name, part in value.items()
        ]
        return "{" + margin + f",{margin}".join(parts) + margin[:-1] + "}"
    return (
        "["
        + margin
        + f",{margin}".join(_text(part, margin + " ") for part in value)
        + margin[:-1]
        + "]"
    )


def _column(value: Any, margin: str) -> str:
    """Return JSON in which each column of a mapping, or each item of a list, takes one line."""
    inner = margin + " "
    if isinstance(value, dict) and value:
        parts = [f"{json.dumps(name)}: {_dense(part)}" for name, part in value.items()]
        return "{" + inner + f",{inner}".join(parts) + margin + "}"
    if isinstance(value, list) and value:
        return "[" + inner + f",{inner}".join(_dense(part) for part in value) + margin + "]"
    return _dense(value)


def _dense(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def plain(value: Any) -> Any:
    """Return a value that strict JSON can hold, its names sorted; in what a build tells of itself,
    anything unknown becomes its text."""
    if isinstance(value, float):
        return (
            value
            if math.isfinite(value)
            else "NaN"
            if math.isnan(value)
            else "Infinity"
            if value > 0
            else "-Infinity"
        )
    if isinstance(value, dict):
        names = {str(name): part for name, part in value.items()}
        return {name: plain(names[name]) for name in sorted(names)}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if value is None or isinstance(value, (str, int)):
        return value
    return str(value)


def from_json(text: str, source: str = "the report") -> Report:
    """Return the report that `to_json` wrote.

    Args:
        text: the file's content.
        source: the file's name, for messages.

    Raises:
        NewerSchema: written by a newer harness.
        CorruptRecord: not JSON, not a report, or one that was edited.
    """
    try:
        flat = parse(text)
    except ValueError as error:
        raise CorruptRecord(f"{source} is not JSON ({error}); run the comparison again") from None
    schema = flat.get("schema") if isinstance(flat, dict) else None
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        raise CorruptRecord(
            f"{source} is not a report of this harness: 'schema' is {schema!r}, and has to be a"
            f" number from 1 to {SCHEMA}"
        )
    if schema > SCHEMA:
        raise NewerSchema(
            f"{source} has schema {schema}, and this harness reads up to {SCHEMA}; "
            "install a newer parity-harness, or run the comparison again with this one"
        )
    # one that has a seal is checked by it, whatever it says of its schema
    if schema >= SEALED_SINCE or store.SEAL in flat:
        try:
            store.check_seal(flat, "report", source)
        except CorruptRecord as error:
            raise CorruptRecord(f"{error}; run the comparison again") from None
    return from_plain(flat, source)


def from_plain(flat: dict[str, Any], source: str) -> Report:
    """Return the report of what `to_plain` returned.

    Args:
        flat: the report as plain JSON; its seal, if any, is not looked at.
        source: where it is from, for messages.

    Raises:
        CorruptRecord: not a report, or one whose rows contradict themselves.
    """
    summary = flat.get("summary")
    if not isinstance(summary, dict):
        raise CorruptRecord(f"{source}: 'summary' is missing; the file is truncated or altered")
    above = {name: summary[name] for name in SUMMARY if name in summary}
    names = ("stages", "speed")
    rows: Plain = {name: _with_settings(flat.get(name)) for name in names if name in flat}
    whole = _with_words({**flat, **above, **rows})
    report = decode(Report, whole, source)
    _refuse_contradictions(report, source)
    return derived(report)


def _refuse_contradictions(report: Report, source: str) -> None:
    """Raise CorruptRecord for a row that passes while its numbers, or one of its tensors, do not:
    reports of the first schema have no seal that would tell."""
    for number, row in enumerate(report.stages):
        why = "" if row.verdict != Fidelity.PASS or row.accepted else _contradiction(row)
        if why:
            raise CorruptRecord(
                f"{source}: stages[{number}]: verdict is {row.verdict}, and {why}; the file was"
                " altered; run the comparison again"
            )


def _contradiction(row: StageRow) -> str:
    """Return in words what does not let a row pass; empty where nothing does."""
    if row.error is not None and row.threshold is not None and row.error > row.threshold:
        return f"error {row.error} is above its threshold {row.threshold}"
    if row.compared and row.compared.departing:
        return f"{row.compared.names[row.compared.departing[0]]} departs"
    return ""


def _with_words(flat: dict[str, Any]) -> dict[str, Any]:
    """Return a report whose rows hold what it left to their words."""
    whole = dict(flat)
    for name in implied_fields.READ:
        if isinstance(flat.get(name), (list, tuple)):
            whole[name] = [implied_fields.whole(name, row) for row in flat[name]]
    return whole


def derived(report: Report) -> Report:
    """Return a report with the summary that its rows give, whatever is written above them.

    The baseline of `--fail-if-slower-than` is not among the rows: exit code 3 is kept where a row
    can have led to it.
    """
    stages, speed, jobs = report.stages, report.speed, report.jobs
    code = outcome.exit_code(stages, speed, jobs, None)
    if code == 0 and report.exit_code == outcome.TOO_SLOW:
        slower = (row.a for row in speed)
        codes = {outcome.exit_code(stages, speed, jobs, build) for build in slower}
        code = max(codes, default=0)
    return dataclasses.replace(
        report,
        fidelity=outcome.fidelity(stages, jobs),
        headline=outcome.headline(stages, speed, jobs),
        exit_code=code,
    )


#: How both sides of a row ran, and the option that says so in the command of an older report.
SETTINGS = {"device": "--device", "execution": "--execution", "data": "--data"}


def _with_settings(rows: Any) -> Any:
    """Return rows with the settings that reports before 0.1.0's last rows left to the command."""
    if not isinstance(rows, list):
        return rows
    return [
        {**_from_command(row), **row} if isinstance(row, dict) and "device" not in row else row
        for row in rows
    ]


def _from_command(row: dict[str, Any]) -> dict[str, Any]:
    try:
        words = shlex.split(str(row.get("command", "")))
    except ValueError:  # a report that somebody has edited
        return {}
    options = dict(itertools.pairwise(words))
    settings: dict[str, Any] = {
        name: options[option] for name, option in SETTINGS.items() if option in options
    }
    if options.get("--threads", "").isdecimal():
        settings["threads"] = int(options["--threads"])
    return settings
