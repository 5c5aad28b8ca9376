"""Where a series of nights changed its level: a step detector that knows how much a night varies by
itself.

One value a night, with the standard error of its rounds. What varies from night to night beside the
rounds (which other machines share the host, how memory was laid out) is estimated from the series
itself, by the median of the differences of neighbours, so that steps and spikes do not inflate it.

From the inside out:

1. *Spikes.* A night that lies far from the median of the five around it is drawn in to four
   standard deviations of the nights (Hampel's filter): what does not last for three nights is no
   step, and must not hide one. It is part of the statistic, and every order of 3. is filtered by
   itself: spikes that chance puts side by side in some orders are left there as well.
2. *Statistic.* The difference of two weighted means over its error, for each place that leaves at
   least `MIN_NIGHTS` on both sides, in the whole series and in windows of half its length, a
   quarter, ... (seeded binary segmentation, Kovács et al. 2023), since a level that came and went
   hardly moves the means of a whole series. The largest of all counts. Weights are 1 / (night to
   night variance + the night's own squared error).
3. *Null.* The nights in another order, each with its own weight, drawn some thousand times, give
   the law of that largest value whatever the law of the noise is. A threshold for one night has no
   such thing.
4. *Material.* A step below the margin of 3 % is not looked for, so that most series need no
   permutations at all. A step is material when its whole 99 % interval lies outside the margin:
   pooled variance of the nights on both sides, Student's t.
5. *More than one.* Both sides of a step are searched again, at the same error rate; they are
reached only if there was a step.
6. *Drift.* Where a straight line fits the nights on both sides better than the step does, the
   change is called a drift: its place means nothing. Nights that resemble their neighbours are not
   exchangeable, and the null of 3. is then too narrow; docs/changes.md says by how much.

The generator that draws the orders starts from a constant: the same series gives the same steps.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence

import numpy as np
import scipy
from numpy.typing import NDArray

from harness.speed.estimate import ALPHA
from harness.speed.verdict import MARGIN

Array = NDArray[np.float64]

#: On both sides of a step. A machine that was busy for one night or two is no step.
MIN_NIGHTS = 3
#: At least; and so many for each share of the error rate that a p-value below it can be seen.
PERMUTATIONS, PER_ALPHA = 1999, 10.0
#: Orders that are drawn first, then as many again and again; numbers in memory at a time.
FIRST, CHUNK = 64, 200_000
SEED = 20
#: Nights on each side of one whose median it is held against, and how far it may lie from it, in
#: standard deviations.
AROUND, SPIKE = 2, 4.0
#: A median of absolute deviations, of normal noise, in standard deviations.
NORMAL_MEDIAN = 0.6744897501960817
#: Efficiency of the median of absolute differences of neighbours against the standard deviation,
#: normal noise.
EFFICIENCY = 0.37
TINY = 1e-9


@dataclasses.dataclass(frozen=True)
class LevelStep:
    """One change of level.

    Attributes:
        place: index of the first night after it.
        before, after: levels on its two sides, log ratios.
        low, high: 99 % interval of after - before.
        p: of the permutation test.
        drift: a line fits better than a step.
    """

    place: int
    before: float
    after: float
    low: float
    high: float
    p: float
    material: bool
    drift: bool

    @property
    def change(self) -> float:
        """After minus before, in the logarithm."""
        return self.after - self.before


def night_noise(values: Sequence[float], errors: Sequence[float]) -> tuple[float, float] | None:
    """Return how much nights vary beside their rounds, as a standard deviation, and the degrees of
    freedom of that estimate; None where there are too few nights to tell."""
    x, s = np.asarray(values, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if len(x) < 2 * MIN_NIGHTS:
        return None
    whole = float(np.median(np.abs(np.diff(x)))) / (NORMAL_MEDIAN * math.sqrt(2.0))
    rest = whole**2 - float(np.median(s**2))
    return math.sqrt(max(rest, 0.0)), max(1.0, EFFICIENCY * (len(x) - 1))


def steps(
    values: Sequence[float], errors: Sequence[float], alpha: float = ALPHA, margin: float = MARGIN
) -> tuple[LevelStep, ...]:
    """Return the steps of a series, in order.

    Args:
        values: log ratios, a night each, oldest first. Nights whose value or error is not finite
            are to be left out before.
        errors: their standard errors.
        alpha: the chance to find any step in a series that has none.
        margin: a relative change below which no step is looked for.
    """
    x, s = np.asarray(values, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    weights = _weights(x, s)
    least = math.log1p(margin)
    p_values: dict[int, float] = {}
    pending = [(0, len(x))]
    while pending:
        start, end = pending.pop()
        place, p = _search(x[start:end], weights[start:end], alpha, least)
        if place:
            p_values[start + place] = p
            pending += [(start, start + place), (start + place, end)]
    edges, x = [0, *sorted(p_values), len(x)], _clipped(x)
    candidates = [
        _step(x, weights, edges[number : number + 3], p_values[edges[number + 1]], least)
        for number in range(len(edges) - 2)
    ]
    return tuple(step for step in candidates if abs(step.change) >= least)


def _clipped(x: Array) -> Array:
    """Return series, along the last axis, without spikes: see 1. of the module's docstring."""
    if x.shape[-1] < 2 * MIN_NIGHTS:
        return x
    deviation = np.median(np.abs(np.diff(x, axis=-1)), axis=-1, keepdims=True) / (
        NORMAL_MEDIAN * math.sqrt(2.0)
    )
    around = np.empty_like(x)
    windows = np.lib.stride_tricks.sliding_window_view(x, 2 * AROUND + 1, axis=-1)
    around[..., AROUND:-AROUND] = np.median(windows, axis=-1)
    for place in (*range(AROUND), *range(x.shape[-1] - AROUND, x.shape[-1])):
        around[..., place] = np.median(x[..., max(0, place - AROUND) : place + AROUND + 1], axis=-1)
    return np.asarray(
        np.clip(x, around - SPIKE * deviation, around + SPIKE * deviation), dtype=np.float64
    )


def _weights(x: Array, s: Array) -> Array:
    """Return a weight a night. The variance beside the rounds' is taken so that it does not depend
    on the nights' order, as 2. needs."""
    if not len(x):
        return x
    whole = float(np.median(np.abs(x - np.median(x)))) / NORMAL_MEDIAN
    beside = max(whole**2 - float(np.median(s**2)), 0.0)
    return np.asarray(1.0 / (beside + s**2 + TINY**2), dtype=np.float64)


@functools.lru_cache(maxsize=64)
def _splits(nights: int) -> NDArray[np.int64]:
    """Return start, place and end of every split that is looked at, a row each."""
    splits, length = [], nights
    while length >= 2 * MIN_NIGHTS:
        starts = {*range(0, nights - length + 1, max(1, length // 2)), nights - length}
        splits += [
            (start, place, start + length)
            for start in sorted(starts)
            for place in range(start + MIN_NIGHTS, start + length - MIN_NIGHTS + 1)
        ]
        length //= 2
    return np.ascontiguousarray(np.transpose(np.asarray(splits, dtype=np.int64)))


def _statistic(x: Array, w: Array) -> Array:
    """Return |difference of means| / error of each split of series along the last axis, without
    spikes."""
    x = _clipped(x)
    start, place, end = _splits(x.shape[-1])
    zero = np.zeros((*x.shape[:-1], 1))
    weight = np.concatenate([zero, np.cumsum(w, -1)], -1)
    total = np.concatenate([zero, np.cumsum(w * x, -1)], -1)
    left_w, right_w = weight[..., place] - weight[..., start], weight[..., end] - weight[..., place]
    left = (total[..., place] - total[..., start]) / left_w
    right = (total[..., end] - total[..., place]) / right_w
    statistic = np.abs(left - right) * np.sqrt(left_w * right_w / (left_w + right_w))
    return np.asarray(statistic, dtype=np.float64)


def _search(x: Array, w: Array, alpha: float, least: float) -> tuple[int, float]:
    """Return the place of the largest statistic and its p-value; (0, 1) where it is no step."""
    if len(x) < 2 * MIN_NIGHTS or float(np.ptp(x)) < least:
        return 0, 1.0
    statistics, clipped = _statistic(x, w), _clipped(x)
    best = int(np.argmax(statistics))
    start, place, end = (int(edge) for edge in _splits(len(x))[:, best])
    left, right = slice(start, place), slice(place, end)
    before = np.average(clipped[left], weights=w[left])
    change = np.average(clipped[right], weights=w[right]) - before
    sign = 1.0 if change > 0.0 else -1.0
    # Nor does a step hang on one night: what is left of a spike may carry the mean of three.
    rest = np.sort(sign * clipped[right])[:-1].mean() - np.sort(sign * clipped[left])[1:].mean()
    if min(sign * change, rest) < least:
        return 0, 1.0
    p = _permutation_p(x, w, alpha, statistics[best], len(statistics))
    return (place, p) if p <= alpha else (0, p)


def _permutation_p(x: Array, w: Array, alpha: float, largest: float, splits: int) -> float:
    """Return the p-value of the largest statistic: how many other orders of the nights reach it."""
    draw = np.random.RandomState(SEED)
    count, tried, reached = max(PERMUTATIONS, math.ceil(PER_ALPHA / alpha)), 0, 0
    # Once p cannot become small enough any more, whatever comes, no more orders are drawn.
    while tried < count and (1 + reached) / (count + 1) <= alpha:
        # Few at first: most series have no step, and are seen to have none soon.
        some = min(count - tried, max(FIRST, tried), max(1, CHUNK // splits))
        orders = np.argsort(draw.random_sample((some, len(x))), axis=-1)
        statistics = _statistic(x[orders], w[orders]).max(-1)
        reached += int((statistics >= largest * (1.0 - TINY)).sum())
        tried += some
    return (1 + reached) / (count + 1)


def _step(x: Array, w: Array, edges: Sequence[int], p: float, least: float) -> LevelStep:
    """Return a step with its interval, by the nights between the steps beside it."""
    start, place, end = edges
    sides = [(x[start:place], w[start:place]), (x[place:end], w[place:end])]
    before, after = (float(np.average(values, weights=weights)) for values, weights in sides)
    rest = sum(
        float((part_w * (part - np.average(part, weights=part_w)) ** 2).sum())
        for part, part_w in sides
    )
    degrees_of_freedom = end - start - 2
    inverse_weights = math.fsum(1.0 / float(weights.sum()) for _, weights in sides)
    error = math.sqrt(rest / degrees_of_freedom * inverse_weights)
    half = float(scipy.special.stdtrit(degrees_of_freedom, 1.0 - ALPHA / 2.0)) * error
    change = after - before
    return LevelStep(
        place=place,
        before=before,
        after=after,
        low=change - half,
        high=change + half,
        p=p,
        material=abs(change) - half > least,
        drift=_line(x[start:end], w[start:end]) < rest,
    )


def _line(x: Array, w: Array) -> float:
    """Return the weighted sum of squares that a straight line leaves."""
    nights = np.arange(len(x), dtype=np.float64)
    middle, level = np.average(nights, weights=w), np.average(x, weights=w)
    slope = float((w * (nights - middle) * (x - level)).sum() / (w * (nights - middle) ** 2).sum())
    return float((w * (x - level - slope * (nights - middle)) ** 2).sum())
