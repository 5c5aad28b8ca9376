"""Every metric of several models, with its interval and its baseline."""

from __future__ import annotations

import numpy as np
import pytest

from harness.quality.table import BETTER, interval, tabulate
from harness.workloads import registry

WORKLOAD = registry.get("ehr_mgan")
REAL = WORKLOAD.held_out(WORKLOAD.config("tiny"))


def models(noise, count=3):
    generator = np.random.RandomState(1)
    found = []
    scale = noise * REAL.range
    scale[-REAL.discrete :] = 0.0
    for _ in range(count):
        rows = REAL.training[generator.permutation(len(REAL.training))[:100]]
        found.append(rows + scale * generator.normal(size=rows.shape))
    return found


def test_a_model_as_good_as_the_data_scores_as_its_baseline_and_a_noisy_one_worse():
    """The baseline is what real rows get, not 0."""
    good, bad = (
        {line.metric: line for line in tabulate(models(noise), REAL)} for noise in (0.0, 0.4)
    )
    assert tuple(BETTER) == tuple(good)
    for name, better in BETTER.items():
        line = good[name]
        assert line.seeds == 3 and line.low <= line.mean <= line.high and line.reason == ""
        assert line.mean == pytest.approx(line.baseline, abs=0.15), name
        if better != "0.5" and not name.startswith("probability"):
            assert (bad[name].mean - line.mean) * (1 if better == "lower" else -1) > 0.0, name
    assert repr(tabulate(models(0.0), REAL)) == repr(list(good.values()))


def test_what_is_not_finite_has_no_number_and_a_reason():
    """One seed of three."""
    rows = models(0.0)
    rows[1][0, 0, 0] = np.nan
    for line in tabulate(rows, REAL):
        assert line.seeds == 2 and "1 of 3 seeds have no number: 1 of" in line.reason
    lost = tabulate([np.full_like(rows[0], np.inf)], REAL)
    assert all(
        (line.mean, line.low, line.seeds) == (None, None, 0) and line.baseline is not None
        for line in lost
    )
    assert "generated rows are [3, 7]" in tabulate([rows[0][:, :3]], REAL)[0].reason


def test_a_model_that_never_switches_anything_on_is_not_scored_as_perfect():
    """Its interventions go along with nothing, and teach nothing."""
    rows = models(0.0, 2)
    for one in rows:
        one[:, :, -REAL.discrete :] = 0.0
    found = {line.metric: line for line in tabulate(rows, REAL)}
    assert found["probability correlation"].mean is None and found["probability correlation"].reason
    assert found["correlation difference"].mean > 2.0 * found["correlation difference"].baseline
    assert found["correlation agreement"].mean < found["correlation agreement"].baseline
    assert found["TSTR AUROC"].mean == 0.5
    assert found["probability RMSE"].mean > found["probability RMSE"].baseline


def test_the_interval_is_students():
    """Of 1, 2 and 3: 2 and 4.303 standard errors."""
    mean, low, high = interval([1.0, 2.0, 3.0])
    assert (mean, high - mean, mean - low) == (
        2.0,
        pytest.approx(4.3027 / np.sqrt(3), rel=1e-4),
        pytest.approx(high - mean),
    )
    assert (interval([1.0]), interval([])) == ((1.0, None, None), (None, None, None))
