"""Averages of weights that a step keeps where `averages` does not look for them: as an attribute,
in NumPy, behind another copy. They are known by how the first step moves them, and are only told.

What an update before it has made of them is not known, so that they are looked for among what was a
copy of the weight when the step began.
"""

from __future__ import annotations

from typing import Any, Dict, Tuple

import numpy as np
import torch

from backends.adapter import averages
from backends.adapter.side import Arrays
from backends.torch.adapter import values
from backends.torch.adapter.state import Snapshot


class HiddenAverages:
    """What steps have been seen to move as averages."""

    def __init__(self) -> None:
        #: By the parameter's name: what it is.
        self._found: Dict[str, str] = {}

    def note(self, side: Any, begun: Arrays) -> None:
        """Note what one step has moved.

        Args:
            side: whose step it was. begun: its parameters before it.
        """
        held = side.inventory.tensors()
        known = {*map(id, held.values()), *map(id, side.averages.tensors())}
        for optimizer in side.optimizers.values():
            for state in optimizer.state.values():
                known.update(map(id, state.values()))
        weights = {name: (begun[name], value) for name, value in side.parameters().items()}
        reached = Snapshot(side.roots(), known).reached((torch.Tensor, np.ndarray))
        for value in (each for each in reached if id(each) not in known):
            array = values.array(value) if isinstance(value, torch.Tensor) else value
            called = f"a {type(value).__name__} {list(array.shape)}"
            for name, pair in weights.items():
                if averages.averaged({called: (pair[0], array)}, {name: pair}):
                    self._found.setdefault(name, called)

    def sentences(self, side: Any) -> Tuple[str, ...]:
        """Return what is said of them; nothing of a weight of which another average is compared.

        Args:
            side: whose they are.
        """
        held, compared = side.inventory.tensors(), side.averages.compared()
        names = [name for name in self._found if id(held[name]) not in compared]
        return tuple(averages.sentences((self._found[name], name) for name in names))
