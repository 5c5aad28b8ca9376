"""From a judged report to rows of the tables; `restore` makes the report again, but for what only
its plots are drawn from.

Works on the report's JSON, whose form is versioned and stable: a field that has a column goes
there, what a key tells goes to `series`, every other into `more`, so that a report with fields of a
later day is kept whole.

The same run is the same, wherever it lies and whenever it is added. A run that went on (`--resume`)
or was judged again is the same too: it began in the same second, and of the jobs that ended well
one at least is in both, with the same duration to the last bit; it takes its old rows' place. A
recorded reference took no time, and tells no runs apart. The folder of a night's cell is emptied
where the cell begins anew, with other builds or other code: the run that was in it leaves the
history too.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import hashlib
import itertools
import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, delete, exists, func, insert, select

from harness.errors import CorruptRecord
from harness.evaluation.job_rows import RECORDED
from harness.history import schema
from harness.history.evidence import Evidence
from harness.history.model import FIDELITY, SPEED, Added
from harness.report import json_format
from harness.results.model import JobRow, QualityRow, Report, SpeedRow, StageRow

Plain = dict[str, Any]
#: What every row of a run, or of a series, has beside the fields of the report.
OURS = {"number", "run", "series", "created_s", "source_hash", "more"}
#: What a key tells of a row; its stage or action, which the key calls `subject`, too.
TOLD_BY_KEY = {
    FIDELITY: ("workload", "preset", "a", "b", "precision", "seed"),
    SPEED: ("workload", "preset", "a", "b", "precision", "seed", "threads"),
}
SUBJECT = {FIDELITY: "stage", SPEED: "action"}


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where a run comes from.

    Attributes:
        folder: where it lies; empty if unknown. night: the date it counts to. now_s: when it is
            added, seconds since 1970.
        cell: whether the folder is a night's cell, which holds one run at a time.
    """

    folder: str
    night: str
    now_s: float
    cell: bool = False


def moment(report: Report) -> datetime.datetime:
    """Return when a run began; of a time without a zone, as UTC.

    Raises:
        CorruptRecord: the report does not tell.
    """
    try:
        found = datetime.datetime.fromisoformat(report.created)
    except ValueError as error:
        raise CorruptRecord(
            f"the report '{report.title}' was created at {report.created!r}, which is no date and"
            " time (ISO 8601): it is altered."
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)


def add(connection: Connection, report: Report, evidence: Evidence, origin: Origin) -> Added:
    """Add a run, unless it is there already, or a newer one of the same cell; all of it, in the
    caller's transaction."""
    document = _plain(report)
    asked, content = _digest([report.created, report.command, report.title]), _digest(document)
    name, replaced, created_s = asked, False, moment(report).timestamp()
    for other in _others(connection, asked, origin):
        if other.created_s > created_s:
            return Added(other.id, new=False)
        _remove(connection, other.number)
        replaced = True
    for stored in connection.execute(select(schema.RUNS).where(schema.RUNS.c.asked == asked)).all():
        had, has = _had(connection, stored.number), _has(document)
        if had and has and not had & has:
            name = _digest(
                [asked, content]
            )  # another run, begun in the same second with the same words
            continue
        fewer = (
            evidence.records < stored.records
        )  # of the same jobs: only the report is left of the run
        more = evidence.records > stored.records or (
            stored.host is None and evidence.host() is not None
        )
        if (
            len(had) > len(has)
            or (had == has and fewer)
            or (stored.content == content and not more)
        ):
            return Added(stored.id, new=False)
        _remove(connection, stored.number)
        name, replaced = stored.id, True
        break
    _insert(
        connection,
        document,
        evidence,
        {
            "id": name,
            "asked": asked,
            "content": content,
            "records": evidence.records,
            "revision": report.commit,
            "created_s": created_s,
            "night": origin.night,
            "folder": origin.folder,
            "added_s": origin.now_s,
        },
    )
    return Added(name, new=not replaced, replaced=replaced)


def _plain(report: Report) -> Plain:
    """Return the report as JSON without what only its own plots are drawn from, which would be nine
    tenths of a history."""
    document: Plain = json.loads(json_format.to_json(report))
    for part in (document, *document["stages"], *document["speed"]):
        for name in json_format.COLUMNS:
            part.pop(name, None)
    return document


def _others(connection: Connection, asked: str, origin: Origin) -> Sequence[Any]:
    """Return the stored runs that lay in the same cell of the same night, and were another work."""
    runs = schema.RUNS.c
    here = (runs.night == origin.night, runs.folder == origin.folder, runs.asked != asked)
    return (
        connection.execute(select(runs.number, runs.id, runs.created_s).where(*here)).all()
        if origin.cell
        else ()
    )


def _remove(connection: Connection, run: int) -> None:
    """Delete a run, and the series that no other run has a row of."""
    rows = (schema.STAGES, schema.SPEED)
    series = {
        row[0]
        for table in rows
        for row in connection.execute(select(table.c.series).where(table.c.run == run))
    }
    connection.execute(delete(schema.RUNS).where(schema.RUNS.c.number == run))
    number = schema.SERIES.c.number
    left = delete(schema.SERIES).where(
        number == bindparam("one"), *(~exists().where(table.c.series == number) for table in rows)
    )
    if series:
        connection.execute(left, [{"one": one} for one in sorted(series)])


def _had(connection: Connection, run: int) -> set[tuple[str, float]]:
    """Return the jobs of a stored run that ran and ended well, each with its duration."""
    jobs = schema.JOBS.c
    query = select(jobs.job, jobs.duration_s).where(
        jobs.run == run, jobs.status == "ok", jobs.kind != RECORDED
    )
    return {(row[0], row[1]) for row in connection.execute(query)}


def _has(document: Plain) -> set[tuple[str, float]]:
    """Return the same of a report."""
    return {
        (job["job"], job["duration_s"])
        for job in document["jobs"]
        if job["status"] == "ok" and job["kind"] != RECORDED
    }


def _insert(connection: Connection, document: Plain, evidence: Evidence, about: Plain) -> None:
    """Insert a run with everything that belongs to it."""
    rows = {name: document.pop(name) for name in ("stages", "speed", "quality", "jobs", "builds")}
    flat = {**document, **document["summary"]}
    about = {
        **about,
        "host": (
            _number(connection, schema.HOSTS, dataclasses.asdict(host))
            if (host := evidence.host())
            else None
        ),
    }
    run = _put(
        connection,
        schema.RUNS,
        [{**about, **_split(schema.RUNS, flat, {"summary", "commit", *about})}],
    )
    own = {"run": run}
    _put(
        connection,
        schema.JOBS,
        [{**own, **_split(schema.JOBS, row, (), _defaults(JobRow))} for row in rows["jobs"]],
    )
    _put(
        connection,
        schema.QUALITY,
        [
            {**own, **_split(schema.QUALITY, row, (), _defaults(QualityRow))}
            for row in rows["quality"]
        ],
    )
    _insert_builds(connection, run, rows["builds"], evidence)
    own = {"run": run, "created_s": about["created_s"]}
    _put(
        connection,
        schema.STAGES,
        [{**own, **_of_series(connection, FIDELITY, row, evidence)} for row in rows["stages"]],
    )
    first = _put(
        connection,
        schema.SPEED,
        [{**own, **_of_series(connection, SPEED, row, evidence)} for row in rows["speed"]],
    )
    _put(
        connection,
        schema.ROUNDS,
        [
            {"speed": first + place, **dataclasses.asdict(one)}
            for place in range(len(rows["speed"]))
            for one in evidence.rounds.get(place, ())
        ],
    )


def _put(connection: Connection, table: Table, rows: list[Plain]) -> int:
    """Insert rows, all at once; return the number of the first one, where the table numbers them.
    The caller holds the write lock."""
    first = 0
    if "number" in table.c and rows and "number" not in rows[0]:
        first = (connection.execute(select(func.max(table.c.number))).scalar_one() or 0) + 1
        rows = [{"number": first + place, **row} for place, row in enumerate(rows)]
    if rows:
        connection.execute(insert(table), rows)
    return first


def _number(connection: Connection, table: Table, row: Plain) -> int:
    """Return the number of a row that exists once; insert it if it is new."""
    return connection.execute(_where(table, tuple(row)), row).scalar_one_or_none() or _put(
        connection, table, [row]
    )


@functools.cache
def _where(table: Table, names: tuple[str, ...]) -> Select[Any]:
    """Return the query for the number of a row; made once, because making it takes longer than
    asking it."""
    return select(table.c.number).where(*(table.c[name] == bindparam(name) for name in names))


def _split(
    table: Table, row: Plain, taken: Iterable[str], defaults: Mapping[str, Any] | None = None
) -> Plain:
    """Return a report's row as a table's: fields with a column, and the others, if they say
    something, in `more`."""
    columns = {column.name for column in table.c} - OURS - {*taken}
    values = {name: row.get(name) for name in columns}
    more = {name: value for name, value in row.items() if name not in columns and name not in taken}
    return {
        **values,
        "more": {
            name: value for name, value in more.items() if (defaults or {}).get(name, ...) != value
        },
    }


@functools.cache
def _defaults(kind: type[StageRow | SpeedRow | JobRow | QualityRow]) -> Mapping[str, Any]:
    """Return the defaults of a kind of row, as JSON."""
    found = {field.name: field.default for field in dataclasses.fields(kind)}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in found.items()
        if value is not dataclasses.MISSING
    }


def _of_series(connection: Connection, kind: str, row: Plain, evidence: Evidence) -> Plain:
    """Return a row of a stage or of speed, with its series and the hash of what was measured."""
    table, subject, told = (
        (schema.STAGES if kind == FIDELITY else schema.SPEED),
        SUBJECT[kind],
        TOLD_BY_KEY[kind],
    )
    settings = _settings(row.get("command", ""))
    key = {"kind": kind, **settings, **{name: row[name] for name in told}, "subject": row[subject]}
    series = _number(connection, schema.SERIES, key)
    values = _split(
        table, row, {subject, *told}, _defaults(StageRow if kind == FIDELITY else SpeedRow)
    )
    return {"series": series, "source_hash": _source_hash(row, evidence), **values}


def _settings(command: str) -> Plain:
    """Return the settings that a row does not tell, from the command that reproduces it."""
    try:
        words = shlex.split(command)
    except ValueError:  # an unbalanced quote: a report that was altered
        words = []
    given = dict(itertools.pairwise(words))
    threads = given.get("--threads", "0")
    return {
        "device": given.get("--device", "cpu"),
        "execution": given.get("--execution", "default"),
        "data": given.get("--data", ""),
        "threads": int(threads) if threads.isdecimal() else 0,
    }


def _source_hash(row: Plain, evidence: Evidence) -> str:
    """Return the hash of both sides' sources and of the workload's specification; empty if nothing
    is known of them."""
    parts = [evidence.specs.get((row["workload"], row["preset"]), "")]
    for label in (row["a"], row["b"]):  # `tf1 fp64` is a side of `tf1`
        port = evidence.ports.get((label, row["workload"])) or evidence.ports.get(
            (label.partition(" ")[0], row["workload"])
        )
        parts.append(port.source_hash if port else "")
    return _digest(parts) if any(parts) else ""


def _insert_builds(
    connection: Connection, run: int, reported: list[Plain], evidence: Evidence
) -> None:
    """Insert the report's builds, and those that only the rounds know: a report without fidelity
    lists none."""
    named = {row["build"] for row in reported}
    others = [
        {
            "build": label,
            "python": str(identity.get("python", "")),
            "platform": str(identity.get("platform", "")),
            "origin": "",
            "versions": dict(identity.get("versions", {})),
        }
        for label, identity in evidence.identities.items()
        if label not in named
    ]
    for row in [*reported, *others]:
        more = {
            name: value
            for name, value in row.items()
            if name not in ("build", "python", "platform", "origin")
        }
        told = {name: row[name] for name in ("build", "python", "platform", "origin")}
        _put(
            connection,
            schema.BUILDS,
            [{"run": run, **told, "reported": row["build"] in named, "more": more}],
        )
        versions = [
            {"run": run, "build": row["build"], "package": name, "version": str(text)}
            for name, text in row["versions"].items()
        ]
        _put(connection, schema.PACKAGES, versions)
    _put(
        connection,
        schema.PORTS,
        [
            {"run": run, "build": label, "workload": workload, **dataclasses.asdict(port)}
            for (label, workload), port in evidence.ports.items()
        ],
    )


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
