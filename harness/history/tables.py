"""What a history answers, as rows of text for a terminal."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence

from harness.history.model import Key, Point, RunRow, SpeedPoint, StagePoint
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


def runs(found: Sequence[RunRow]) -> Rows:
    """Return a row for each run."""
    return [
        (
            _time(row.created_s),
            row.id[:LETTERS],
            spell.one_line(row.title),
            counted(row.stages),
            counted(row.speed),
            str(row.exit_code),
            row.host.fingerprint if row.host else "",
            spell.one_line(row.revision)[:LETTERS] + _dirty(row.revision),
        )
        for row in found
    ]


def counted(verdicts: Mapping[str, int]) -> str:
    """Return how many rows have which verdict: "1 FAIL, 12 PASS"."""
    return ", ".join(
        f"{count} {spell.one_line(verdict)}" for verdict, count in sorted(verdicts.items())
    )


def keys(found: Iterable[Key]) -> Rows:
    """Return a row for each key."""
    return [
        tuple(
            spell.one_line(str(part))
            for part in (
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
        )
        for key in found
    ]


def sides(key: Key) -> set[str]:
    """Return the two sides of a key."""
    return {key.a, key.b}


def title(key: Key) -> str:
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
    ]
    parts.append(f"seed {key.seed}")
    return spell.one_line(", ".join([*parts, f"data {key.data}"] if key.data else parts))


def stage_points(points: Iterable[StagePoint]) -> Rows:
    """Return a row for each point of a stage."""
    return [
        (
            *_point(one, one.row.verdict),
            spell.error(one.row.error),
            spell.error(one.row.floor),
            spell.error(one.row.threshold),
            spell.one_line(one.row.worst or ""),
        )
        for one in points
    ]


def speed_points(points: Iterable[SpeedPoint]) -> Rows:
    """Return a row for each point of an action."""
    return [
        (
            *_point(one, one.row.verdict),
            spell.ratio(one.row.ratio, one.row.low, one.row.high),
            spell.seconds(one.row.a_step_s),
            spell.seconds(one.row.b_step_s),
            spell.memory(one.row.a_peak_bytes),
            spell.memory(one.row.b_peak_bytes),
            str(one.row.rounds),
        )
        for one in points
    ]


def _point(point: Point, verdict: str) -> tuple[str, ...]:
    return (
        _time(point.created_s),
        point.run[:LETTERS],
        point.source_hash[:LETTERS],
        point.host,
        spell.one_line(verdict),
    )


def _time(moment_s: float) -> str:
    return f"{datetime.datetime.fromtimestamp(moment_s, datetime.timezone.utc):%Y-%m-%d %H:%M}"


def _dirty(revision: str) -> str:
    return "-dirty" if revision.endswith("-dirty") else ""
