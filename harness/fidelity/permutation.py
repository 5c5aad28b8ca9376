"""Two-sample tests on generated rows, with the labels of whole seeds permuted: rows of one model
are not independent.

The distance between two seeds is that between their models' distributions, and for the energy
distance and for MMD a squared distance in a Hilbert space (Sejdinovic et al. 2013): the seeds of a
build are points there, with a mean and a spread, and the distance of the two means is measured in
spreads of the original, as everywhere in this stage (PERMANOVA, Anderson 2001).
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np
import scipy
from numpy.typing import NDArray

from harness.fidelity.kernel import similarity, squared_distances

Values = NDArray[np.float64]

#: All ways to label the seeds up to this many (9 seeds a build have 48,620), a random choice of
#: them beyond.
MOST_LABELLINGS = 20_000
#: Of each seed at most so many rows: distances grow with their square. With 8 seeds a build that is
#: 10,000 rows in all.
MOST_ROWS = 625
#: A classifier that puts three of four pairs of rows in order tells the builds apart by more than
#: chance and habit.
CLASSIFIER_MARGIN = 0.75
RIDGE = 1.0
GRID = 200


@dataclasses.dataclass(frozen=True)
class SampleTest:
    """One test: how far apart the builds are in the test's own unit, beyond what that is large, and
    the p-value of no difference."""

    name: str
    effect: float
    margin: float
    p: float


def labellings(seeds_a: int, seeds_b: int) -> Values:
    """Return [L, seeds] of 1 (b) and 0 (a), the true labels first: all of them, or
    `MOST_LABELLINGS` drawn with a fixed seed."""
    total = seeds_a + seeds_b
    true = (np.arange(total) >= seeds_a).astype(np.float64)
    if math.comb(total, seeds_b) <= MOST_LABELLINGS:
        labels = np.zeros((math.comb(total, seeds_b), total))
        for row, chosen in enumerate(itertools.combinations(range(total), seeds_b)):
            labels[row, list(chosen)] = 1.0
        return labels[np.lexsort(np.any(labels != true, axis=1)[None])]
    generator = np.random.RandomState(0)
    return np.concatenate(
        [true[None], [generator.permutation(true) for _ in range(MOST_LABELLINGS - 1)]]
    )


def two_sample(
    a: Sequence[Values], b: Sequence[Values], channels: Sequence[str], margin: float
) -> list[SampleTest]:
    """Return the tests on the rows [N, T, F] of each seed: energy distance, MMD, KS of each
    channel, a classifier.

    Args:
        a, b: one array a seed. channels: names of the F channels. margin: in spreads of the
            original.
    """
    rows = [value[:MOST_ROWS] for value in (*a, *b)]
    # Of both sides: a scale of the original's own would not be exchangeable, and builds that are
    # equal would differ too often.
    pooled = np.concatenate(rows).reshape(-1, len(channels))
    deviation = pooled.std(axis=0)
    centre, scale = pooled.mean(axis=0), np.where(deviation > 0.0, deviation, 1.0)
    scaled = [(value - centre) / scale for value in rows]
    labels = labellings(len(a), len(b))
    flat = [value.reshape(len(value), -1) for value in scaled]
    energy, mmd = distances(flat)
    tests = [
        _spread_test("energy distance", energy, labels, margin),
        _spread_test("MMD", mmd, labels, margin),
    ]
    for index, channel in enumerate(channels):
        values = [value[:, :, index].ravel() for value in scaled]
        tests.append(_ks(f"{channel}, KS", values, labels))
    return [*tests, _classifier([row_features(value) for value in scaled], labels)]


def distances(rows: Sequence[Values]) -> tuple[Values, Values]:
    """Return the squared energy distance and MMD (V-statistics) between the rows [N, K] of every
    two seeds."""
    total = len(rows)
    apart, kernel = np.empty((2, total, total))
    for i in range(total):
        for j in range(i, total):
            square = squared_distances(rows[i], rows[j])
            apart[i, j] = apart[j, i] = np.mean(np.sqrt(square))
            kernel[i, j] = kernel[j, i] = similarity(square) / square.size
    own_apart, own_kernel = np.diag(apart), np.diag(kernel)
    return (
        2.0 * apart - own_apart[:, None] - own_apart,
        own_kernel[:, None] + own_kernel - 2.0 * kernel,
    )


def _spread_test(name: str, square: Values, labels: Values, margin: float) -> SampleTest:
    """Test by the distance of the two builds' means; its effect is that distance, less what seeds
    alone give, in spreads of a."""
    seeds_b = labels[0].sum()
    seeds_a = len(labels[0]) - seeds_b
    weights = labels / seeds_b - (1.0 - labels) / seeds_a
    statistic = -0.5 * np.einsum("ij,jk,ik->i", weights, square, weights, optimize=True)
    variances = [
        square[np.ix_(chosen, chosen)].sum() / (2.0 * chosen.sum() * (chosen.sum() - 1))
        for chosen in (labels[0] == 0, labels[0] == 1)
    ]
    excess = max(0.0, statistic[0] - variances[0] / seeds_a - variances[1] / seeds_b)
    if variances[0] > 0.0:
        effect = math.sqrt(excess / variances[0])
    else:
        effect = math.inf if excess > 0.0 else 0.0
    return SampleTest(name, effect, margin, _p(statistic))


def _p(statistic: Values) -> float:
    """Return the share of labellings that part the seeds at least as far as the true one, which is
    among them."""
    return float(np.mean(statistic >= statistic[0] - 1e-12 * np.max(np.abs(statistic))))


def _ks(name: str, values: Sequence[Values], labels: Values) -> SampleTest:
    """Test by the largest gap of the mean distribution functions; large is what two seeds of the
    original never have."""
    grid = np.quantile(np.concatenate(values), np.linspace(0.0, 1.0, GRID))
    steps = np.array(
        [np.searchsorted(np.sort(value), grid, side="right") / len(value) for value in values]
    )
    seeds_b = labels[0].sum()
    weights = labels / seeds_b - (1.0 - labels) / (len(labels[0]) - seeds_b)
    # Rounded: equal shares are equal whatever their order of summation.
    statistic = np.round(np.max(np.abs(weights @ steps), axis=1), 12)
    pairs = itertools.combinations(steps[labels[0] == 0], 2)
    largest = max(float(np.max(np.abs(left - right))) for left, right in pairs)
    return SampleTest(name, float(statistic[0]), largest, _p(statistic))


def row_features(rows: Values) -> Values:
    """Return [N, K] of rows [N, T, F]: of each channel the mean, the size, the extremes and the
    change from step to step, of each two channels their product."""
    parts = [rows.mean(axis=1), np.mean(rows**2, axis=1), rows.min(axis=1), rows.max(axis=1)]
    if rows.shape[1] > 1:
        parts.append(np.mean(np.diff(rows, axis=1) ** 2, axis=1))
    products = np.einsum("ntf,ntg->nfg", rows, rows) / rows.shape[1]
    above, beside = np.triu_indices(rows.shape[2], 1)
    return np.concatenate([*parts, products[:, above, beside]], axis=1)


def _classifier(rows: Sequence[Values], labels: Values) -> SampleTest:
    """Test by a ridge discriminant that is asked about a seed which it has not seen, each in turn;
    the effect is its AUC.

    Its answers are linear in the labels, so that one solution a seed serves all labellings.
    """
    everything = np.concatenate(rows)
    deviation = everything.std(axis=0)
    scaled = [
        (value - everything.mean(axis=0)) / np.where(deviation > 0.0, deviation, 1.0)
        for value in rows
    ]
    total = len(rows)
    shares = [np.zeros((len(value), total)) for value in scaled]
    for left in range(total):
        others = [index for index in range(total) if index != left]
        train = np.concatenate([scaled[index] for index in others])
        centre = train.mean(axis=0)
        ridge = RIDGE * len(train) / 100.0 * np.eye(train.shape[1])
        gram = (train - centre).T @ (train - centre) + ridge
        weight = np.linalg.solve(gram, (scaled[left] - centre).T).T
        for index in others:
            shares[left][:, index] = weight @ (scaled[index] - centre).sum(axis=0)
    mean_share = np.array([share.mean(axis=0) for share in shares])
    signs = 2.0 * labels - 1.0
    rest = (signs.sum(axis=1, keepdims=True) - signs) / (total - 1)
    statistic = np.einsum("li,ij,lj->l", signs, mean_share, signs, optimize=True)
    statistic -= np.einsum("li,li,i->l", signs, rest, mean_share.sum(axis=1), optimize=True)
    scores = [share @ (signs[0] - rest[0, index]) for index, share in enumerate(shares)]
    true = np.concatenate(
        [np.full(len(score), labels[0, index]) for index, score in enumerate(scores)]
    )
    ranks = scipy.stats.rankdata(np.concatenate(scores))
    positive = true.sum()
    pairs = positive * (len(true) - positive)
    area = (ranks[true == 1.0].sum() - positive * (positive + 1.0) / 2.0) / pairs
    return SampleTest("classifier", float(area), CLASSIFIER_MARGIN, _p(statistic))
