"""All metrics of one build's models: each over the seeds with its interval, beside what a perfect
model would get."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
import scipy

from harness.quality import classifiers, metrics
from harness.quality.metrics import MeasuredMetric, Values
from harness.workloads.spec import HeldOut

LEVEL = 0.95
#: The baseline is a mean over so many random choices of training rows.
BASELINE_DRAWS = 5
#: Metrics by name, and which way is better. `probability`: dimension-wise, of each discrete channel
#: at each hour; `correlation`: Pearson's, of each two channels; TSTR: train on synthetic, test on
#: real. `docs/distribution.md` has the formulas.
BETTER = {
    "MMD": "lower",
    "discriminative accuracy": "0.5",
    "discriminative score": "lower",
    "probability correlation": "higher",
    "probability RMSE": "lower",
    "correlation difference": "lower",
    "correlation agreement": "higher",
    "TSTR AUROC": "higher",
}


@dataclasses.dataclass(frozen=True)
class MetricLine:
    """One metric of one build.

    Attributes:
        mean, low, high: over the seeds that gave a number, with the 95 % interval of the mean
            (Student); None where there is none.
        seeds: how many gave a number. baseline: as many real training rows in place of generated
            ones.
        reason: why a number is missing, or how many seeds gave none.
    """

    metric: str
    better: str
    mean: float | None
    low: float | None
    high: float | None
    seeds: int
    baseline: float | None
    reason: str


def tabulate(generated: Sequence[Values], real: HeldOut) -> list[MetricLine]:
    """Return every metric of one build's models.

    Args:
        generated: rows [N, T, F] of each seed's model. real: in the same layout and units.
    """
    count = min([len(real.training), *(len(rows) for rows in generated)])
    measured = [measure(rows[:count], real) for rows in generated]
    chosen = _baseline_rows(len(real.training), count)
    baselines = [measure(real.training[rows], real) for rows in chosen]
    return [_line(name, measured, baselines) for name in BETTER]


def _baseline_rows(total: int, count: int) -> list[np.ndarray]:
    generator = np.random.RandomState(0)
    draws = BASELINE_DRAWS if count < total else 1
    return [generator.permutation(total)[:count] for _ in range(draws)]


def measure(generated: Values, real: HeldOut) -> dict[str, MeasuredMetric]:
    """Return every metric of one model's rows against the held-out ones."""
    if generated.shape[1:] != real.rows.shape[1:]:
        reason = (
            f"generated rows are {list(generated.shape[1:])}, real ones {list(real.rows.shape[1:])}"
        )
        return dict.fromkeys(BETTER, MeasuredMetric(None, reason))
    lost = int(np.sum(~np.isfinite(generated)))
    if lost:
        reason = f"{lost} of {generated.size} generated values are not finite"
        return dict.fromkeys(BETTER, MeasuredMetric(None, reason))
    if not len(real.rows) or not len(generated):
        return dict.fromkeys(BETTER, MeasuredMetric(None, "there are no rows to compare"))
    scale = np.where(real.range > 0.0, real.range, 1.0)
    held, made = ((rows - real.minimum) / scale for rows in (real.rows, generated))
    first_discrete = held.shape[2] - real.discrete
    discrete_held, discrete_made = held[:, :, first_discrete:], made[:, :, first_discrete:]
    accuracy = classifiers.accuracy(held, made)
    return {
        "MMD": metrics.mmd(held, made),
        "discriminative accuracy": accuracy,
        "discriminative score": _from_chance(accuracy),
        "probability correlation": metrics.probability_correlation(discrete_held, discrete_made),
        "probability RMSE": metrics.probability_error(discrete_held, discrete_made),
        "correlation difference": metrics.correlation_error(held, made),
        "correlation agreement": metrics.correlation_agreement(held, made),
        "TSTR AUROC": classifiers.transfer(made, held, real.discrete),
    }


def _from_chance(accuracy: MeasuredMetric) -> MeasuredMetric:
    """Return |accuracy - 0.5| (Yoon et al. 2019, TimeGAN): 0 where real and generated rows are
    alike."""
    return accuracy if accuracy.value is None else MeasuredMetric(abs(accuracy.value - 0.5))


def _line(
    name: str,
    measured: Sequence[Mapping[str, MeasuredMetric]],
    baselines: Sequence[Mapping[str, MeasuredMetric]],
) -> MetricLine:
    """Return one metric, of all metrics of each seed's model and of each baseline."""
    values = [value for seed in measured if (value := seed[name].value) is not None]
    mean, low, high = interval(values)
    known = [value for draw in baselines if (value := draw[name].value) is not None]
    missing = [seed[name].reason for seed in measured if seed[name].value is None]
    reason = ""
    if missing:
        reason = f"{len(missing)} of {len(measured)} seeds have no number: {missing[0]}"
    return MetricLine(
        metric=name,
        better=BETTER[name],
        mean=mean,
        low=low,
        high=high,
        seeds=len(values),
        baseline=float(np.mean(known)) if known else None,
        reason=reason,
    )


def interval(values: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """Return the mean and its 95 % interval over seeds (Student); one seed has no interval."""
    if not values:
        return None, None, None
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, None, None
    half = (
        float(scipy.stats.t.ppf(0.5 + LEVEL / 2.0, len(values) - 1))
        * float(np.std(values, ddof=1))
        / math.sqrt(len(values))
    )
    return mean, mean - half, mean + half
