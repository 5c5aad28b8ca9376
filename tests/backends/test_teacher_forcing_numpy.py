"""How NumPy, which has no graph, tells what an activation was computed from: by values of the
teacher's that are NaN."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from backends.recording.undeclared_state import Memory, Undeclared
from backends.source import Batch


@pytest.mark.backends("numpy")
@pytest.mark.workloads("linear")
def test_numpy_sees_what_goes_on_with_its_own_values(kit):
    """What is computed from an overwritten array is NaN, and says that all before it may have
    gone into it."""
    probed = importlib.import_module("backends.numpy.teacher_forcing").Probed
    teacher = {"a": np.full(3, 5.0), "b": np.full(3, 7.0)}
    honest = probed(teacher)
    honest["a"] = np.ones(3)
    honest["b"] = honest["a"] * 2.0
    honest["c"] = honest["b"] + honest["a"]
    assert ([10.0] * 3, [12.0] * 3) == (honest.kept["b"].tolist(), honest.kept["c"].tolist())
    assert ({"a": [], "b": ["a"], "c": ["a", "b"]}, {"a": [], "b": [], "c": []}) == (
        honest.read,
        honest.own,
    )
    deaf = probed(teacher)
    first = np.ones(3)
    deaf["a"] = first
    deaf["b"] = first * 2.0
    assert ([], ["a"]) == (deaf.read["b"], deaf.own["b"])
    view = probed(teacher)
    view["a"] = np.ones(6)[:3]
    view["b"] = view["a"] * 2.0
    assert (["a"], ["a"]) == (view.read["b"], view.own["b"])


class Layered:
    """Layers of NumPy on a port of its own making; what each reads is a function."""

    def __init__(self, forward):
        self.weights, self.forced_record, self.forward = (
            {},
            None,
            lambda batch, training: forward(self.forced_record, batch.arrays["x"]),
        )
        self.undeclared = Undeclared(list, Memory())


def shared(seen, x):
    seen["a"] = x * 2.0
    kept = seen["a"].copy()
    seen["b"] = kept + 1.0
    seen["c"] = kept * 3.0
    return seen


def towers(seen, x):
    seen["a"] = x * 2.0
    seen["b"] = x + 1.0
    return seen


def swallowing(seen, x):
    first = x * 2.0
    seen["a"] = first
    seen["b"] = np.where(first > 0.0, 1.0, 0.0)
    return seen


@pytest.mark.backends("numpy")
@pytest.mark.workloads("linear")
@pytest.mark.parametrize(
    ("layers", "read", "own", "rooted"),
    [
        (shared, {"a": [], "b": ["a"], "c": ["a"]}, {"a": [], "b": [], "c": []}, ["a"]),
        (towers, {"a": [], "b": []}, {"a": [], "b": []}, ["a", "b"]),
        (swallowing, {"a": [], "b": []}, {"a": [], "b": ["a"]}, ["a"]),
    ],
)
def test_numpy_tells_layers_that_share_a_copy_apart(kit, layers, read, own, rooted):
    """By values of the teacher's that are NaN one after another; what swallows a NaN shows by
    other numbers."""
    teacher_forced = importlib.import_module("backends.numpy.teacher_forcing").teacher_forced
    teacher = {name: np.full(3, 2.0) for name in "abc"}
    found = teacher_forced(
        Layered(layers), Batch({"x": np.array([1.0, -1.0, 2.0])}, None), True, teacher
    )
    assert (read, own, rooted) == (found.read, found.own, found.rooted)
    assert not any(np.isnan(value).any() for value in found.values.values())
