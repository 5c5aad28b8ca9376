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
    JSON,
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import UserDefinedType

METADATA = MetaData()


class Number(UserDefinedType[Any]):
    """A number that goes in and comes out as it is: a float, an integer, or one of the words."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "FLOAT"


def _table(name: str, parts: Sequence[SchemaItem]) -> Table:
    return Table(name, METADATA, *parts)


def _numbers(*names: str) -> list[Column[Any]]:
    return [Column(name, Number) for name in names]


def _counts(*names: str) -> list[Column[Any]]:
    return [Column(name, Integer) for name in names]


def _texts(*names: str) -> list[Column[Any]]:
    return [Column(name, Text, nullable=False) for name in names]


def _key() -> Column[Any]:
    return Column("number", Integer, primary_key=True)


def _run() -> Column[Any]:
    return Column(
        "run", Integer, ForeignKey("runs.number", ondelete="CASCADE"), nullable=False, index=True
    )


def _series() -> list[Column[Any]]:
    """What the rows of a series share: which run and series, when, and of which sources."""
    return [
        _run(),
        Column("series", Integer, ForeignKey("series.number"), nullable=False),
        Column("created_s", Number, nullable=False),
        *_texts("source_hash", "verdict", "reason"),
    ]


def _more() -> Column[Any]:
    return Column("more", JSON, nullable=False)


HOSTS = _table(
    "hosts",
    [
        _key(),
        Column("fingerprint", Text, nullable=False, unique=True),
        *_texts("cpu"),
        Column("cores", Integer, nullable=False),
        *_texts("machine", "system", "accelerator"),
    ],
)

#: `asked`: hash of what the run was; `content`: of its report. `records`: how many of its jobs'
#: records were read.
RUNS = _table(
    "runs",
    [
        _key(),
        Column("id", Text, nullable=False, unique=True),
        *_texts("asked", "content"),
        Column("records", Integer, nullable=False),
        *_texts("night", "created"),
        Column("created_s", Number, nullable=False),
        *_texts("title", "command", "harness_version", "fidelity", "headline"),
        Column("exit_code", Integer, nullable=False),
        *_texts("revision", "folder"),
        Column("added_s", Number, nullable=False),
        _more(),
        Column("host", Integer, ForeignKey("hosts.number")),
    ],
)

#: `reported`: whether the report has it; else a round's record told of it.
BUILDS = _table(
    "builds",
    [
        _key(),
        _run(),
        *_texts("build", "python", "platform", "origin"),
        Column("reported", Boolean),
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
        Column("duration_s", Number),
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
        Column("seeds", Integer),
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
        Column("threads", Integer, nullable=False),
        *_texts(*KEY[8:10]),
        Column("seed", Integer, nullable=False),
        UniqueConstraint("kind", *KEY),
    ],
)
STAGES = _table(
    "stages",
    [
        _key(),
        *_series(),
        Column("worst", Text),
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
        Column("material", Boolean),
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
        Column("speed", Integer, ForeignKey("speed.number", ondelete="CASCADE"), primary_key=True),
        Column("number", Integer, primary_key=True),
        *_numbers("log_ratio", "a_step_s", "b_step_s"),
    ],
)


def finite(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a number is there and finite."""
    return func.typeof(column).in_(("real", "integer"))
