"""How many updates TF1's Adam has made is read off its powers of beta; where both have
underflowed it is said by name."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = [pytest.mark.workloads("linear"), pytest.mark.backends("tf1")]
#: EHR-M-GAN's hyper-parameters: those of `tiny` and `small`, which float32 holds exactly, and the
#: original's.
BETAS = {
    "dyadic": {"beta1": 0.875, "beta2": 1.0 - 2.0**-10},
    "original": {"beta1": 0.9, "beta2": 0.999},
}
TINY = np.finfo(np.float32).tiny
SATURATED, INFERRED = (
    "saturated: the powers of beta have underflowed",
    "inferred from the powers of beta",
)


def powers(betas, updates):
    """Return the powers after so many updates, multiplied up one by one in float32 with denormal
    numbers flushed to zero; and by name the number of updates after which a power was zero first,
    if it is."""
    found, ended = {}, {}
    for name, value in betas.items():
        beta = power = np.float32(value)
        for update in range(1, updates + 1):
            power = power * beta
            if power < TINY:
                power, ended[name] = np.float32(0.0), update
                break
        found[name] = power
    return found, ended


def inferred(betas, values):
    """Return what is read off these powers."""
    import tensorflow.compat.v1 as tf

    from backends.tf1.foreign import Counted, Typed
    from backends.tf1.optimizers import infer_step

    return infer_step(Counted("adam", betas, dict.fromkeys(betas, Typed(tf.float32))), values)


@pytest.mark.parametrize("betas", sorted(BETAS))
@pytest.mark.parametrize("updates", [1, 1000, 80000])
def test_the_number_of_updates_is_found(workload, betas, updates):
    """From both powers after one update; from beta2's alone after a thousand, when beta1's has
    long been zero."""
    values, ended = powers(BETAS[betas], updates)
    assert sorted(ended) == ([] if updates == 1 else ["beta1"])
    assert inferred(BETAS[betas], values) == (updates, INFERRED)


@pytest.mark.parametrize("betas", sorted(BETAS))
@pytest.mark.parametrize("updates", [100000, 120000])
def test_powers_that_have_underflowed_are_a_named_state(workload, betas, updates):
    """Both are zero, and stay it: the count is the smallest that it can be, and labelled so."""
    values, ended = powers(BETAS[betas], updates)
    assert sorted(ended) == ["beta1", "beta2"] and 80000 < ended["beta2"] < 100000
    assert inferred(BETAS[betas], values) == (ended["beta2"], SATURATED)


def test_beta1_underflows_after_some_830_updates(workload):
    """The last update at which both powers count, and the first at which one does: the number is
    found on either side."""
    betas = BETAS["original"]
    last = powers(betas, 1000)[1]["beta1"]
    assert 825 < last < 835
    for updates in (last - 1, last, last + 1):
        values, ended = powers(betas, updates)
        assert ("beta1" in ended) == (updates >= last)
        assert inferred(betas, values) == (updates, INFERRED)


def test_the_next_to_last_power_still_counts(workload):
    """One update before saturation the number is exact."""
    betas = BETAS["original"]
    last = powers(betas, 100000)[1]["beta2"]
    assert inferred(betas, powers(betas, last - 1)[0]) == (last - 1, INFERRED)


@pytest.mark.parametrize(("beta1", "beta2"), [(10, 11), (0, 10), (10, 0), (1000, 10)])
def test_powers_of_different_steps_are_refused(workload, beta1, beta2):
    """Also where one of them is zero (0 stands for that) though it cannot have underflowed yet,
    or could not so late."""
    betas = BETAS["original"]
    values = {
        name: powers(betas, count)[0][name] if count else np.float32(0.0)
        for name, count in (("beta1", beta1), ("beta2", beta2))
    }
    with pytest.raises(ValueError, match="different steps"):
        inferred(betas, values)
