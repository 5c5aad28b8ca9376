"""Which run a report is of, and whether it is added, replaces an older one, or is there already.

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
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, exists, select

from backends.contract import Status
from harness.errors import CorruptRecord
from harness.evaluation.job_rows import RECORDED
from harness.history import insertion, schema
from harness.history.evidence import RunEvidence
from harness.history.fields import Plain
from harness.history.insertion import digest
from harness.history.model import Added
from harness.results.model import Report

#: Jobs that ran and ended well, each with its duration.
Jobs = set[tuple[str, float]]


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where a run comes from.

    Attributes:
        folder: where it lies; empty if unknown.
        night: the date it counts to.
        now_s: when it is added, seconds since 1970.
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
        began = datetime.datetime.fromisoformat(report.created)
    except ValueError as error:
        raise CorruptRecord(
            f"the report '{report.title}' was created at {report.created!r}, which is no date and"
            " time (ISO 8601): it is altered."
        ) from error
    return began if began.tzinfo else began.replace(tzinfo=datetime.timezone.utc)


def add(connection: Connection, report: Report, evidence: RunEvidence, origin: Origin) -> Added:
    """Add a run, unless it is there already, or a newer one of the same cell; all of it, in the
    caller's transaction."""
    document = insertion.plain(report)
    request = digest([report.created, report.command, report.title])
    content = digest(document)
    name, replaced, created_s = request, False, moment(report).timestamp()
    for other in _others(connection, request, origin):
        if other.created_s > created_s:
            return Added(other.id, new=False)
        _remove(connection, other.number)
        replaced = True
    same = select(schema.RUNS).where(schema.RUNS.c.asked == request)
    reported = _reported_jobs(document)
    for stored in connection.execute(same).all():
        known = _stored_jobs(connection, stored.number)
        if known and reported and not known & reported:
            # another run, begun in the same second with the same words
            name = digest([request, content])
            continue
        if len(known) > len(reported) or not _tells_more(
            stored, content, evidence, same_jobs=known == reported
        ):
            return Added(stored.id, new=False)
        _remove(connection, stored.number)
        name, replaced = stored.id, True
        break
    about = {
        "id": name,
        "asked": request,
        "content": content,
        "records": evidence.records,
        "revision": report.commit,
        "created_s": created_s,
        "night": origin.night,
        "folder": origin.folder,
        "added_s": origin.now_s,
    }
    insertion.insert_run(connection, document, evidence, about)
    return Added(name, new=not replaced, replaced=replaced)


def _tells_more(stored: Row[Any], content: str, evidence: RunEvidence, same_jobs: bool) -> bool:
    """Whether a report and its evidence tell more of a run than what is stored of it."""
    if same_jobs and evidence.records < stored.records:
        return False  # only the report is left of the run
    if stored.content != content:
        return True
    new_host = stored.host is None and evidence.host() is not None
    return evidence.records > stored.records or new_host


def _others(connection: Connection, request: str, origin: Origin) -> Sequence[Any]:
    """Return the stored runs that lay in the same cell of the same night, and were another work."""
    if not origin.cell:
        return ()
    runs = schema.RUNS.c
    here = (runs.night == origin.night, runs.folder == origin.folder, runs.asked != request)
    return connection.execute(select(runs.number, runs.id, runs.created_s).where(*here)).all()


def _remove(connection: Connection, run: int) -> None:
    """Delete a run, and the series that no other run has a row of."""
    tables = (schema.STAGES, schema.SPEED)
    series = {
        row[0]
        for table in tables
        for row in connection.execute(select(table.c.series).where(table.c.run == run))
    }
    connection.execute(delete(schema.RUNS).where(schema.RUNS.c.number == run))
    number = schema.SERIES.c.number
    unused = [~exists().where(table.c.series == number) for table in tables]
    left = delete(schema.SERIES).where(number == bindparam("left"), *unused)
    if series:
        connection.execute(left, [{"left": of_run} for of_run in sorted(series)])


def _stored_jobs(connection: Connection, run: int) -> Jobs:
    jobs = schema.JOBS.c
    query = select(jobs.job, jobs.duration_s).where(
        jobs.run == run, jobs.status == Status.OK, jobs.kind != RECORDED
    )
    return {(row[0], row[1]) for row in connection.execute(query)}


def _reported_jobs(document: Plain) -> Jobs:
    return {
        (job["job"], job["duration_s"])
        for job in document["jobs"]
        if job["status"] == Status.OK and job["kind"] != RECORDED
    }
