"""A draft of names is a guess by shape and name; what it leaves open is refused."""

from __future__ import annotations

import pytest

from harness.errors import UsageError
from harness.models import draft_names, foreign_names, foreign_variables
from harness.workloads.linear import WORKLOAD
from tests.harness.models.test_foreign_names import DOCUMENT, SHAPES, SPEC, held

#: `a/W` in one piece, under a name that is not its own.
WHOLE = {
    **{name: shape for name, shape in SHAPES.items() if not name.startswith(("left", "right"))},
    "net/a/W": [3, 4],
    "net/a/W/Adam": [3, 4],
    "net/a/W/Adam_1": [3, 4],
    "other": [2],
    "global_step": [],
}


def test_a_draft_that_is_right_needs_no_hand():
    """Weights by the closest name of their shape, Adams by their powers, the rest ignored."""
    document = draft_names.draft(SPEC, held(WHOLE))
    assert {
        "kind": "naming",
        "schema": 1,
        "weights": {"a/W": "net/a/W", "b": "own/b"},
        "optimizers": ["one", "two/of b"],
        "step": "global_step",
        "ignored": ["other"],
    } == document
    naming = foreign_names.parse(document, "--names file", SPEC)
    assert foreign_variables.resolve(naming, SPEC, held(WHOLE), "fp32")


def test_what_has_no_variable_of_its_shape_is_left_open():
    """Pieces that have to be joined are for a person to name; until then it is refused."""
    document = draft_names.draft(SPEC, held(SHAPES))
    assert {"a/W": None, "b": "own/b"} == document["weights"] and document["step"] is None
    assert {"left", "left/Adam", "right"} <= set(document["ignored"])
    assert "own/b/Adam" not in document["ignored"]
    with pytest.raises(UsageError, match="'weights' of a/W must be the name of a variable"):
        foreign_names.parse(document, "--names file", SPEC)
    mended = {**document, "weights": DOCUMENT["weights"], "ignored": [], "step": 3}
    assert foreign_names.parse(mended, "--names file", SPEC).weights["a/W"] == ("left", "right")


def test_a_checkpoint_without_adam_has_no_optimizers():
    """As that of a model that was trained by plain descent."""
    spec = WORKLOAD.model_spec("tiny")
    document = draft_names.draft(spec, held({"kernel": [10, 1], "bias": [1]}))
    assert ([], [], None) == (document["optimizers"], document["ignored"], document["step"])
    assert {"W": "kernel", "b": "bias"} == document["weights"]
