"""Honest variations leave labels alone, and an axis that is only as long as the batch is not
taken for it."""

from __future__ import annotations

import numpy as np
import pytest

from backends.contract import Setting
from backends.ports.numpy.linear import Port as Linear
from backends.recording import passes
from backends.recording import recorder as recording
from backends.recording.variations import permuted, vary

BATCH, FEATURES = 4, 3


class Port(Linear):
    """`linear` that also shows a table as long as the batch, whose rows are not the batch's, and
    the rows the other way round."""

    backwards = False

    def forward(self, batch, training):
        """Return the predictions and the table."""
        found = super(Port, self).forward(batch, training)
        table = np.arange(float(BATCH * 2)).reshape(BATCH, 2) * self.weights["b"]
        return dict(
            found,
            table=table,
            prediction=found["prediction"][::-1] if self.backwards else found["prediction"],
        )


@pytest.fixture
def run():
    """Return a run over two batches; the labels are 0 and 1, one input is too."""
    generator = np.random.RandomState(0)
    config = {
        "workload": "linear",
        "batch": BATCH,
        "l2": 0.5,
        "features": FEATURES,
        "phases": ["train"],
        "forward": {"phase": "train", "modes": ["training"]},
        "parameters": [
            {"name": "W", "shape": [FEATURES, 1], "trainable": True},
            {"name": "b", "shape": [1], "trainable": True},
        ],
        "updates": [{"phase": "train", "optimizer": "sgd", "parameters": ["W", "b"]}],
        "schedule": [{"name": "train", "steps": None, "phases": ["train"]}],
        "optimizers": {"sgd": {"kind": "sgd", "learning_rate": 0.125}},
    }
    data = {
        "x": generator.normal(size=(8, FEATURES)),
        "y": (np.arange(8.0) % 2)[:, None],
        "eval_x": generator.normal(size=(3, FEATURES)),
    }
    tape = {"batches": generator.permutation(8).reshape(2, BATCH)}
    tape.update({"weights/W": generator.normal(size=(FEATURES, 1)), "weights/b": np.ones(1)})
    return passes.Run(Port(config, Setting(precision="fp64")), config, data, tape, ["forward"])


def test_labels_stay_what_they_are(run):
    """A probability a little above 1 is an error to some losses; inputs and weights move."""
    before = run.data
    after = vary(run, {"kind": "ulp", "precision": "fp32", "seed": 1})
    np.testing.assert_array_equal(before["y"], after.data["y"])
    assert np.all(before["x"] != after.data["x"]) and after.tape["weights/b"][0] != 1.0


@pytest.mark.parametrize("backwards", [False, True])
def test_a_table_as_long_as_the_batch_is_no_batch(run, tmp_path, backwards):
    """It has not moved; rows that follow the batch have not either, and rows that are mixed up
    have."""
    run.port.backwards = backwards
    recorder = recording.Recorder(run.port, run.config, run.data, run.tape, str(tmp_path))
    found = recorder.record(["forward"], 1, [{"kind": "reorder", "precision": "fp64", "seed": 1}])[
        "noise"
    ]
    assert [0.0] == found["forward/training/table"]["reorder"]
    assert (found["forward/training/prediction"]["reorder"][0] > 1e-3) is backwards


@pytest.mark.parametrize(
    ("shape", "moves"),
    [
        ((BATCH, 2), True),
        ((BATCH * 3, 2), True),
        ((1, 2), False),
        ((BATCH + 1, 2), False),
        ((), False),
        ((0, 2), False),
    ],
)
def test_noise_moves_with_the_rows_that_it_belongs_to(shape, moves):
    """Of batch * heads the block of each row moves as a whole; one draw for all rows, and what
    is no multiple of the batch, stays."""
    order = np.array([2, 0, 3, 1])
    value = np.arange(float(np.prod(shape))).reshape(shape)
    found = permuted(value, order)
    if moves:
        blocks = value.reshape((BATCH, -1) + shape[1:])
        np.testing.assert_array_equal(found.reshape(blocks.shape), blocks[order])
    assert found.shape == shape and (moves or np.array_equal(found, value))


@pytest.mark.parametrize("rows", [1, BATCH, 2 * BATCH, BATCH + 3])
def test_a_tape_with_any_first_axis_is_reordered(run, rows):
    """Every step of its own; what `generate` consumes stays."""
    noise = np.random.RandomState(1).normal(size=(2, rows, 3))
    run.tape.update({"noise/train/mask": noise, "noise/generate/mask": noise})
    after = vary(run, {"kind": "reorder", "precision": "fp64", "seed": 1})
    assert after.tape["noise/train/mask"].shape == noise.shape
    assert np.array_equal(after.tape["noise/train/mask"], noise) is (rows % BATCH != 0)
    np.testing.assert_array_equal(after.tape["noise/generate/mask"], noise)


@pytest.mark.parametrize(
    ("moving", "weight", "runs"), [(True, 1.0, True), (False, 1.0, False), (False, np.inf, True)]
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_constants_that_are_proved_to_move_nothing_are_not_run(run, tmp_path, moving, weight, runs):
    """Their movement is 0, as if they had run. What is not finite is no distance from itself."""
    rounded = []
    run.port.constants_may_move = lambda which: moving
    run.port.round_constants = rounded.append
    run.tape["weights/b"] = np.full(1, weight)
    recorder = recording.Recorder(run.port, run.config, run.data, run.tape, str(tmp_path))
    variant = {"kind": "constants:rates", "precision": "fp64", "seed": 0, "stages": ["update"]}
    found = recorder.record(["loss", "update"], 1, [variant])
    assert (["rates", ""] if runs else []) == rounded
    updates = [item for item in found["tensors"] if item["stage"] == "update"]
    assert updates and {f"update/{item['name']}" for item in updates} == {*found["noise"]}
    if weight == 1.0:
        assert [{"constants:rates": [0.0]}] * len(updates) == [*found["noise"].values()]
