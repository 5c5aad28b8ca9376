"""A tape holds all randomness of a run, and a seed gives the same bits for ever."""

from __future__ import annotations

import numpy as np

from harness.records import tape
from harness.workloads.cnn import WORKLOAD as CNN
from harness.workloads.ehr_mgan import WORKLOAD as EHR_MGAN
from harness.workloads.linear import WORKLOAD as LINEAR

ROWS = [789, 186, 607, 149, 182, 153]
KERNEL = [0.013876098673510723, 0.061171369416946314, 0.029212300524793955]


def test_a_tape_holds_weights_batches_and_noise():
    """In canonical names; weights are float64, row numbers int64, masks uint8."""
    drawn = tape.draw(CNN, CNN.config("tiny"), 0, 5)
    assert {f"weights/{item['name']}" for item in CNN.config("tiny")["parameters"]} | {
        "batches",
        "noise/train/dropout",
    } == set(drawn.tape)
    assert (5, 16) == drawn.tape["batches"].shape and np.int64 == drawn.tape["batches"].dtype
    assert (5, 16, 128) == drawn.tape["noise/train/dropout"].shape
    assert np.uint8 == drawn.tape["noise/train/dropout"].dtype
    assert {np.dtype("float64")} == {
        value.dtype for name, value in drawn.tape.items() if name.startswith("weights/")
    }


def test_several_phases_of_a_step_share_a_draw_and_forward_and_generate_have_one():
    """The ten updates of a joint step see the same latent noise; dropout is each update's own."""
    steps = 3
    drawn = tape.draw(EHR_MGAN, EHR_MGAN.config("tiny"), 0, steps).tape
    latent = {
        name: value for name, value in drawn.items() if name.endswith("/generator/continuous")
    }
    joint = [value for name, value in latent.items() if name.startswith("noise/joint/")]
    assert (
        10 == len(joint)
        and all(np.array_equal(joint[0], value) for value in joint)
        and steps == len(joint[0])
    )
    assert {1} == {
        len(value)
        for name, value in drawn.items()
        if name.startswith(("noise/forward/", "noise/generate/"))
    }
    masks = [
        drawn[f"noise/joint/vae/{stream}/encoder/continuous/layer1"]
        for stream in ("continuous", "discrete")
    ]
    assert not np.array_equal(*masks)


def test_a_batch_repeats_no_row_and_stays_in_the_training_rows():
    """Row numbers of one step are part of a permutation."""
    batches = tape.draw(CNN, CNN.config("tiny"), 0, 20).tape["batches"]
    assert all(len(row) == len(set(row.tolist())) for row in batches)
    assert 0 <= batches.min() and 1600 < batches.max() < 1617


def test_a_seed_decides_everything():
    """The same seed the same bits, another seed others; the data do not depend on it."""
    first, again, other = (tape.draw(LINEAR, LINEAR.config("tiny"), seed, 3) for seed in (0, 0, 1))
    assert (first.tape_hash, first.data_hash) == (again.tape_hash, again.data_hash)
    assert first.tape_hash != other.tape_hash and first.data_hash == other.data_hash


def test_the_bits_of_seed_0_are_frozen():
    """Recorded references were made from them; this must never change."""
    drawn = tape.draw(CNN, CNN.config("tiny"), 0, 2).tape
    assert ROWS == drawn["batches"][0][:6].tolist()
    assert KERNEL == drawn["weights/conv1/kernel"].ravel()[:3].tolist()


def test_a_hash_sees_names_dtypes_shapes_and_bytes_and_no_order():
    """Nor memory layout."""
    base = {"a": np.arange(6.0).reshape(2, 3), "b": np.ones(2)}
    same = {"b": np.ones(2), "a": np.asfortranarray(base["a"])}
    assert tape.content_hash(base) == tape.content_hash(same)
    for name, value in (
        ("a", base["a"].T),
        ("a", base["a"].astype(np.float32)),
        ("a", base["a"] + 1e-16),
        ("c", base["a"]),
    ):
        changed = {**base, name: value}
        equal = (
            np.array_equal(changed["a"], base["a"])
            and changed["a"].dtype == base["a"].dtype
            and set(changed) == set(base)
        )
        assert equal == (tape.content_hash(changed) == tape.content_hash(base))
