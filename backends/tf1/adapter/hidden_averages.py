"""Averages of weights that a graph keeps in another way than `averages` knows: by `tf.assign`, in a
branch. They are known by how a step moves them, and are only told."""

from __future__ import annotations

from typing import Any, Dict, List

from backends.adapter import averages
from backends.adapter.side import Arrays
from backends.survey import AVERAGE


def of(side: Any, arrays: Arrays) -> List[str]:
    """Return what a step moves as an average of a weight, in sentences; nothing of a weight
    of which another average is compared.

    Args:
        side: a `Side`. arrays: one batch of training rows.
    """
    moving: Dict[str, str] = {}
    rows = side.optimizers.slots()
    shown = {row[3] for row in rows}
    compared = {row[1] for row in rows if row[2] == AVERAGE}
    parameters = set(side.layers.parameters())
    feed = side.model.feed(arrays, training=True)
    for phase in side.model.trains:
        _, after = side.aside(side.step_fetches(phase, watch=False), feed)
        moved = {name: (value, after[name]) for name, value in side.snapshot()[0].items()}
        weights = {name: moved[name] for name in sorted(parameters - compared) if name in moved}
        others = {name: pair for name, pair in moved.items() if name not in parameters | shown}
        moving.update(averages.averaged(others, weights))
    return averages.sentences(moving.items())
