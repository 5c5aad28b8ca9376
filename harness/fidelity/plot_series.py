"""From verdicts, records and draws to the columns that plots are drawn from: few points, four
digits.

What departs first and the worst are never left out.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from backends.contract import Stage
from harness.fidelity.evidence import Evidence
from harness.fidelity.verdict import StageVerdict
from harness.results.model import StageRow
from harness.results.series import Column, Compared, Curve, Spread
from harness.results.verdicts import Fidelity

Values = NDArray[np.float64]

#: Tensors of one stage of one pair, and of all stages of a report together; a stage keeps at least
#: `FEWEST`, or half as many where it does not fail and others do.
MOST_TENSORS, ALL_TENSORS, FEWEST = 400, 6000, 10
#: Of all stages' room, what those that fail may take: they are what a report is opened for.
FAILING = 2 / 3
#: Of a curve.
MOST_STEPS = 200
#: Loss terms of a workload: the totals first.
MOST_TERMS = 12
#: Channels, and quantiles of each.
MOST_CHANNELS, QUANTILES = 64, 41
BAND = (0.1, 0.5, 0.9)
LOSS = re.compile(r"^step (\d+)/loss/(.*)$")


@dataclasses.dataclass(frozen=True)
class PlotSubject:
    """Whose curves and spreads are drawn: a side, and on what it was trained."""

    workload: str
    build: str
    precision: str
    preset: str


def rounded(value: float | None) -> float | None:
    """Return a number with four digits."""
    return value if value is None or not math.isfinite(value) else float(f"{value:.3e}")


def column(values: Sequence[float | None] | Values) -> Column:
    """Return numbers with four digits each."""
    return tuple(rounded(None if value is None else float(value)) for value in values)


def compared(verdict: StageVerdict, most: int = MOST_TENSORS) -> Compared | None:
    """Return the tensors of a judged stage, in order; None where none has a number.

    Args:
        verdict: of the stage; tensors without an error that do not fail are left out.
        most: how many are listed: the first that depart, and the worst.
    """
    items = [
        item for item in verdict.tensors if item.error is not None or item.verdict == Fidelity.FAIL
    ]
    if not any(item.error is not None for item in items):
        return None
    whole = Compared(
        tuple(item.name for item in items),
        tuple(item.verdict for item in items),
        column([item.error for item in items]),
        column([item.floor for item in items]),
        column([item.threshold for item in items]),
    )
    return whole.cut(most)


def share(rows: Sequence[StageRow], most: int = ALL_TENSORS) -> list[StageRow]:
    """Return rows whose tensors are so few that a report of many pairs stays small, however many
    stages fail.

    Args:
        rows: of one report; those without tensors stay as they are.
        most: tensors of all rows together. Every stage keeps a few, so that many stages may have
            more.
    """
    failing, others = limits(rows, most)
    shared = []
    for row in rows:
        if row.compared:
            cut = row.compared.cut(failing if row.verdict == Fidelity.FAIL else others)
            shared.append(dataclasses.replace(row, compared=cut))
        else:
            shared.append(row)
    return shared


def limits(rows: Sequence[StageRow], most: int = ALL_TENSORS) -> tuple[int, int]:
    """Return how many tensors each stage that fails may list, and each other one: `FAILING` of the
    room before all else.

    Where there is room for all, `MOST_TENSORS`. Rows within their limits have the same limits
    again.

    Args:
        rows: of one report. most: tensors of all rows together.
    """
    counts = [
        (row.verdict == Fidelity.FAIL, len(row.compared.names))
        for row in rows
        if row.compared is not None
    ]
    if sum(count for _, count in counts) <= most:
        return MOST_TENSORS, MOST_TENSORS
    failing = [count for failed, count in counts if failed]
    others = len(counts) - len(failing)
    each = max(FEWEST, int(most * (FAILING if others else 1.0)) // max(1, len(failing)))
    left = most - sum(min(each, count) for count in failing)
    return each, max(FEWEST // 2 if failing else FEWEST, left // max(1, others))


def terms(names: Sequence[str]) -> list[str]:
    """Return the loss terms that are shown: totals first, then the others in their order."""
    unique = list(dict.fromkeys(names))
    totals = [name for name in unique if name.rpartition("/")[2] == "total"]
    return [*totals, *(name for name in unique if name not in totals)][:MOST_TERMS]


def lockstep(side: Evidence) -> dict[str, dict[int, float]]:
    """Return the losses of a trajectory: by term, by step counted from 1; reads one number at a
    time, and no more than are shown."""
    names: dict[str, dict[int, str]] = {}
    for entry in side.entries(Stage.TRAJECTORY):
        match = LOSS.match(entry.name)
        if match and math.prod(entry.shape) == 1:
            names.setdefault(match[2], {})[int(match[1])] = entry.name
    curves: dict[str, dict[int, float]] = {}
    for term in terms(list(names)):
        steps = sorted(names[term])
        chosen = [steps[index] for index in _spaced(len(steps), MOST_STEPS)]
        curves[term] = {
            step: float(side.read(Stage.TRAJECTORY, names[term][step]).reshape(-1)[0])
            for step in chosen
        }
    return curves


def _spaced(count: int, most: int) -> list[int]:
    """Return at most so many indices of a list, equally spaced, its first and last among them."""
    if not count:
        return []
    return sorted({round(float(index)) for index in np.linspace(0, count - 1, min(count, most))})


def curve(
    subject: PlotSubject, mode: str, term: str, seeds: Sequence[Mapping[int, float]]
) -> Curve | None:
    """Return the band over seeds of one term.

    Of more than `MOST_STEPS` steps, the mean over equal stretches, placed at the last step of each;
    NaN stays visible.

    Args:
        subject: whose. mode, term: as in `Curve`. seeds: the values of each, by step.
    """
    steps = sorted(set.intersection(*(set(seed) for seed in seeds))) if seeds else []
    if not steps:
        return None
    table = np.array([_at(seed, steps) for seed in seeds], np.float64)
    parts = np.array_split(np.arange(len(steps)), min(len(steps), MOST_STEPS))
    with np.errstate(all="ignore"):
        means = np.stack([table[:, part].mean(axis=1) for part in parts], axis=1)
        low, middle, high = np.quantile(means, BAND, axis=0)
    banded = len(seeds) > 1
    return Curve(
        workload=subject.workload,
        build=subject.build,
        precision=subject.precision,
        preset=subject.preset,
        mode=mode,
        term=term,
        seeds=len(seeds),
        steps=tuple(steps[int(part[-1])] for part in parts),
        low=column(low) if banded else (),
        middle=column(middle),
        high=column(high) if banded else (),
    )


def _at(seed: Mapping[int, float], steps: Sequence[int]) -> list[float]:
    return [seed[step] for step in steps]


def quantiles(samples: Values) -> Values:
    """Return [F, QUANTILES] of rows [N, T, F]; of a channel that holds a NaN, NaN."""
    flat = samples.reshape(-1, samples.shape[-1])[:, :MOST_CHANNELS]
    by_channel: Values = np.quantile(flat, np.linspace(0.0, 1.0, QUANTILES), axis=0).T
    return by_channel


def spread(subject: PlotSubject, channels: Sequence[str], models: Sequence[Values]) -> Spread:
    """Return the quantiles of one build's models: the median over the models of each.

    Args:
        subject: whose.
        channels: their names, in order; where there are fewer names than channels, these are
            numbered.
        models: of each model, what `quantiles` gave, all of one shape.
    """
    middle = np.median(np.stack(models), axis=0)
    names = list(channels)
    if len(channels) < len(middle):
        names = [f"channel {number}" for number in range(len(middle))]
    return Spread(
        workload=subject.workload,
        build=subject.build,
        precision=subject.precision,
        preset=subject.preset,
        models=len(models),
        channels=tuple(names[: len(middle)]),
        quantiles=tuple(column(row) for row in middle),
    )
