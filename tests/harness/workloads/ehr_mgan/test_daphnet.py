"""`daphnet` is the recording that aeon ships, cut so that nothing held out is trained on."""

from __future__ import annotations

import importlib.util
import types

import numpy as np
import pytest

from harness.errors import UsageError
from harness.workloads.ehr_mgan import EhrMGan, daphnet
from harness.workloads.ehr_mgan.daphnet import AVERAGED, BLOCK, CHANNELS, HELD_OUT, HOURS, STRIDE

BLOCKS = 20
SAMPLES = BLOCKS * BLOCK * AVERAGED


def recording() -> np.ndarray:
    """As long as the real one: whole blocks at rest, others swinging four times a second; each
    sample's number is its lateral ankle."""
    generator = np.random.RandomState(0)
    time = np.arange(SAMPLES)
    found = generator.randint(-10, 11, (SAMPLES, len(CHANNELS) + 1))
    kind, sign = time // (BLOCK * AVERAGED) % 4, np.where(time % 16 < 8, 1, -1)
    found[:, CHANNELS.index("ankle_forward")] += sign * 400 * kind
    found[:, CHANNELS.index("thigh_vertical")] += sign * np.array([0, 150, 350, 450])[kind]
    found[:, CHANNELS.index("ankle_lateral")] = time
    found[:, -1] = 0
    return found


def first_samples(cohort) -> np.ndarray:
    """The number of the first sample of every window, from the channel that counts."""
    index = CHANNELS.index("ankle_lateral")
    steps = cohort.continuous[:, 0, index] * cohort.range[index] + cohort.minimum[index]
    return np.rint(steps - (AVERAGED - 1) / 2).astype(int)


def test_windows_are_scaled_means_of_four_samples():
    """[340, 24, 9] in [0, 1]; turned back, each is the mean of the samples that it stands for."""
    table = recording()
    cohort = daphnet.windows(table)
    per_block = (BLOCK - HOURS) // STRIDE + 1
    assert (BLOCKS * per_block, HOURS, 9) == cohort.continuous.shape == (340, 24, 9)
    assert 0.0 <= cohort.continuous.min() and cohort.continuous.max() <= 1.0
    values = cohort.continuous * cohort.range + cohort.minimum
    for row, first in enumerate(first_samples(cohort)):
        means = table[first : first + HOURS * AVERAGED, :9].reshape(HOURS, AVERAGED, 9).mean(axis=1)
        assert np.allclose(means, values[row], rtol=0, atol=1e-9)


def test_no_sample_is_both_trained_on_and_held_out():
    """The last tenth of the rows are the windows of two whole blocks, and no others lie in them."""
    cohort = daphnet.windows(recording())
    first = first_samples(cohort)
    covered = first[:, None] + np.arange(HOURS * AVERAGED)
    trained, held_out = covered[: cohort.training_rows], covered[cohort.training_rows :]
    assert not {*trained.ravel().tolist()} & {*held_out.ravel().tolist()}
    assert {*HELD_OUT} == {*(held_out // (BLOCK * AVERAGED)).ravel().tolist()}
    assert len({*first.tolist()}) == len(first)


def test_the_order_of_windows_tells_nothing_of_time():
    """Shuffled, the same way each time."""
    first = first_samples(daphnet.windows(recording()))
    assert abs(np.corrcoef(first[:306], np.arange(306))[0, 1]) < 0.15
    assert np.array_equal(first, first_samples(daphnet.windows(recording())))


def test_flags_and_classes_are_what_they_say():
    """At rest nobody walks or swings; the class follows the thigh's variation of 0, 150, 350 and
    450 mg."""
    cohort = daphnet.windows(recording())
    kind = first_samples(cohort) // (BLOCK * AVERAGED) % 4
    assert ("freeze", "walking", "swing") == cohort.interventions and {0.0, 1.0} == {
        *np.unique(cohort.discrete)
    }
    freeze, walking, swing = (cohort.discrete[..., index] for index in range(3))
    assert not freeze.any()
    assert np.array_equal(np.repeat(kind[:, None] > 0, HOURS, axis=1), walking.astype(bool))
    assert np.array_equal(np.repeat(kind[:, None] > 1, HOURS, axis=1), swing.astype(bool))
    assert np.array_equal(
        [0, 1, 2, 3], [np.unique(cohort.label[kind == number]).item() for number in range(4)]
    )


def test_a_freeze_that_was_flagged_is_kept():
    """A step is frozen if one of its samples is; this excerpt has none, a longer one might."""
    table = recording()
    table[2, -1] = 1
    cohort = daphnet.windows(table)
    row = first_samples(cohort).tolist().index(0)
    assert cohort.discrete[row, 0, 0] == 1.0 and cohort.discrete[..., 0].sum() == 1.0


def test_without_aeon_the_extra_is_named(monkeypatch):
    """And an aeon that dropped the file is told from one that is not there."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        UsageError,
        match=r"aeon, which is not installed\. Install it: pip install 'parity-harness\[daphnet\]'",
    ):
        daphnet.find()


def test_an_aeon_without_the_file_is_said_to_be_so(monkeypatch, tmp_path):
    """With the last release that has it."""
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: types.SimpleNamespace(submodule_search_locations=[str(tmp_path)]),
    )
    with pytest.raises(
        UsageError, match=r"has no datasets/data/Daphnet_S06R02E0/S06R02E0\.csv.*aeon<1\.7"
    ):
        daphnet.find()


def test_another_file_under_its_name_is_refused(monkeypatch, tmp_path):
    """By its checksum, before it is parsed; the known one is found without importing aeon."""
    place = tmp_path.joinpath(*daphnet.LOCATION)
    place.parent.mkdir(parents=True)
    place.write_text("timestamp,a\n1,2\n")
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: types.SimpleNamespace(submodule_search_locations=[str(tmp_path)]),
    )
    assert place == daphnet.find()
    with pytest.raises(UsageError, match="is not the recording known"):
        daphnet.read(place)


def test_the_recording_where_aeon_is_installed_and_the_error_where_it_is_not():
    """Facts of the file: 110 s at 64 samples per second, accelerations in mg with gravity on the
    vertical axes, no freeze."""
    daphnet.daphnet.cache_clear()
    if importlib.util.find_spec("aeon") is None:
        with pytest.raises(UsageError, match=r"parity-harness\[daphnet\]"):
            EhrMGan("daphnet").hyperparameters("tiny")
        return
    table = daphnet.read(daphnet.find())
    assert (SAMPLES, 10) == table.shape and not table[:, -1].any()
    assert [1140, 1005, 977] == np.rint(table[:, [1, 4, 7]].mean(axis=0)).astype(int).tolist()
    cohort = EhrMGan("daphnet").cohort("small")
    assert [71, 57, 140, 72] == np.bincount(cohort.label).tolist()
    assert [17, 7, 6, 4] == np.bincount(cohort.label[cohort.training_rows :]).tolist()
    assert np.allclose([0.0, 0.768, 0.160], cohort.discrete.mean(axis=(0, 1)), atol=1e-3)
    assert "e92bc3cef7cf1cff2ccbea429ee5740afed119ff36db1a7d602cfe8918bc7d37" == cohort.digest
    assert 32 == EhrMGan("daphnet").hyperparameters("small")["batch"]
    with pytest.raises(UsageError, match=r"has 340 rows; .* 2560\. Choose --preset tiny or small"):
        EhrMGan("daphnet").hyperparameters("paper")
