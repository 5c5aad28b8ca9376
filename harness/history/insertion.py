"""A run's rows, and how they are inserted.

Works on the report's JSON, whose form is versioned and stable: a field that has a column goes
there, what a key tells goes to `series`, every other into `more`, so that a report with fields of a
later day is kept whole. `restore` makes the report again, but for what only its plots are drawn
from.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, func, insert, select

from harness.history import fields, schema
from harness.history.evidence import RunEvidence
from harness.history.fields import Plain
from harness.history.model import FIDELITY, SPEED
from harness.records.contents import Identity
from harness.report import implied_fields, json_format
from harness.results.model import JobRow, QualityRow, Report, SpeedRow, StageRow

#: What `builds` has a column for.
OF_BUILD = ("build", "python", "platform", "origin")


def plain(report: Report) -> Plain:
    """Return the report as JSON without what only its own plots are drawn from, which would be nine
    tenths of a history."""
    document: Plain = json_format.to_plain(report)
    for part in (document, *document["stages"], *document["speed"]):
        for name in json_format.COLUMNS:
            part.pop(name, None)
    return document


def digest(value: Any) -> str:
    """Return a hash of anything that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def insert_run(
    connection: Connection, document: Plain, evidence: RunEvidence, about: Plain
) -> None:
    """Insert a run with everything that belongs to it.

    Args:
        document: the report (`plain`); it is taken apart.
        about: what `runs` holds beside the report.
    """
    rows = {name: document.pop(name) for name in ("stages", "speed", "quality", "jobs", "builds")}
    flat = {**document, **document["summary"]}
    host = evidence.host()
    number = _number(connection, schema.HOSTS, dataclasses.asdict(host)) if host else None
    about = {**about, "host": number}
    of_run = fields.split(schema.RUNS, flat, {"summary", "commit", *about})
    run = _put(connection, schema.RUNS, [{**about, **of_run}])
    own = {"run": run}
    of_jobs, of_quality = fields.defaults(JobRow), fields.defaults(QualityRow)
    jobs = [{**own, **fields.split(schema.JOBS, row, (), of_jobs)} for row in rows["jobs"]]
    _put(connection, schema.JOBS, jobs)
    quality = [
        {**own, **fields.split(schema.QUALITY, row, (), of_quality)} for row in rows["quality"]
    ]
    _put(connection, schema.QUALITY, quality)
    _insert_builds(connection, run, rows["builds"], evidence)
    own = {"run": run, "created_s": about["created_s"]}
    stages = [{**own, **_of_series(connection, FIDELITY, row, evidence)} for row in rows["stages"]]
    _put(connection, schema.STAGES, stages)
    speed = [{**own, **_of_series(connection, SPEED, row, evidence)} for row in rows["speed"]]
    first = _put(connection, schema.SPEED, speed)
    rounds = [
        {"speed": first + place, **dataclasses.asdict(measured)}
        for place in range(len(rows["speed"]))
        for measured in evidence.rounds.get(place, ())
    ]
    _put(connection, schema.ROUNDS, rounds)


def _put(connection: Connection, table: Table, rows: list[Plain]) -> int:
    """Insert rows, all at once; return the number of the first one, where the table numbers them.
    The caller holds the write lock."""
    first = 0
    if "number" in table.c and rows and "number" not in rows[0]:
        last = select(schema.optional(func.max(table.c.number)))
        first = (connection.execute(last).scalar_one() or 0) + 1
        rows = [{"number": first + place, **row} for place, row in enumerate(rows)]
    if rows:
        connection.execute(insert(table), rows)
    return first


def _number(connection: Connection, table: Table, row: Plain) -> int:
    """Return the number of a row that exists once; insert it if it is new."""
    known = connection.execute(_where(table, tuple(row)), row).scalar_one_or_none()
    return known or _put(connection, table, [row])


@functools.cache
def _where(table: Table, names: tuple[str, ...]) -> Select[Any]:
    """Return the query for the number of a row; made once, because making it takes longer than
    asking it."""
    return select(table.c.number).where(*(table.c[name] == bindparam(name) for name in names))


def _of_series(connection: Connection, kind: str, row: Plain, evidence: RunEvidence) -> Plain:
    """Return a row of a stage or of speed, with its series and the hash of what was measured."""
    table = schema.STAGES if kind == FIDELITY else schema.SPEED
    defaults = fields.defaults(StageRow if kind == FIDELITY else SpeedRow)
    subject, of_key = fields.SUBJECT[kind], fields.OF_KEY[kind]
    shared = {name: row[name] for name in of_key}
    key = {"kind": kind, **shared, "subject": row[subject]}
    series = _number(connection, schema.SERIES, key)
    values = fields.split(table, row, {subject, *of_key}, defaults)
    whole = implied_fields.whole("stages" if kind == FIDELITY else "speed", row)
    return {"series": series, "source_hash": _source_hash(whole, evidence), **values}


def _source_hash(row: Plain, evidence: RunEvidence) -> str:
    """Return the hash of both sides' sources and of the workload's specification; empty if nothing
    is known of them."""
    workload = row["workload"]
    parts = [evidence.specs.get((workload, row["preset"]), "")]
    for side in (row.get("a_side") or row["a"], row.get("b_side") or row["b"]):
        port = evidence.ports.get((side, workload))
        parts.append(port.source_hash if port else "")
    return digest(parts) if any(parts) else ""


def _insert_builds(
    connection: Connection, run: int, reported: list[Plain], evidence: RunEvidence
) -> None:
    """Insert the report's builds, and those that only the rounds know: a report without fidelity
    lists none."""
    named = {row["build"] for row in reported}
    others = [
        _identified(label, identity)
        for label, identity in evidence.identities.items()
        if label not in named
    ]
    for row in [*reported, *others]:
        more = {name: value for name, value in row.items() if name not in OF_BUILD}
        values = {name: row[name] for name in OF_BUILD}
        _put(
            connection,
            schema.BUILDS,
            [{"run": run, **values, "reported": row["build"] in named, "more": more}],
        )
        versions = [
            {"run": run, "build": row["build"], "package": name, "version": str(text)}
            for name, text in row["versions"].items()
        ]
        _put(connection, schema.PACKAGES, versions)
    ports = [
        {"run": run, "build": label, "workload": workload, **dataclasses.asdict(port)}
        for (label, workload), port in evidence.ports.items()
    ]
    _put(connection, schema.PORTS, ports)


def _identified(label: str, identity: Identity) -> Plain:
    """Return a build's row, as a report would have it, from what the build says of itself."""
    return {
        "build": label,
        "python": identity.python,
        "platform": identity.platform,
        "origin": "",
        "versions": identity.versions,
    }
