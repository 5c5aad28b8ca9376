"""The averages of `tf.train.ExponentialMovingAverage` are slots, and begin at the weights."""

from __future__ import annotations

import numpy as np
import pytest

from backends.adapter.draws import Draws

pytestmark = [pytest.mark.backends("tf1"), pytest.mark.workloads("linear")]


def test_an_average_is_a_slot_that_begins_at_the_weights(made, graphs):
    """Those that the harness has given to both sides, not those of the graph's initialisers."""
    side = made("averaged")
    weights = {name: np.full(value.shape, 0.5) for name, value in side.parameters().items()}
    assert sorted(weights) == ["out/bias", "out/kernel"]
    side.assign(weights)
    side.reset()
    expected = dict(weights)
    for count in (1, 2, 3):
        side.step("train", graphs.ROWS, Draws("train"))
        kept = min(0.75, (1 + count) / (10 + count))
        held = side.slots()[""]
        for name, value in side.parameters().items():
            expected[name] = kept * expected[name] + (1 - kept) * value
            np.testing.assert_allclose(held[name]["average"], expected[name], rtol=1e-6)
    side.assign(weights)
    side.reset()
    for name, words in side.slots()[""].items():
        np.testing.assert_array_equal(words["average"], weights[name])


def test_it_is_told(made, graphs):
    (optimizer,) = made("averaged").survey(graphs.ROWS).optimizers
    assert "average" in optimizer.slots and optimizer.hyperparameters["average_weights"] is True
    assert "average_momentum" not in optimizer.hyperparameters  # it warms up
