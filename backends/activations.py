"""The record in which a port keeps its activations: what is shown is what was set, whatever becomes
of it later.

A layer may work in place, a buffer may be filled again, a view may be of something that is written
to. So a `Record` copies what is set and shows the copy; what reads an activation back gets the very
object that was set, so that nothing else changes for the port. Knows each framework's way to copy
by what its objects can do. Standard library only.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, Mapping, Tuple

_NOTHING = object()


def copied(value: Any) -> Any:
    """Return a copy of an array or tensor that later writes do not reach; anything that cannot be
    written to is returned as it is."""
    if hasattr(value, "detach") and hasattr(value, "clone"):  # torch
        return value.detach().clone()
    # A variable of TensorFlow, or Keras 3's wrapper of one; tensors of TensorFlow never change.
    if hasattr(value, "assign"):
        return (value if hasattr(value, "read_value") else value.value).read_value()
    if hasattr(value, "__array_interface__") and hasattr(value, "copy"):  # NumPy
        return value.copy()
    return value


class Record(Dict[str, Any]):
    """A dict that holds copies of what is set, in the order in which it was set first, and answers
    `record[name]` with what was set.

    Args:
        initial: pairs, or a mapping, to begin with: frameworks take a dict that a function returns
            apart and make it again.
        copy: how a value is copied.
    """

    def __init__(self, initial: Any = (), copy: Callable[[Any], Any] = copied) -> None:
        dict.__init__(self)
        self._copy = copy
        self._live: Dict[str, Any] = {}
        self.update(initial)

    def __setitem__(self, name: str, value: Any) -> None:
        dict.__setitem__(self, name, self._copy(value))
        self._live[name] = value

    def __getitem__(self, name: str) -> Any:
        return self._live[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self._live.get(name, default)

    def __delitem__(self, name: str) -> None:
        dict.__delitem__(self, name)
        del self._live[name]

    def pop(self, name: str, default: Any = _NOTHING) -> Any:
        """Remove an activation and return what was set."""
        if name not in self._live and default is not _NOTHING:
            return default
        value = self._live[name]
        del self[name]
        return value

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Set an activation unless it is there; return it."""
        if name not in self._live:
            self[name] = default
        return self._live[name]

    def update(self, *positional: Any, **named: Any) -> None:
        """Set several activations, as `dict.update` does."""
        for name, value in _pairs(*positional):
            self[name] = value
        for name, value in named.items():
            self[name] = value


def _pairs(values: Any = ()) -> Iterable[Tuple[str, Any]]:
    """Return the pairs of a mapping, or the pairs themselves; of a record what was set."""
    if isinstance(values, Record):
        return list(values._live.items())
    return list(values.items() if isinstance(values, Mapping) else values)
