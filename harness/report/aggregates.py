"""Histories of any length to few points: equal numbers of runs a point, with least, median and largest value.

Pure: it is given columns of numbers, a million rows or ten, and knows neither where they come from nor how they are drawn.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.fidelity.traces import column
from harness.report.traces import Change, History

#: Points of one history.
MOST_POINTS = 200


@dataclasses.dataclass(frozen=True)
class Label:
    """What one series is of; see `traces.History`."""

    workload: str
    a: str
    b: str
    precision: str
    figure: str
    unit: str = ""
    changes: tuple[Change, ...] = ()


def histories(
    labels: Sequence[Label], series: NDArray[np.int64], when: NDArray[np.datetime64], values: NDArray[np.float64], most: int = MOST_POINTS,
) -> tuple[History, ...]:
    """Return one history for each label that has a value.

    Args:
        labels: of each series. series: [N], the place of each row's label. when: [N], any unit, UTC; in any order.
        values: [N]; what is not finite is left out. most: points of one history.
    """
    good = np.isfinite(values)
    series, when, values = series[good], when[good].astype("datetime64[s]"), values[good]
    order = np.lexsort((when, series))
    series, when, values = series[order], when[order], values[order]
    starts = np.searchsorted(series, np.arange(len(labels) + 1))
    return tuple(
        _history(label, when[start:end], values[start:end], most)
        for label, start, end in zip(labels, starts[:-1], starts[1:], strict=True) if end > start
    )


def _history(label: Label, when: NDArray[np.datetime64], values: NDArray[np.float64], most: int) -> History:
    count = len(values)
    edges = np.linspace(0, count, min(count, most) + 1).astype(int)
    starts = edges[:-1]
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    middle = [float(np.median(values[start:end])) for start, end in zip(starts, edges[1:], strict=True)]
    moments = np.datetime_as_string(when[edges[1:] - 1], unit="s")
    return History(
        label.workload, label.a, label.b, label.precision, label.figure, label.unit, count,
        tuple(f"{moment}Z" for moment in moments), column(low), column(middle), column(high), label.changes,
    )
