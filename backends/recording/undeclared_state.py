"""State that a port has and nobody declared: what a look at the port may move is put back, what
training moves is named.

A normalisation keeps vectors or statistics of its own, a layer carries what it saw last, a port
counts. Such state is no parameter, so that no comparison shows it, and a look that moved it would
change what the next one sees. It is followed wherever it can be found: in the *places* that a
backend names, an attribute each. How arrays of a framework are copied and compared a `Memory`
knows.
"""

from __future__ import annotations

import collections
import contextlib
from typing import Any, Callable, Dict, Iterable, Iterator, List, MutableMapping, NamedTuple, Set

import numpy as np

#: Attributes of `contract.Port` itself.
CONTRACT = frozenset(
    [
        "config",
        "setting",
        "observed_dtypes",
        "loss_scales",
        "steps_trained",
        "single_steps",
        "step_origin",
        "forced_record",
    ]
)
PLAIN = (type(None), bool, int, float, complex, str, np.generic)
CONTAINERS = (list, tuple, dict, collections.deque)
_ABSENT = object()


class Place(NamedTuple):
    """Where a piece of state is kept: `owner[key]`.

    Attributes:
        name: what it is called in reports.
        owner: the mapping that holds it.
        key: under which it is there.
        named: whether it is named if it moves; what is a parameter is not, nor what nothing depends
            on.
    """

    name: str
    owner: MutableMapping[str, Any]
    key: str
    named: bool


def alike(value: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two arrays are the same, NaN for NaN.

    Args:
        value, other: of numbers; of different dtypes they may be the same, of different shapes not.
    """
    return value.shape == other.shape and bool(
        np.all((value == other) | (np.isnan(value) & np.isnan(other)))
    )


class Memory:
    """Arrays of NumPy, and those of a framework in a subclass."""

    def holds(self, value: Any) -> bool:
        """Return whether a value is an array that can be followed."""
        return isinstance(value, np.ndarray) and value.dtype.kind in "biufc"

    def copy(self, value: Any) -> Any:
        """Return what an array is now."""
        return value.copy()

    def write(self, value: Any, kept: Any) -> None:
        """Set an array, `value`, to what it was, `kept`."""
        value[...] = kept

    def same(self, value: Any, kept: Any) -> bool:
        """Return whether `value` is as it was, `kept`, NaN for NaN."""
        return alike(value, kept)

    # -- values that are built of arrays -----------------------------------------------------------

    def follows(self, value: Any) -> bool:
        """Return whether a value is an array, something plain, or a container of such."""
        if type(value) in CONTAINERS:
            return all(self.follows(item) for item in _items(value))
        return isinstance(value, PLAIN) or self.holds(value)

    def keep(self, value: Any) -> Any:
        """Return a copy of a value that is followed; arrays and containers are copied with their
        originals.
        """
        if type(value) in CONTAINERS:
            items = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
            return value, [(key, self.keep(item)) for key, item in items]
        return (value, self.copy(value)) if self.holds(value) else (value, None)

    def restore(self, kept: Any) -> Any:
        """Return the original, as it was when it was kept."""
        value, content = kept
        if type(value) in CONTAINERS:
            items = [(key, self.restore(item)) for key, item in content]
            if isinstance(value, dict):
                value.clear()
                value.update(items)
            elif isinstance(value, list):
                value[:] = [item for _, item in items]
            elif isinstance(value, collections.deque):
                value.clear()
                value.extend(item for _, item in items)
        elif content is not None and not self.same(value, content):
            self.write(value, content)
        return value

    def moved(self, value: Any, kept: Any) -> bool:
        """Return whether a value is no longer what was kept."""
        before, content = kept
        if type(before) in CONTAINERS:
            if type(value) is not type(before) or len(value) != len(content):
                return True
            items = dict(value) if isinstance(value, dict) else dict(enumerate(value))
            return any(key not in items or self.moved(items[key], item) for key, item in content)
        if content is not None:
            return not self.holds(value) or not self.same(value, content)
        if self.holds(value) or type(value) is not type(before):
            return True
        return bool(value != before) and not (
            isinstance(value, (float, complex, np.inexact))
            and alike(np.array(value), np.array(before))
        )


class Undeclared:
    """The undeclared state of one port.

    Args:
        places: returns the places that there are now.
        memory: knows the arrays.
    """

    def __init__(self, places: Callable[[], Iterable[Place]], memory: Memory) -> None:
        self._places, self.memory = places, memory
        self._initial: Any = None
        self._moved: Set[str] = set()
        self._quiet = False

    def _present(self) -> Dict[str, Place]:
        """Return the places that hold something that can be followed, by name."""
        return {
            place.name: place
            for place in self._places()
            if self.memory.follows(place.owner.get(place.key, _ABSENT))
        }

    def _taken(self) -> Dict[str, Any]:
        """Return each place by name, with what it holds now."""
        return {
            name: (place, self.memory.keep(place.owner[place.key]))
            for name, place in self._present().items()
        }

    def _put(self, taken: Dict[str, Any]) -> Set[str]:
        """Put everything back; return the names of what had moved."""
        moved, present = self._changed(taken), self._present()
        for name, place in present.items():
            if name not in taken and _arrays(place.owner[place.key], self.memory):
                del place.owner[place.key]  # what came up during the look
        for name, (place, kept) in taken.items():
            # Otherwise an object took the place of nothing: a cache, which may stay.
            if name in present or _arrays(kept[0], self.memory):
                place.owner[place.key] = self.memory.restore(kept)
        return moved

    def _changed(self, taken: Dict[str, Any]) -> Set[str]:
        """Return the names of what is no longer as it was taken."""
        present = self._present()
        moved = set()
        for name, place in present.items():
            came = name not in taken and _arrays(place.owner[place.key], self.memory)
            if place.named and came:
                moved.add(name)
        for name, (place, kept) in taken.items():
            if not place.named:
                continue
            if name in present:
                changed = self.memory.moved(place.owner[place.key], kept)
            else:
                changed = _arrays(kept[0], self.memory)
            if changed:
                moved.add(name)
        return moved

    def arrays(self) -> Dict[str, Any]:
        """Return the arrays among it, by name."""
        return {
            name: place.owner[place.key]
            for name, place in self._present().items()
            if self.memory.holds(place.owner[place.key])
        }

    def begin(self) -> None:
        """Take what there is for the initial state, unless that was done: before anything has run,
        after the port was built.
        """
        if self._initial is None:
            self._initial = self._taken()

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Put everything back afterwards."""
        self.begin()
        taken = self._taken()
        try:
            yield
        finally:
            self._moved |= self._put(taken)

    @contextlib.contextmanager
    def generating(self, lockstep: bool) -> Iterator[None]:
        """The same around `generate`, which is timed in native mode: there only where it was seen
        to move something.
        """
        if self._quiet and not lockstep:
            yield
            return
        self.begin()
        taken = self._taken()
        try:
            yield
        finally:
            moved = self._put(taken)
            self._moved |= moved
            self._quiet = not moved

    def reset(self) -> None:
        """Return to the initial state."""
        self.begin()
        self._moved |= self._put(self._initial)

    def moved(self, training: bool) -> Set[str]:
        """Return what looks have moved so far; with `training`, also what training has."""
        return set(self.names()) if training else set(self._moved)

    def names(self) -> List[str]:
        """Return what has moved so far, in looks or in training."""
        moved = set(self._moved)
        if self._initial is not None:
            moved |= self._changed(self._initial)
        return sorted(moved)


def _arrays(value: Any, memory: Memory) -> bool:
    """Return whether a value is an array, or a container that holds one."""
    if type(value) in CONTAINERS:
        return any(_arrays(item, memory) for item in _items(value))
    return memory.holds(value)


def _items(container: Any) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container
