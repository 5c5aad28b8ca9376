"""A tape gives each step its own rows and noise, from wherever it begins; evaluation rows start
again at their end."""

from __future__ import annotations

import numpy as np
import pytest

from backends.source import NativeSource, TapeSource

DATA = {"x": np.arange(20.0).reshape(10, 2), "eval_x": np.arange(3.0)}
TAPE = {
    "batches": np.array([[0, 1], [2, 3], [9, 4]]),
    "noise/train/mask": np.arange(6).reshape(3, 2),
    "noise/train2/mask": np.full((3, 2), 7),
    "noise/generate/latent": np.array([[10, 11]]),
}


def test_a_batch_has_the_rows_and_the_noise_of_its_step_and_phase():
    """A phase whose name begins like another's has noise of its own, and evaluation inputs are
    no training rows."""
    source = TapeSource(DATA, TAPE, 2)
    batch = source.batch(2, "train")
    assert ["x"] == list(batch.arrays)
    np.testing.assert_array_equal(DATA["x"][[9, 4]], batch.arrays["x"])
    assert ["mask"] == list(batch.noise)
    np.testing.assert_array_equal([4, 5], batch.noise["mask"])
    np.testing.assert_array_equal([7, 7], source.batch(2, "train2").noise["mask"])
    assert {} == source.batch(0, "other").noise


def test_a_tape_may_begin_at_a_later_step():
    """For a run that goes on from a checkpoint: its first step is the tape's first, and no step
    before it is there."""
    source = TapeSource(DATA, TAPE, 2, first=40)
    assert 40 == source.cursor
    for step in range(3):
        there, here = (
            source.batch(40 + step, "train"),
            TapeSource(DATA, TAPE, 2).batch(step, "train"),
        )
        np.testing.assert_array_equal(here.arrays["x"], there.arrays["x"])
        np.testing.assert_array_equal(here.noise["mask"], there.noise["mask"])
    for step in (0, 39, 43):
        with pytest.raises(IndexError, match="the tape holds 3 steps"):
            source.batch(step, "train")


def test_generation_repeats_the_evaluation_rows_and_the_noise():
    """In order, from their first again; a native source leaves the noise to the port."""
    source = TapeSource(DATA, TAPE, 2)
    made = source.generation(5)
    np.testing.assert_array_equal([0, 1, 2, 0, 1], made.arrays["x"])
    np.testing.assert_array_equal([10, 11, 10, 11, 10], made.noise["latent"])
    assert NativeSource(DATA, 0, 2).generation(5).noise is None


def test_native_rows_are_a_new_permutation_each_epoch():
    """Whole batches only, every row at most once an epoch, the same again from the same seed."""
    data = {"x": np.arange(7.0)}
    rows = NativeSource(data, 3, 2).shuffled_rows()
    epochs = [np.concatenate([next(rows) for _ in range(3)]) for _ in range(2)]
    assert all(len(set(epoch)) == 6 and set(epoch) <= set(range(7)) for epoch in epochs)
    assert list(epochs[0]) != list(epochs[1])
    again = NativeSource(data, 3, 2).shuffled_rows()
    np.testing.assert_array_equal(epochs[0], np.concatenate([next(again) for _ in range(3)]))


def test_a_native_batch_follows_from_its_place():
    """Not from what was asked for before it."""
    source, data = NativeSource({"x": np.arange(7.0)}, 3, 2), {"x": np.arange(7.0)}
    rows = source.shuffled_rows()
    streamed = [next(rows) for _ in range(6)]
    assert 3 == source.batches()
    for index in (5, 0, 3):
        np.testing.assert_array_equal(
            streamed[index], NativeSource(data, 3, 2).shuffled(*divmod(index, 3))
        )
        np.testing.assert_array_equal(streamed[index], source.shuffled(*divmod(index, 3)))


def test_a_stream_is_made_once():
    """A port's input pipeline outlives its calls."""
    source, made = NativeSource(DATA, 0, 2), []
    for _ in range(2):
        assert source is source.stream("rows", lambda its: made.append(its) or its)
    assert [source] == made


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (4, [0, 1, 2, 3, 0, 1]),
        (6, [0, 1, 2, 3, 4, 5, 0, 1, 2]),
        (1, [0]),
        (3, [0, 1, 2]),
    ],
)
def test_generation_repeats_noise_by_the_rows_that_it_belongs_to(rows, expected):
    """Of batch * heads whole blocks; one draw for all rows, and what is no multiple of the
    batch, as it is."""
    noise = np.arange(float(rows))[None]
    found = (
        TapeSource(DATA, dict(TAPE, **{"noise/generate/latent": noise}), 2)
        .generation(3)
        .noise["latent"]
    )
    np.testing.assert_array_equal(expected, found)
