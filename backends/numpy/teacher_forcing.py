"""Teacher-forced looks. NumPy keeps no account of what was computed from what, so that has to show
in the values.

The array that a port puts into its record is overwritten once its values are kept: with NaN, which
goes into what is computed from it all the same, and in further runs with two numbers, for a
comparison swallows a NaN. What comes out otherwise than undisturbed has used it. An array that
cannot be overwritten counts as used by everything after it. Of the teacher's values, too, one after
another is NaN.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Set

import numpy as np

from backends.contract import ForcedActivations
from backends.recording.teacher_forcing import ForcedRecord, fits
from backends.recording.undeclared_state import alike
from backends.source import Batch

#: What else arrays are overwritten with.
NUMBERS = (8.0, -8.0)


class Probed(ForcedRecord):
    """A teacher-forced record for NumPy.

    Args:
        teacher: as in the contract.
        filler: what arrays are overwritten with; None leaves them as they are.
        poisoned: the activation whose value by the teacher is NaN.

    Attributes:
        read: by activation, those that were read since the one before. own: those that have gone
            into it, or may have.
    """

    def __init__(
        self,
        teacher: Mapping[str, np.ndarray],
        filler: Optional[float] = np.nan,
        poisoned: str = "",
    ) -> None:
        ForcedRecord.__init__(self, self._answer_of, lambda _, value: value.copy())
        self.teacher, self.filler, self.poisoned = teacher, filler, poisoned
        self.read: Dict[str, List[str]] = {}
        self.own: Dict[str, List[str]] = {}
        self._read_since: List[str] = []
        self._open: Set[str] = set()

    def _answer_of(self, name: str, own: np.ndarray) -> np.ndarray:
        if not fits(self.teacher, name, own.shape, np.iscomplexobj(own)):
            self._open.add(name)
            kept: np.ndarray = self.kept[name].copy()
            return kept
        self._read_since.append(name)
        answer = np.array(self.teacher[name], own.dtype)
        if name == self.poisoned and answer.dtype.kind in "fc":
            answer.fill(np.nan)
        return answer

    def __setitem__(self, name: str, value: Any) -> None:
        value, earlier = np.asarray(value), list(self.kept)
        spoilt = value.dtype.kind in "fc" and bool(np.isnan(value).any())
        self.own[name] = earlier if spoilt else [other for other in earlier if other in self._open]
        self.read[name] = [other for other in earlier if other in self._read_since]
        self._read_since = []
        ForcedRecord.__setitem__(self, name, value)
        if value.dtype.kind not in "fc" or not value.flags.owndata or not value.flags.writeable:
            self._open.add(name)
        elif self.filler is not None:
            value.fill(self.filler)


def teacher_forced(
    port: Any, batch: Batch, training: bool, teacher: Mapping[str, np.ndarray]
) -> ForcedActivations:
    """Return what `Port.forward_from` promises, of a `NumpyPort` whose `forward` keeps a
    `new_record()`."""
    first = Probed(teacher)
    record = _run(port, batch, training, first)
    if record is not first:
        names = list(record)
        own = {name: names[:index] for index, name in enumerate(names)}
        return ForcedActivations(record, {name: [] for name in names}, own)
    plain = Probed(teacher, None)
    spoilt = [Probed(teacher, number) for number in NUMBERS]
    for probed in (plain, *spoilt):
        _run(port, batch, training, probed)
    names, read, own = list(plain.kept), dict(first.read), dict(first.own)
    for index, name in enumerate(names):
        if any(not _same(probed.kept.get(name), plain.kept[name]) for probed in spoilt):
            own[name] = names[:index]
    for source in {other for others in read.values() for other in others}:
        poisoned = Probed(teacher, None, source)
        _run(port, batch, training, poisoned)
        for name in names:
            if source not in read[name] and not _same(poisoned.kept.get(name), plain.kept[name]):
                read[name] = [other for other in names if other in (*read[name], source)]
    rooted = [name for name in names if not read[name] and not own[name]]
    return ForcedActivations(plain.kept, read, own, rooted)


def _run(port: Any, batch: Batch, training: bool, record: Probed) -> Any:
    kept = port.weights
    # Copies: an activation may be a weight itself.
    port.weights = {name: value.copy() for name, value in kept.items()}
    port.forced_record = record
    noise = None if batch.noise is None else _copies(batch.noise)
    try:
        with port.undeclared.undisturbed(), np.errstate(all="ignore"):
            return port.forward(Batch(_copies(batch.arrays), noise), training)
    finally:
        port.weights, port.forced_record = kept, None


def _copies(arrays: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
    return {name: np.array(value) for name, value in arrays.items()}


def _same(value: Optional[np.ndarray], other: np.ndarray) -> bool:
    return value is not None and alike(value, other)
