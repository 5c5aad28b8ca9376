"""What a history answers, as rows of text for a terminal."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence

from harness.history.model import HistoryPoint, RunRow, SeriesKey, SpeedPoint, StagePoint
from harness.report import format as spell

Rows = list[tuple[str, ...]]
RUNS = ("began", "run", "what", "stages", "speed", "exit", "host", "commit")
KEYS = ("workload", "preset", "a", "b", "precision", "of", "device", "threads", "execution", "seed")
_POINT = ("began", "run", "sources", "host", "verdict")
STAGES = (*_POINT, "error", "floor", "threshold", "worst")
SPEED = (*_POINT, "ratio, 99 %", "a step", "b step", "a peak", "b peak", "rounds")
#: So many letters of an id, a hash and a commit tell them apart.
LETTERS = 8


def is_date(text: str) -> bool:
    """Whether a text is a date as nights are named, YYYY-MM-DD."""
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").strftime("%Y-%m-%d") == text
    except ValueError:
        return False


def runs(stored: Sequence[RunRow]) -> Rows:
    """Return a row for each run."""
    return [
        (
            _time(row.created_s),
            spell.one_line(row.id)[:LETTERS],
            spell.one_line(row.title),
            counted(row.stages),
            counted(row.speed),
            str(row.exit_code),
            spell.one_line(row.host.fingerprint) if row.host else "",
            spell.one_line(row.revision)[:LETTERS] + _dirty(row.revision),
        )
        for row in stored
    ]


def counted(verdicts: Mapping[str, int]) -> str:
    """Return how many rows have which verdict: "1 FAIL, 12 PASS"."""
    return ", ".join(
        f"{count} {spell.one_line(verdict)}" for verdict, count in sorted(verdicts.items())
    )


def keys(listed: Iterable[SeriesKey]) -> Rows:
    """Return a row for each key."""
    return [_key(key) for key in listed]


def _key(key: SeriesKey) -> tuple[str, ...]:
    columns = (
        key.workload,
        key.preset,
        key.a,
        key.b,
        key.precision,
        key.subject,
        key.device,
        key.threads,
        key.execution,
        key.seed,
    )
    return tuple(spell.one_line(str(value)) for value in columns)


def sides(key: SeriesKey) -> set[str]:
    """Return the two sides of a key."""
    return {key.a, key.b}


def title(key: SeriesKey) -> str:
    """Return a key in one line."""
    threads = f"{key.threads} threads" if key.threads != 1 else "1 thread"
    parts = [
        key.workload,
        key.preset,
        key.precision,
        f"{key.a} and {key.b}",
        key.subject,
        key.device,
        threads,
        key.execution,
        f"seed {key.seed}",
    ]
    if key.data:
        parts.append(f"data {key.data}")
    return spell.one_line(", ".join(parts))


def stage_points(points: Iterable[StagePoint]) -> Rows:
    """Return a row for each point of a stage."""
    return [
        (
            *_point(point, point.row.verdict),
            spell.error(point.row.error),
            spell.error(point.row.floor),
            spell.error(point.row.threshold),
            spell.one_line(point.row.worst or ""),
        )
        for point in points
    ]


def speed_points(points: Iterable[SpeedPoint]) -> Rows:
    """Return a row for each point of an action."""
    return [
        (
            *_point(point, point.row.verdict),
            spell.ratio(point.row.ratio, point.row.low, point.row.high),
            spell.seconds(point.row.a_step_s),
            spell.seconds(point.row.b_step_s),
            spell.memory(point.row.a_peak_bytes),
            spell.memory(point.row.b_peak_bytes),
            str(point.row.rounds),
        )
        for point in points
    ]


def _point(point: HistoryPoint, verdict: str) -> tuple[str, ...]:
    return (
        _time(point.created_s),
        spell.one_line(point.run)[:LETTERS],
        spell.one_line(point.source_hash)[:LETTERS],
        spell.one_line(point.host),
        spell.one_line(verdict),
    )


def _time(moment_s: float) -> str:
    return f"{datetime.datetime.fromtimestamp(moment_s, datetime.timezone.utc):%Y-%m-%d %H:%M}"


def _dirty(revision: str) -> str:
    return "-dirty" if revision.endswith("-dirty") else ""
