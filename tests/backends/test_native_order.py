"""In native mode every epoch goes through the rows once, and each segment of the schedule begins
with an epoch of its own."""

from __future__ import annotations

import numpy as np
import pytest

from backends.source import NativeSource

ROWS, BATCH = 26, 8  # three batches an epoch, two rows left over
#: Pre-training ends in the middle of its second epoch.
SEGMENTS = [
    {"name": "pretrain", "steps": 4, "phases": ["train"]},
    {"name": "joint", "steps": None, "phases": ["train"]},
]
pytestmark = pytest.mark.workloads("linear")


@pytest.fixture
def batches(kit):
    """A function of the schedule, a seed and steps, all or the later ones, that gives the rows of
    each step's batch.

    A model that predicts 0 and never learns has the mean of y**2 for its loss. Row i has y = 2**i,
    so that the loss holds the set of rows, bit by bit: 26 rows take 51 bits of float64.
    """

    def run(segments, seed, steps, first=0):
        optimizers = {"sgd": dict(kit.config["optimizers"]["sgd"], learning_rate=0.0)}
        port = kit.port(config={"schedule": segments, "optimizers": optimizers, "batch": BATCH})
        port.load_parameters({name: np.zeros_like(value) for name, value in kit.weights.items()})
        data = {"x": np.zeros([ROWS, kit.config["features"]]), "y": 2.0 ** np.arange(ROWS)[:, None]}
        source = NativeSource(data, seed, BATCH)
        source.cursor = first
        sums = [int(BATCH * loss) for loss in port.train(source, steps - first)["mse"]]
        return [{row for row in range(ROWS) if total >> (2 * row) & 1} for total in sums]

    return run


def test_an_epoch_has_every_row_at_most_once(batches):
    """And the next one has another order; the same seed gives the same, another seed another."""
    whole = [{"name": "train", "steps": None, "phases": ["train"]}]
    found = batches(whole, 3, 6)
    assert [BATCH] * 6 == [len(batch) for batch in found]
    for epoch in (found[:3], found[3:]):
        assert 3 * BATCH == len(set.union(*epoch))
    assert found[:3] != found[3:]
    assert found == batches(whole, 3, 6) and found != batches(whole, 4, 6)


def test_a_segment_begins_with_an_epoch_of_its_own(batches):
    """As in the original, whose joint training draws a permutation first: steps 4 to 6 are one
    epoch, 3 and 4 are not."""
    found = batches(SEGMENTS, 3, 10)
    for start in (0, 4, 7):
        assert 3 * BATCH == len(set.union(*found[start : start + 3]))
    assert 4 == len({frozenset(found[start]) for start in (0, 3, 4, 7)})
    # One schedule without borders has the second epoch go on at step 4.
    straight = batches([{"name": "train", "steps": None, "phases": ["train"]}], 3, 10)
    assert found[:4] == straight[:4]
    assert found[4:] != straight[4:]
    assert found[4:7] == straight[6:9]


def test_training_that_begins_later_has_the_same_batches(batches):
    """Within a segment, at its border, and behind it."""
    found = batches(SEGMENTS, 3, 8)
    for first in (2, 4, 5):
        assert found[first:] == batches(SEGMENTS, 3, 8, first)
