"""What a page of a whole history is drawn from: series that the database has summed up.

Ratios of pairs first, then step times and memory of each build, then the errors of stages; where a
page cannot hold all, the last are left out and counted.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator, Mapping, Sequence

from harness.fidelity.plot_series import column
from harness.history.access import ALL, History
from harness.history.aggregate import VALUES
from harness.history.model import Bucket, SeriesKey, SpeedKey, StageKey, Wanted
from harness.report.plots.history import budget
from harness.results import series
from harness.results.verdicts import Fidelity, Speed

#: Series that one page shows.
MOST = 300
#: Of a stage: the error of a tensor, with the floor and the threshold of the same one.
ERROR, FLOOR, THRESHOLD, _ = VALUES[StageKey]
#: Values that the verdicts of their rows are about.
JUDGED = (ERROR, "ratio")
#: From bad to good.
SEVERITY = (
    Fidelity.FAIL,
    Speed.SLOWER,
    Fidelity.INCONCLUSIVE,
    Speed.REFUSED,
    Speed.UNCLEAR,
    Speed.SAME,
    Speed.FASTER,
    Fidelity.PASS,
)


@dataclasses.dataclass(frozen=True)
class HistoryCharts:
    """What one page shows.

    Attributes:
        left_out: how many histories there was no room for.
        stages, speed: of each night, the oldest first, how many rows have which verdict.
    """

    histories: tuple[series.FigureHistory, ...]
    left_out: int
    stages: dict[str, dict[str, int]]
    speed: dict[str, dict[str, int]]


@dataclasses.dataclass(frozen=True)
class _Figure:
    """One number of a series, `value`, in words; of both sides where `b` is not empty."""

    key: SeriesKey
    value: str
    words: str
    unit: str
    a: str
    b: str


def drawn(history: History, wanted: Wanted = ALL, most: int = MOST) -> HistoryCharts:
    """Return what a page of these series is drawn from.

    Args:
        history: open. wanted: which rows and nights.
        most: how many series; those beyond are left out and counted.

    Raises:
        Busy, RecordError: as every question to a history.
    """
    figures = [*_ratios(history, wanted), *_builds(history, wanted), *_errors(history, wanted)]
    points = budget(len(figures[:most]))
    values: dict[SeriesKey, list[str]] = {}
    for figure in figures:
        wanted_values = values.setdefault(figure.key, [])
        wanted_values += [ERROR, FLOOR, THRESHOLD] if figure.value == ERROR else [figure.value]
    buckets = {key: history.buckets_of(key, names, points, wanted) for key, names in values.items()}
    histories = (_history(figure, buckets[figure.key]) for figure in figures)
    known = [drawn_history for drawn_history in histories if drawn_history]
    return HistoryCharts(
        tuple(known[:most]),
        len(known[most:]),
        history.verdicts(StageKey, wanted),
        history.verdicts(SpeedKey, wanted),
    )


def _ratios(history: History, wanted: Wanted) -> Iterator[_Figure]:
    for key in history.speed_keys(wanted):
        words = f"{series.RATIO}, {key.subject}{_preset(key)}"
        yield _Figure(key, "ratio", words, "", key.a, key.b)


def _builds(history: History, wanted: Wanted) -> Iterator[_Figure]:
    """Yield step times and memory of each build, from the first pair that it is a side of."""
    met: set[tuple[str, ...]] = set()
    for key in history.speed_keys(wanted):
        for side, build in (("a", key.a), ("b", key.b)):
            what = (key.workload, key.preset, key.precision, key.subject, build)
            if what not in met:
                met.add(what)
                action = f"{key.subject}{_preset(key)}"
                yield _Figure(key, f"{side}_step_s", f"step time, {action}", "s", build, "")
                yield _Figure(
                    key, f"{side}_peak_bytes", f"peak memory, {action}", "bytes", build, ""
                )


def _errors(history: History, wanted: Wanted) -> Iterator[_Figure]:
    for key in history.stage_keys(wanted):
        words = f"error of the tensor nearest to its threshold, {key.subject}{_preset(key)}"
        yield _Figure(key, ERROR, words, "", key.a, key.b)


def _preset(key: SeriesKey) -> str:
    return f", {key.preset}" if key.preset else ""


def _history(
    figure: _Figure, buckets: Mapping[str, Sequence[Bucket]]
) -> series.JudgedHistory | None:
    """Return the history of one figure; None where it has no number at all."""
    own = buckets[figure.value]
    kept = [at for at, bucket in enumerate(own) if bucket.values]
    if not kept:
        return None
    known = [own[at] for at in kept]
    floor = [buckets[FLOOR][at].mean for at in kept] if figure.value == ERROR else []
    threshold = [buckets[THRESHOLD][at].mean for at in kept] if figure.value == ERROR else []
    return series.JudgedHistory(
        workload=figure.key.workload,
        a=figure.a,
        b=figure.b,
        precision=figure.key.precision,
        figure=figure.words,
        unit=figure.unit,
        runs=sum(bucket.values for bucket in known),
        when=tuple(_moment(bucket.end_s) for bucket in known),
        low=column([bucket.low for bucket in known]),
        middle=column([bucket.mean for bucket in known]),
        high=column([bucket.high for bucket in known]),
        verdict=_worst(own[-1]) if figure.value in JUDGED else "",
        floor=column(floor),
        threshold=column(threshold),
    )


def _worst(bucket: Bucket) -> str:
    """Return the worst verdict of a stretch; a word that nobody knows stands for itself."""
    ranks = {str(word): rank for rank, word in enumerate(SEVERITY)}
    return min(bucket.verdicts, key=lambda word: ranks.get(word, 0), default="")


def _moment(seconds: float) -> str:
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
