"""The first departing time step, and in it the first layer."""

from __future__ import annotations

import numpy as np

from harness.fidelity.judge import judge_stage
from harness.fidelity.steps import first_departure, first_step


def sequences(memory, starts, extra=()):
    """Return the verdict of sequences [4, 6, 3] that depart from a time step each on, and how to
    read their distances."""
    b = {
        **{f"training/{name}": np.ones(8) for name in extra},
        **{f"training/{name}": np.ones((4, 6, 3)) for name in starts},
    }
    a = {name: value.copy() for name, value in b.items()}
    for name, start in starts.items():
        a[f"training/{name}"][:, start:] += 0.1
    for name in extra:
        a[f"training/{name}"] += 0.1
    return judge_stage(memory(a), memory(b), "forward", "fp64"), lambda name: (
        np.abs(a[name] - b[name]),
        1e-12,
    )


def test_with_feedback_the_last_layer_of_a_step_comes_before_the_first_of_the_next(memory):
    """The decoder's output is wrong at step 2, and reaches the first layer in step 3."""
    verdict, read = sequences(memory, {"layer1": 3, "layer2": 3, "output": 2})
    assert "training/layer1" == verdict.worst.name
    step, item = first_departure(verdict.tensors, read)
    assert (2, "training/output") == (step, item.name)


def test_within_a_step_layers_have_their_order(memory):
    """Two that depart in the same step: the first is the place."""
    verdict, read = sequences(memory, {"layer1": 3, "layer2": 2, "output": 2})
    assert (2, "training/layer2") == (
        (found := first_departure(verdict.tensors, read))[0],
        found[1].name,
    )


def test_what_departs_before_all_sequences_stays_the_place(memory):
    """An embedding of the rows was computed before any step; one sequence alone has nobody to be
    ordered against."""
    verdict, read = sequences(memory, {"layer1": 3, "output": 2}, extra=("embedding",))
    assert first_departure(verdict.tensors, read) is None
    verdict, read = sequences(memory, {"layer1": 3})
    assert first_departure(verdict.tensors, read) is None


def test_an_image_has_no_time():
    """Its second axis is one of space."""
    assert first_step(np.ones((4, 6, 6, 3)), 0.0) is None
    assert first_step(np.zeros((4, 6, 3)), 0.0) is None
