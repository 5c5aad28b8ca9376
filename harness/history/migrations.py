"""How the schema of a history came to be, step by step, and the only place that changes it.

A file's `PRAGMA user_version` is the number of steps that it has taken. All that are missing are
taken in one transaction that holds the write lock, so a file is never between two versions, whoever
is killed and however many open it at once.

Not Alembic: it keeps its version in a table, which has to exist before it can be asked, and brings
an environment script, a template engine and a lock of its own making to what are a few statements
on one embedded database. `user_version` lies in the file's header and is part of the transaction.

A step that a release had never changes again; add one. Statements keep to what SQLite 3.31 knows.

History: 1 (first); 2 (the host of each run; of runs that were added before, unknown until they are
added again).
"""

from __future__ import annotations

import dataclasses

#: Marks the file as a history of this program: "pHis".
APPLICATION_ID = 0x70486973


@dataclasses.dataclass(frozen=True)
class Migration:
    """One change of the schema: what it is for, and its statements."""

    what: str
    statements: tuple[str, ...]


FIRST = Migration(
    "runs, their rows by series, jobs and builds",
    (
        """CREATE TABLE runs (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, asked TEXT NOT NULL,
        content TEXT NOT NULL, records INTEGER NOT NULL,
        night TEXT NOT NULL, created TEXT NOT NULL, created_s FLOAT NOT NULL, title TEXT NOT NULL,
        command TEXT NOT NULL,
        harness_version TEXT NOT NULL, fidelity TEXT NOT NULL, headline TEXT NOT NULL,
        exit_code INTEGER NOT NULL,
        revision TEXT NOT NULL, folder TEXT NOT NULL, added_s FLOAT NOT NULL,
        more JSON NOT NULL)""",
        "CREATE INDEX runs_asked ON runs (asked)",
        "CREATE INDEX runs_created ON runs (created_s)",
        "CREATE INDEX runs_night ON runs (night)",
        """CREATE TABLE builds (
        number INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE, build TEXT NOT NULL,
        python TEXT NOT NULL, platform TEXT NOT NULL, origin TEXT NOT NULL, reported BOOLEAN,
        more JSON NOT NULL)""",
        "CREATE INDEX ix_builds_run ON builds (run)",
        """CREATE TABLE packages (
        run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE, build TEXT NOT NULL,
        package TEXT NOT NULL,
        version TEXT NOT NULL)""",
        "CREATE INDEX ix_packages_run ON packages (run)",
        """CREATE TABLE ports (
        run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE, build TEXT NOT NULL,
        workload TEXT NOT NULL,
        path TEXT NOT NULL, source_hash TEXT NOT NULL)""",
        "CREATE INDEX ix_ports_run ON ports (run)",
        """CREATE TABLE jobs (
        number INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE, job TEXT NOT NULL,
        build TEXT NOT NULL, workload TEXT NOT NULL, kind TEXT NOT NULL, precision TEXT NOT NULL,
        status TEXT NOT NULL,
        reason TEXT NOT NULL, duration_s FLOAT, more JSON NOT NULL)""",
        "CREATE INDEX ix_jobs_run ON jobs (run)",
        """CREATE TABLE quality (
        number INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE, workload TEXT NOT NULL,
        build TEXT NOT NULL, precision TEXT NOT NULL, preset TEXT NOT NULL, metric TEXT NOT NULL,
        mean FLOAT, low FLOAT,
        high FLOAT, baseline FLOAT, seeds INTEGER, more JSON NOT NULL)""",
        "CREATE INDEX ix_quality_run ON quality (run)",
        """CREATE TABLE series (
        number INTEGER PRIMARY KEY, kind TEXT NOT NULL, workload TEXT NOT NULL,
        preset TEXT NOT NULL, a TEXT NOT NULL,
        b TEXT NOT NULL, precision TEXT NOT NULL, subject TEXT NOT NULL, device TEXT NOT NULL,
        threads INTEGER NOT NULL,
        execution TEXT NOT NULL, data TEXT NOT NULL, seed INTEGER NOT NULL,
        UNIQUE (kind, workload, preset, a, b, precision, subject, device, threads, execution, data,
        seed))""",
        """CREATE TABLE stages (
        number INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
        series INTEGER NOT NULL REFERENCES series (number), created_s FLOAT NOT NULL,
        source_hash TEXT NOT NULL,
        verdict TEXT NOT NULL, reason TEXT NOT NULL, worst TEXT, error FLOAT, floor FLOAT,
        threshold FLOAT, max_error FLOAT,
        value_a FLOAT, value_b FLOAT, tensors INTEGER, beyond INTEGER, seeds INTEGER,
        needed INTEGER, first_bad_step INTEGER,
        more JSON NOT NULL)""",
        "CREATE INDEX ix_stages_run ON stages (run)",
        "CREATE INDEX stages_series ON stages (series, created_s)",
        """CREATE TABLE speed (
        number INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
        series INTEGER NOT NULL REFERENCES series (number), created_s FLOAT NOT NULL,
        source_hash TEXT NOT NULL,
        verdict TEXT NOT NULL, reason TEXT NOT NULL, ratio FLOAT, low FLOAT, high FLOAT,
        material BOOLEAN, rounds INTEGER,
        more_rounds INTEGER, more_s FLOAT, a_step_s FLOAT, b_step_s FLOAT, a_rate FLOAT,
        b_rate FLOAT, a_warmup_s FLOAT,
        b_warmup_s FLOAT, a_build_s FLOAT, b_build_s FLOAT, a_first_step_s FLOAT,
        b_first_step_s FLOAT, a_peak_bytes INTEGER,
        b_peak_bytes INTEGER, more JSON NOT NULL)""",
        "CREATE INDEX ix_speed_run ON speed (run)",
        "CREATE INDEX speed_series ON speed (series, created_s)",
        """CREATE TABLE rounds (
        speed INTEGER NOT NULL REFERENCES speed (number) ON DELETE CASCADE,
        number INTEGER NOT NULL, log_ratio FLOAT,
        a_step_s FLOAT, b_step_s FLOAT, PRIMARY KEY (speed, number)) WITHOUT ROWID""",
    ),
)

HOSTS = Migration(
    "the host of each run: step times of different machines are no series",
    (
        """CREATE TABLE hosts (
        number INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, cpu TEXT NOT NULL,
        cores INTEGER NOT NULL,
        machine TEXT NOT NULL, system TEXT NOT NULL, accelerator TEXT NOT NULL)""",
        "ALTER TABLE runs ADD COLUMN host INTEGER REFERENCES hosts (number)",
    ),
)

STEPS = (FIRST, HOSTS)
LATEST = len(STEPS)
