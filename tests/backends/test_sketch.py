"""Sketches of large tensors: what they keep, what their distance proves, and recordings of them."""

from __future__ import annotations

import numpy as np
import pytest

from backends.recording import recorder as recording
from backends.recording import sketch

STAGES = ["weights", "forward", "gradients", "update"]


def values(size, dtype=np.float64, seed=0):
    return np.random.RandomState(seed).normal(size=size).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("size", [sketch.BLOCK, 40 * sketch.BLOCK, 40 * sketch.BLOCK + 3])
def test_one_value_that_is_off_shows_in_full(dtype, size):
    """Wherever it stands: times the bound, the distance of the sketches is its own."""
    whole = values(size, dtype)
    for index in (0, size // 2, size - 1):
        other = whole.copy()
        other[index] += dtype(0.5)
        apart = np.max(np.abs(sketch.sketch(other) - sketch.sketch(whole)))
        assert 0.5 == pytest.approx(sketch.BOUND * apart, rel=1e-5)


def test_no_distance_is_understated():
    """Of differences of many kinds: also those that most sums of their kind cancel."""
    rng, size = np.random.RandomState(1), 8 * sketch.BLOCK
    whole = values(size)
    pairs = np.zeros(size)
    pairs[::2], pairs[1::2] = 1.0, -1.0
    for apart in (np.ones(size), pairs, rng.normal(size=size), rng.choice([-1.0, 1.0], size)):
        seen = np.abs(sketch.sketch(whole + apart) - sketch.sketch(whole))
        assert np.max(np.abs(apart)) <= sketch.BOUND * np.max(seen)
        assert np.max(seen) <= sketch.BOUND * np.max(np.abs(apart))


def test_a_sketch_is_linear_and_small():
    """Of a tensor of any shape, with the order of its values."""
    a, b = values((60, 70)), values((60, 70), seed=1)
    both = sketch.sketch(a - 2.0 * b)
    assert both.shape == (-(-a.size // sketch.BLOCK), sketch.SUMS)
    np.testing.assert_allclose(sketch.sketch(a) - 2.0 * sketch.sketch(b), both, atol=1e-13)
    np.testing.assert_array_equal(sketch.sketch(a), sketch.sketch(np.asfortranarray(a)))


def test_what_has_no_sketch_is_kept_whole():
    """Whole numbers, complex ones, values that are not finite or nearly not, and small tensors."""
    whole = values(100)
    assert sketch.is_sketched(whole, 100) and not sketch.is_sketched(whole, 101)
    assert not sketch.is_sketched(whole, 0) and not sketch.is_sketched(whole.astype(int), 1)
    assert not sketch.is_sketched(whole.astype(complex), 1)
    for odd in (np.nan, np.inf, -np.inf, 1e308):
        assert not sketch.is_sketched(np.append(whole, odd), 1)


def test_the_content_of_weights_is_their_bits():
    """One last place is another content; a zero is a zero."""
    whole = values(1000)
    other = whole.copy()
    other[7] = np.nextafter(other[7], 2.0)
    assert sketch.content(whole) == sketch.content(whole.copy()) != sketch.content(other)
    assert sketch.content(np.zeros(3)) == sketch.content(-np.zeros(3))


@pytest.mark.workloads("cnn")
def test_a_recording_keeps_sketches_of_what_is_large(kit, tmp_path):
    """Its other tensors are the same; rows in another order are put back before they are
    sketched."""
    tape = dict(kit.tape, **{"weights/" + name: value for name, value in kit.weights.items()})
    variants = [
        {"kind": "reorder", "precision": "fp64", "seed": 1},
        {"kind": "ulp", "precision": "fp64", "seed": 1},
    ]
    made, arrays = {}, {}
    for least in (0, 64):
        folder = tmp_path / str(least)
        folder.mkdir()
        recorder = recording.Recorder(kit.port("fp64"), kit.config, kit.data, tape, str(folder))
        made[least] = recorder.record(STAGES, 2, variants, least)
        for stage in STAGES:
            with np.load(str(folder / (stage + ".npz")), allow_pickle=False) as archive:
                arrays.update({(least, stage, name): archive[name] for name in archive.files})
    kinds = set()
    for entry, ordinary in zip(made[64]["tensors"], made[0]["tensors"]):
        stage, name = entry["stage"], entry["name"]
        kept, whole = arrays[64, stage, name], arrays[0, stage, name]
        if not entry.get("sketched"):
            assert whole.size < 64 and entry == ordinary
            np.testing.assert_allclose(kept, whole, rtol=1e-9, atol=1e-15)
            continue
        kinds.add(stage)
        assert (ordinary["shape"], 64) == (entry["shape"], len(entry["content"]))
        np.testing.assert_allclose(kept, sketch.sketch(whole), rtol=1e-9, atol=1e-15)
        if stage != "weights":
            for kind in ("reorder", "ulp"):
                (moved,) = made[64]["noise"][stage + "/" + name][kind]
                assert moved <= 1e-9 * max(entry["largest"], 1.0)
    assert kinds == set(STAGES)
