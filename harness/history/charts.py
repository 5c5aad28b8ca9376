"""What a page of a whole history is drawn from: series summed up by the database, so that a million
rows become a few hundred points.

Ratios of pairs first, then step times and memory of each build, then the errors of stages; where a
page cannot hold all, the last are left out and counted.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator, Sequence

from harness.fidelity.traces import column
from harness.history.access import ALL, History
from harness.history.model import Bucket, Key, SpeedKey, StageKey, Wanted
from harness.report.plots.history import budget
from harness.results import series

#: Series that one page shows.
MOST = 300


@dataclasses.dataclass(frozen=True)
class Drawn:
    """The histories of a page, how many were left out, and of each night how many rows of a kind
    have which verdict, oldest first."""

    histories: tuple[series.History, ...]
    left_out: int
    stages: dict[str, dict[str, int]]
    speed: dict[str, dict[str, int]]


@dataclasses.dataclass(frozen=True)
class _Figure:
    """One figure of a series: the number `value`, as it is called; of both sides where `b` is not
    empty."""

    key: Key
    value: str
    words: str
    unit: str
    a: str
    b: str


def drawn(history: History, wanted: Wanted = ALL, most: int = MOST) -> Drawn:
    """Return what a page of these series is drawn from."""
    figures = [*_ratios(history, wanted), *_builds(history, wanted), *_errors(history, wanted)]
    points = budget(len(figures[:most]))
    values: dict[Key, list[str]] = {}
    for figure in figures:
        values.setdefault(figure.key, []).append(figure.value)
    found = {key: history.buckets_of(key, names, points, wanted) for key, names in values.items()}
    known = [
        one for figure in figures if (one := _history(figure, found[figure.key][figure.value]))
    ]
    return Drawn(
        tuple(known[:most]),
        len(known[most:]),
        history.verdicts(StageKey, wanted),
        history.verdicts(SpeedKey, wanted),
    )


def _ratios(history: History, wanted: Wanted) -> Iterator[_Figure]:
    for key in history.speed_keys(wanted):
        yield _Figure(
            key, "ratio", f"time of b / time of a, {key.subject}{_preset(key)}", "", key.a, key.b
        )


def _builds(history: History, wanted: Wanted) -> Iterator[_Figure]:
    """Yield step times and memory of each build, from the first pair that it is a side of."""
    met: set[tuple[str, ...]] = set()
    for key in history.speed_keys(wanted):
        for side, build in (("a", key.a), ("b", key.b)):
            what = (key.workload, key.preset, key.precision, key.subject, build)
            if what not in met:
                met.add(what)
                yield _Figure(
                    key, f"{side}_step_s", f"step time, {key.subject}{_preset(key)}", "s", build, ""
                )
                yield _Figure(
                    key,
                    f"{side}_peak_bytes",
                    f"peak memory, {key.subject}{_preset(key)}",
                    "bytes",
                    build,
                    "",
                )


def _errors(history: History, wanted: Wanted) -> Iterator[_Figure]:
    for key in history.stage_keys(wanted):
        yield _Figure(
            key, "max_error", f"largest error, {key.subject}{_preset(key)}", "", key.a, key.b
        )


def _preset(key: Key) -> str:
    return f", {key.preset}" if key.preset else ""


def _history(figure: _Figure, buckets: Sequence[Bucket]) -> series.History | None:
    """Return the history of one figure; None where it has no number at all."""
    known = [bucket for bucket in buckets if bucket.values]
    if not known:
        return None
    return series.History(
        figure.key.workload,
        figure.a,
        figure.b,
        figure.key.precision,
        figure.words,
        figure.unit,
        sum(bucket.values for bucket in known),
        tuple(_moment(bucket.end_s) for bucket in known),
        column([bucket.low for bucket in known]),
        column([bucket.mean for bucket in known]),
        column([bucket.high for bucket in known]),
    )


def _moment(seconds: float) -> str:
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
