"""Distances between real and generated rows, [N, T, F] each, in the units that `generate` gives.

A metric that is not defined says why instead of giving a number: `MeasuredMetric` holds one or the
other.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from harness.fidelity.kernel import mean_similarity

Values = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class MeasuredMetric:
    """A number, or the reason why there is none."""

    value: float | None
    reason: str = ""


def mmd(real: Values, generated: Values) -> MeasuredMetric:
    """Return the maximum mean discrepancy: the square root of the biased estimate (V-statistic), as
    EHR-M-GAN's own evaluation.

    Kernel: sum over s in 1 2 4 8 16 of exp(-|x - y|^2 / (2 s^2)) on flattened rows, each channel
    scaled to [0, 1] by the caller (Gretton et al. 2012, equation 5; mixture of kernels as in
    Sutherland et al. 2017).
    """
    x, y = real.reshape(len(real), -1), generated.reshape(len(generated), -1)
    square = mean_similarity(x, x) + mean_similarity(y, y) - 2.0 * mean_similarity(x, y)
    return MeasuredMetric(math.sqrt(max(square, 0.0)))


def probability_correlation(real: Values, generated: Values) -> MeasuredMetric:
    """Return the Pearson correlation of real and generated means of each discrete channel at each
    hour."""
    of_real, of_generated = _probabilities(real), _probabilities(generated)
    if not of_real.size:
        return MeasuredMetric(None, "there is no discrete channel")
    for side, values in (("real", of_real), ("generated", of_generated)):
        if np.ptp(values) == 0.0:
            reason = f"every {side} probability is {values[0]:.3g}: there is nothing to correlate"
            return MeasuredMetric(None, reason)
    return MeasuredMetric(float(np.corrcoef(of_real, of_generated)[0, 1]))


def probability_error(real: Values, generated: Values) -> MeasuredMetric:
    """Return the root mean square difference of the same means."""
    of_real, of_generated = _probabilities(real), _probabilities(generated)
    if not of_real.size:
        return MeasuredMetric(None, "there is no discrete channel")
    return MeasuredMetric(float(np.sqrt(np.mean((of_real - of_generated) ** 2))))


def _probabilities(discrete: Values) -> Values:
    return np.asarray(discrete.mean(axis=0).ravel(), np.float64)


def correlation_error(real: Values, generated: Values) -> MeasuredMetric:
    """Return the mean absolute difference of the correlations of all pairs of channels, over all
    rows and hours."""
    pairs = _correlations(real, generated)
    if isinstance(pairs, MeasuredMetric):
        return pairs
    return MeasuredMetric(float(np.mean(np.abs(pairs[0] - pairs[1]))))


def correlation_agreement(real: Values, generated: Values) -> MeasuredMetric:
    """Return the Pearson correlation of the entries of the two correlation matrices."""
    pairs = _correlations(real, generated)
    if isinstance(pairs, MeasuredMetric):
        return pairs
    if len(pairs[0]) < 3 or min(np.ptp(pairs[0]), np.ptp(pairs[1])) == 0.0:
        return MeasuredMetric(None, "fewer than 3 pairs of channels, or all equally correlated")
    return MeasuredMetric(float(np.corrcoef(pairs[0], pairs[1])[0, 1]))


def _correlations(real: Values, generated: Values) -> tuple[Values, Values] | MeasuredMetric:
    """Return the entries above the diagonal of both matrices, of the channels that vary in the real
    rows.

    A channel that varies there and never in the generated rows goes along with none: its
    correlations count as 0, for left out it would make the model look better than it is.
    """
    varying = np.ptp(real, axis=(0, 1)) > 0.0
    if np.count_nonzero(varying) < 2:
        return MeasuredMetric(None, "fewer than two channels vary in the real rows: no pair")
    return _above_diagonal(real[:, :, varying]), _above_diagonal(generated[:, :, varying])


def _above_diagonal(rows: Values) -> Values:
    """Return the correlations of all pairs of channels; 0 for those of one that never changes."""
    channels = rows.shape[2]
    flat = rows.reshape(-1, channels)
    still = np.ptp(flat, axis=0) == 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix: Values = np.asarray(np.corrcoef(flat, rowvar=False))
    matrix[still] = matrix[:, still] = 0.0
    return matrix[np.triu_indices(channels, 1)]
