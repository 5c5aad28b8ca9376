"""Teacher-forced looks. NumPy keeps no account of what was computed from what, so that has to show in the values.

The array that a port puts into its record is overwritten with NaN once its values are kept: what is computed from it all the same is
NaN, too. (A comparison would swallow that.) An array that cannot be overwritten counts as used by everything after it.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Set

import numpy as np

from backends.source import Batch
from backends.teaching import Lesson, Taught, fits


class Probed(Lesson):
    """A lesson for NumPy.

    Attributes:
        read: by activation, those that were asked for since the one before. own: those that have gone into it, or may have.
    """

    def __init__(self, teacher: Mapping[str, np.ndarray]) -> None:
        Lesson.__init__(self, self._answer_of)
        self.teacher = teacher
        self.read: Dict[str, List[str]] = {}
        self.own: Dict[str, List[str]] = {}
        self._asked: List[str] = []
        self._open: Set[str] = set()

    def _answer_of(self, name: str, own: np.ndarray) -> np.ndarray:
        if not fits(self.teacher, name, own.shape):
            self._open.add(name)
            return own
        self._asked.append(name)
        return np.array(self.teacher[name], own.dtype)

    def __setitem__(self, name: str, value: Any) -> None:
        value, earlier = np.asarray(value), list(self.kept)
        spoilt = value.dtype.kind == "f" and bool(np.isnan(value).any())
        self.own[name] = earlier if spoilt else [other for other in earlier if other in self._open]
        self.read[name], self._asked = [other for other in earlier if other in self._asked], []
        Lesson.__setitem__(self, name, value.copy())
        if value.dtype.kind == "f" and value.flags.owndata and value.flags.writeable:
            value.fill(np.nan)
        else:
            self._open.add(name)


def taught(port: Any, batch: Batch, training: bool, teacher: Mapping[str, np.ndarray]) -> Taught:
    """Return what `Port.forward_from` promises, of a `NumpyPort` whose `forward` keeps a `new_record()`."""
    kept, lesson = port.weights, Probed(teacher)
    port.weights = {name: value.copy() for name, value in kept.items()}  # an activation may be a weight itself
    port.lesson = lesson
    noise = None if batch.noise is None else {name: np.array(value) for name, value in batch.noise.items()}
    try:
        found = port.forward(Batch({name: np.array(value) for name, value in batch.arrays.items()}, noise), training)
    finally:
        port.weights, port.lesson = kept, None
    if found is lesson:
        return Taught(lesson.kept, lesson.read, lesson.own)
    names = list(found)
    return Taught(found, {name: [] for name in names}, {name: names[:place] for place, name in enumerate(names)})
