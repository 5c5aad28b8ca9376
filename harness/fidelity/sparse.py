"""An update that departs in some rows of a matrix and in no others: what sparse gradients do to an
optimizer. Pure.

The gradient of an embedding is often handed over as rows and their numbers (`tf.IndexedSlices`, a
sparse tensor of torch), and a row comes as often as a batch holds it. An optimizer that squares
these parts before it sums them moves such a row otherwise than Adam does: Keras 3's Adam does so,
Keras 2's and torch's do not. And a lazy optimizer leaves alone what a batch does not hold, where
another one moves it by its momentum or decays it. Both are seen in which rows depart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.contract import Stage
from harness.fidelity.evidence import Evidence
from harness.fidelity.noise import FLOAT64_FLOOR
from harness.fidelity.verdict import StageVerdict
from harness.results.verdicts import Bounds, Fidelity

MARK = "parameter/"
REPEATED = (
    "it departs in {some} of the {moving} rows that move, and in those as a whole: rows that the"
    " batch holds more than once? An optimizer that gets their gradients in parts"
    " (tf.IndexedSlices) must sum them before it squares them; Keras 3's Adam does not"
    " (tf.convert_to_tensor sums them)"
)
LAZY = (
    "side {still} leaves {some} rows alone that side {moves} moves: rows that the batch does not"
    " hold? A lazy optimizer, or one that gets sparse gradients, moves and decays only the rows"
    " that it gets"
)


def note(a: Evidence, b: Evidence, verdict: StageVerdict) -> str:
    """Return in words what the departing rows of a failed float64 update tell; empty where they
    tell nothing.

    Args:
        a, b: both sides. verdict: of one of the stages `update` and `trajectory`.
    """
    worst, stage = verdict.worst, verdict.stage
    if isinstance(stage, Bounds) or stage not in (Stage.UPDATE, Stage.TRAJECTORY):
        return ""
    failed = verdict.verdict == Fidelity.FAIL
    if not failed or a.digested or b.digested or worst is None or MARK not in worst.name:
        return ""
    if worst.shown is None or not worst.error or worst.threshold is None:
        return ""
    before = [_before(side, stage, worst.name) for side in (a, b)]
    after = [np.asarray(side.read(stage, worst.name)) for side in (a, b)]
    if any(values is None or values.ndim != 2 for values in before):
        return ""
    if not _same_gradients(a, b, worst.name.rpartition(MARK)[2]):
        return ""
    allowed = worst.threshold * worst.shown.apart / worst.error
    return _in_words(before, after, allowed)


def _in_words(
    before: Sequence[NDArray[Any] | None], after: Sequence[NDArray[Any]], allowed: float
) -> str:
    """Return what the rows tell that are further apart than allowed after an update, of both sides'
    values before and after it."""
    departs = np.abs(after[0] - after[1]) > allowed
    rows = departs.any(axis=1)
    moved = [new != old for new, old in zip(after, before, strict=True)]
    moves = [values.any(axis=1) for values in moved]
    for still, other in ((0, 1), (1, 0)):
        if rows.any() and np.array_equal(rows, moves[other] & ~moves[still]):
            return LAZY.format(still="ab"[still], moves="ab"[other], some=int(rows.sum()))
    both = moves[0] & moves[1]
    whole = bool(departs[rows].sum() == (moved[0] & moved[1])[rows].sum())
    # Where no row departs, it fails by what a variation moves.
    if not whole or bool((rows & ~both).any()) or rows.sum() in (0, both.sum()):
        return ""
    return REPEATED.format(some=int(rows.sum()), moving=int(both.sum()))


def _before(side: Evidence, stage: Stage, name: str) -> NDArray[Any] | None:
    """Return a parameter's values as the stage shows them before, the loaded ones where it does
    not."""
    parameter, last = name.rpartition(MARK)[2], None
    for entry in side.entries(stage):
        if entry.name == name:
            break
        last = entry.name if entry.name.rpartition(MARK)[1:] == (MARK, parameter) else last
    if last is not None:
        return np.asarray(side.read(stage, last))
    weights = [entry for entry in side.entries(Stage.WEIGHTS) if not entry.sketched]
    loaded = parameter in {entry.name for entry in weights}
    return np.asarray(side.read(Stage.WEIGHTS, parameter)) if loaded else None


def _same_gradients(a: Evidence, b: Evidence, parameter: str) -> bool:
    """Whether no recorded gradient of a parameter says that the fault lies before the optimizer."""
    there = {entry.name for entry in a.entries(Stage.GRADIENTS)}
    for entry in b.entries(Stage.GRADIENTS):
        if entry.name in there and entry.name.endswith(f"/{parameter}"):
            gradients = [np.asarray(side.read(Stage.GRADIENTS, entry.name)) for side in (a, b)]
            apart = np.max(np.abs(gradients[0] - gradients[1]), initial=0.0)
            if apart > FLOAT64_FLOOR * entry.largest:
                return False
    return True
