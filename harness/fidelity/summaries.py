"""What one independently trained model left, in numbers that can be compared over seeds.

Each quantity is one number a seed: of a loss term the mean over the first and over the last fifth
of its steps in the last segment of training, and how much it jumps from step to step; of a phase's
total the weights of the terms in it; of each channel of the generated series the mean, the standard
deviation, the autocorrelation from one step to the next (for a channel of zeros and ones the mean
is its probability) and how much rows differ from each other; of each pair of channels the
correlation.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

TOTAL = "total"
SHARE = 5  # the first and the last fifth of a loss curve
#: Differences that mean nothing, whatever the spread between seeds: of a loss relative to itself,
#: of a mean and a deviation in standard deviations of the original's channel, of probabilities and
#: correlations as they are.
NEGLIGIBLE_LOSS, NEGLIGIBLE_SAMPLE = 1e-3, 1e-2
#: Of the logarithm of a curve's jumps, and of the weight of a term relative to itself.
NEGLIGIBLE_JUMPS, NEGLIGIBLE_WEIGHT = 1e-2, 1e-2
#: Of the logit of a share of variance: 0.01 of one half. Shares closer to 0 or 1 than the floor are
#: taken for that.
NEGLIGIBLE_LOGIT, FLOOR = 0.04, 1e-9
#: What float32 leaves of a sum: a fit whose columns are more alike than that has no weights to
#: find.
COLLINEAR = 1e-5
#: With more channels than this, correlations are looked at between neighbours only.
MOST_CHANNELS = 16


@dataclasses.dataclass(frozen=True)
class Draw:
    """What one seed of one build left.

    Attributes:
        losses: each term of the last segment, its values at the steps that ran it, in order.
        samples: [N, T, F], what the trained model generates; None where it is missing.
    """

    losses: Mapping[str, Values]
    samples: Values | None

    @property
    def diverged(self) -> bool:
        """Whether a loss or a sample is not finite."""
        losses = any(not np.all(np.isfinite(value)) for value in self.losses.values())
        return losses or (self.samples is not None and not np.all(np.isfinite(self.samples)))


@dataclasses.dataclass(frozen=True)
class Quantity:
    """One number a seed on each build; `negligible` is in its unit. A number can be NaN where it is
    not defined."""

    name: str
    a: Values
    b: Values
    negligible: float


def sample_rows(draws: Sequence[Draw]) -> list[Values]:
    """Return the generated rows of every draw that has any."""
    return [draw.samples for draw in draws if draw.samples is not None]


def series(samples: NDArray[np.generic]) -> Values:
    """Return generated rows as [N, T, F]: without steps T is 1, and further axes are channels."""
    values = np.asarray(samples, np.float64)
    if values.ndim <= 2:
        return values.reshape(len(values), 1, -1)
    return values.reshape(len(values), values.shape[1], -1)


def quantities(a: Sequence[Draw], b: Sequence[Draw], channels: Sequence[str]) -> Iterator[Quantity]:
    """Yield every quantity of two builds' draws, which have the same terms and samples of the same
    shape."""
    for term in a[0].losses:
        curves_a = [draw.losses[term] for draw in a]
        curves_b = [draw.losses[term] for draw in b]
        for name, level in (("first fifth", _first_fifth), ("last fifth", _last_fifth)):
            levels_a, levels_b = _per_seed(level, curves_a), _per_seed(level, curves_b)
            negligible = NEGLIGIBLE_LOSS * abs(float(np.mean(levels_a)))
            yield Quantity(f"{term}, {name}", levels_a, levels_b, negligible)
        jumps_a, jumps_b = _per_seed(_jumps, curves_a), _per_seed(_jumps, curves_b)
        yield Quantity(f"{term}, jumps", jumps_a, jumps_b, NEGLIGIBLE_JUMPS)
    yield from _weights(a, b)
    yield from _samples(a, b, channels)


def _per_seed(summary: Callable[[Values], float], curves: Sequence[Values]) -> Values:
    return np.array([summary(curve) for curve in curves])


def _first_fifth(values: Values) -> float:
    """Return the mean of the first fifth of a curve, at least one step."""
    return float(np.mean(values[: _fifth(values)]))


def _last_fifth(values: Values) -> float:
    """Return the mean of the last fifth of a curve, at least one step."""
    return float(np.mean(values[-_fifth(values) :]))


def _fifth(values: Values) -> int:
    return max(1, len(values) // SHARE)


def _jumps(values: Values) -> float:
    """Return the logarithm of the root mean square of a curve's changes from step to step; NaN if
    it does not change.

    The level of a curve varies from seed to seed, what its noise does to it within one training
    hardly does.
    """
    changes = np.diff(values)
    scale = float(np.sqrt(np.mean(np.square(changes)))) if len(changes) else 0.0
    return math.log(scale) if scale > 1e-9 * float(np.max(np.abs(values))) else math.nan


def _weights(a: Sequence[Draw], b: Sequence[Draw]) -> Iterator[Quantity]:
    """Yield the weight of each term in its phase's total: the least-squares fit over the steps of
    one training, term by term."""
    phases: dict[str, list[str]] = {}
    for name in a[0].losses:
        phases.setdefault(name.rpartition("/")[0], []).append(name)
    for phase, names in phases.items():
        total = f"{phase}/{TOTAL}"
        terms = [name for name in names if name != total]
        if total not in names or len(terms) < 2:
            continue
        fits_a = np.array([_fit(draw, terms, total) for draw in a])
        fits_b = np.array([_fit(draw, terms, total) for draw in b])
        for index, name in enumerate(terms):
            negligible = NEGLIGIBLE_WEIGHT * abs(float(np.mean(fits_a[:, index])))
            yield Quantity(
                f"{total}, weight of {name.rpartition('/')[2]}",
                fits_a[:, index],
                fits_b[:, index],
                negligible,
            )


def _fit(draw: Draw, names: Sequence[str], total: str) -> Values:
    """Return the weights of the named terms that make up a total; NaN where the steps do not
    tell."""
    columns = np.stack([draw.losses[name] for name in names], axis=1)
    sizes = np.linalg.norm(columns, axis=0)
    if len(draw.losses[total]) < 2 * len(names) or not np.all(sizes > 0.0):
        return np.full(len(names), np.nan)
    scaled, _, rank, _ = np.linalg.lstsq(columns / sizes, draw.losses[total], rcond=COLLINEAR)
    weights: Values = scaled / sizes
    return weights if rank == len(names) else np.full(len(names), np.nan)


def _samples(a: Sequence[Draw], b: Sequence[Draw], channels: Sequence[str]) -> Iterator[Quantity]:
    rows_a, rows_b = sample_rows(a), sample_rows(b)
    pooled = np.concatenate(rows_a)
    tables_a, tables_b = [_describe(rows) for rows in rows_a], [_describe(rows) for rows in rows_b]
    for index, channel in enumerate(channels):
        deviation = float(np.std(pooled[:, :, index]))
        binary = all(_is_binary(rows[:, :, index]) for rows in (*rows_a, *rows_b))
        negligible = NEGLIGIBLE_SAMPLE if binary else NEGLIGIBLE_SAMPLE * deviation
        shown = [("mean", "mean", negligible), ("deviation", "deviation", negligible)]
        if binary:
            shown = [("probability", "mean", negligible)]
        if pooled.shape[1] > 1:
            shown += [
                ("autocorrelation", "lag", NEGLIGIBLE_SAMPLE),
                ("share between rows", "rows", NEGLIGIBLE_LOGIT),
            ]
        for word, key, least in shown:
            values_a, values_b = _entries(tables_a, key, index), _entries(tables_b, key, index)
            yield Quantity(f"{channel}, {word}", values_a, values_b, least)
    for pair in itertools.combinations(range(len(channels)), 2):
        if len(channels) <= MOST_CHANNELS or pair[1] == pair[0] + 1:
            yield Quantity(
                f"{channels[pair[0]]} and {channels[pair[1]]}, correlation",
                _entries(tables_a, "correlation", pair),
                _entries(tables_b, "correlation", pair),
                NEGLIGIBLE_SAMPLE,
            )


def _is_binary(values: Values) -> bool:
    return bool(np.all((values == 0.0) | (values == 1.0)))


def _entries(
    tables: Sequence[Mapping[str, Values]], key: str, index: int | tuple[int, int]
) -> Values:
    """Return one entry of a summary, a number a seed."""
    return np.array([table[key][index] for table in tables])


def _describe(values: Values) -> dict[str, Values]:
    """Return the summaries of one model's rows [N, T, F]; what is not defined (a constant channel
    has no correlation) is NaN."""
    flat = values.reshape(-1, values.shape[2])
    mean, deviation = flat.mean(axis=0), flat.std(axis=0)
    varies = deviation > 1e-12 * np.maximum(1.0, np.abs(mean))
    scaled = np.where(varies, (values - mean) / np.where(varies, deviation, 1.0), np.nan)
    lag = (
        np.mean(scaled[:, :-1] * scaled[:, 1:], axis=(0, 1))
        if values.shape[1] > 1
        else np.full(len(mean), np.nan)
    )
    long = scaled.reshape(-1, values.shape[2])
    # Of the variance, what is between rows at the same step: none is left if every row is the same
    # series.
    rows = np.clip(np.mean(np.var(scaled, axis=0), axis=0), FLOOR, 1.0 - FLOOR)
    rows = np.log(rows / (1.0 - rows))  # a share is crowded at its ends, its logit is not
    return {
        "mean": mean,
        "deviation": deviation,
        "lag": lag,
        "rows": rows,
        "correlation": long.T @ long / len(long),
    }
