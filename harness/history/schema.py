"""The tables of a history, as the newest schema has them, for queries.

How they came to be is in `migrations`; a test holds the two against each other. Numbers that are
not finite are text, "NaN", "Infinity" and "-Infinity", as in the report's JSON: SQLite would turn
NaN into NULL, which means that there is none. So an aggregate has to ask for `finite` numbers.

A fact has one place: what a key tells is in `series`, what nobody queries lies as JSON in `more`,
fields of later reports too. A report is made again from its rows without a loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    MetaData,
    Table,
    UniqueConstraint,
    and_,
    case,
    func,
    or_,
    type_coerce,
)
from sqlalchemy.schema import SchemaItem

from harness.history.columns import (
    DOCUMENT,
    FLAG,
    MOMENT,
    NUMBER,
    ROW,
    TEXT,
    WHOLE,
    CheckedType,
)
from harness.records.decoder import NOT_FINITE

METADATA = MetaData()


def _table(name: str, parts: Sequence[SchemaItem]) -> Table:
    """Return a table whose columns tell, where a value is none of theirs, which they are."""
    for part in parts:
        if isinstance(part, Column) and isinstance(part.type, CheckedType):
            part.type = CheckedType(
                part.type.kind, f"{name}.{part.name}", bool(part.nullable) and not part.primary_key
            )
    return Table(name, METADATA, *parts)


def _column(name: str, kind: str, *parts: SchemaItem, **more: Any) -> Column[Any]:
    return Column(name, CheckedType(kind), *parts, **more)


def _numbers(*names: str) -> list[Column[Any]]:
    return [_column(name, NUMBER) for name in names]


def _counts(*names: str) -> list[Column[Any]]:
    return [_column(name, WHOLE) for name in names]


def _texts(*names: str) -> list[Column[Any]]:
    return [_column(name, TEXT, nullable=False) for name in names]


def _key() -> Column[Any]:
    return _column("number", ROW, primary_key=True)


def _run() -> Column[Any]:
    runs = ForeignKey("runs.number", ondelete="CASCADE")
    return _column("run", ROW, runs, nullable=False, index=True)


def _series() -> list[Column[Any]]:
    """What the rows of a series share: which run and series, when, and of which sources."""
    return [
        _run(),
        _column("series", ROW, ForeignKey("series.number"), nullable=False),
        _column("created_s", MOMENT, nullable=False),
        *_texts("source_hash", "verdict", "reason"),
    ]


def _more() -> Column[Any]:
    return _column("more", DOCUMENT, nullable=False)


HOSTS = _table(
    "hosts",
    [
        _key(),
        _column("fingerprint", TEXT, nullable=False, unique=True),
        *_texts("cpu"),
        _column("cores", WHOLE, nullable=False),
        *_texts("machine", "system", "accelerator"),
    ],
)

#: `asked`: hash of what the run was; `content`: of its report. `records`: how many of its jobs'
#: records were read.
RUNS = _table(
    "runs",
    [
        _key(),
        _column("id", TEXT, nullable=False, unique=True),
        *_texts("asked", "content"),
        _column("records", WHOLE, nullable=False),
        *_texts("night", "created"),
        _column("created_s", MOMENT, nullable=False),
        *_texts("title", "command", "harness_version", "fidelity", "headline"),
        _column("exit_code", WHOLE, nullable=False),
        *_texts("revision", "folder"),
        _column("added_s", MOMENT, nullable=False),
        _more(),
        _column("host", ROW, ForeignKey("hosts.number")),
    ],
)

#: `reported`: whether the report has it; else a round's record told of it.
BUILDS = _table(
    "builds",
    [
        _key(),
        _run(),
        *_texts("build", "python", "platform", "origin"),
        _column("reported", FLAG),
        _more(),
    ],
)
PACKAGES = _table("packages", [_run(), *_texts("build", "package", "version")])
PORTS = _table("ports", [_run(), *_texts("build", "workload", "path", "source_hash")])
JOBS = _table(
    "jobs",
    [
        _key(),
        _run(),
        *_texts("job", "build", "workload", "kind", "precision"),
        *_texts("status", "reason"),
        _column("duration_s", NUMBER),
        _more(),
    ],
)
QUALITY = _table(
    "quality",
    [
        _key(),
        _run(),
        *_texts("workload", "build", "precision", "preset", "metric"),
        *_numbers("mean", "low", "high", "baseline"),
        _column("seeds", WHOLE),
        _more(),
    ],
)

KEY = (
    "workload",
    "preset",
    "a",
    "b",
    "precision",
    "subject",
    "device",
    "threads",
    "execution",
    "data",
    "seed",
)
SERIES = _table(
    "series",
    [
        _key(),
        *_texts("kind"),
        *_texts(*KEY[:7]),
        _column("threads", WHOLE, nullable=False),
        *_texts(*KEY[8:10]),
        _column("seed", WHOLE, nullable=False),
        UniqueConstraint("kind", *KEY),
    ],
)
STAGES = _table(
    "stages",
    [
        _key(),
        *_series(),
        _column("worst", TEXT),
        *_numbers("error", "floor", "threshold", "max_error", "value_a", "value_b"),
        *_counts("tensors", "beyond", "seeds", "needed", "first_bad_step"),
        _more(),
    ],
)
SPEED = _table(
    "speed",
    [
        _key(),
        *_series(),
        *_numbers("ratio", "low", "high"),
        _column("material", FLAG),
        *_counts("rounds", "more_rounds"),
        *_numbers("more_s", "a_step_s", "b_step_s", "a_rate", "b_rate"),
        *_numbers("a_warmup_s", "b_warmup_s", "a_build_s", "b_build_s"),
        *_numbers("a_first_step_s", "b_first_step_s"),
        *_counts("a_peak_bytes", "b_peak_bytes"),
        _more(),
    ],
)
ROUNDS = _table(
    "rounds",
    [
        _column("speed", ROW, ForeignKey("speed.number", ondelete="CASCADE"), primary_key=True),
        _column("number", WHOLE, primary_key=True),
        *_numbers("log_ratio", "a_step_s", "b_step_s"),
    ],
)


def optional(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column that has no value where a query finds no row for it."""
    kind = column.type
    assert isinstance(kind, CheckedType)
    return type_coerce(column, CheckedType(kind.kind, kind.place, optional=True))


def odd(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return what lies in a column of numbers and is none: the largest of it, which is refused when
    it is read."""
    kind = func.typeof(column)
    other = or_(kind == "blob", and_(kind == "text", column.not_in([*NOT_FINITE])))
    return optional(func.max(case((other, column))))


def finite(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a number is there and finite."""
    return func.typeof(column).in_(("real", "integer"))
