"""Which layers of a forward pass are wrong by themselves: each was computed from the right input and departs all the same. Pure.

One side was taught: it computed each layer from the other side's values of those before it, as far as its port lets itself be taught,
and told of each what it was computed from. A layer that departs is wrong where its input was right: where it read the teacher's
values, or nothing before it departs, and where no layer departs that the port computed on its own way to it. Of any other nothing
can be told.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from harness.fidelity.verdict import FAIL, TensorVerdict


@dataclasses.dataclass(frozen=True)
class Layers:
    """What a taught forward pass shows; names are `<mode>/<activation>`, in order.

    Attributes:
        wrong: those that depart although their input was right.
        untold: those that depart, and of whose input it cannot be said that it was right.
        read: how many layers were computed from the teacher's values. total: how many were looked at.
        modes: in which modes.
    """

    wrong: tuple[TensorVerdict, ...]
    untold: tuple[str, ...]
    read: int
    total: int
    modes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the wrong layers."""
        return tuple(item.name for item in self.wrong)

    def __str__(self) -> str:
        told = f"wrong layers, each given the right input: {spelled(self.names, self.modes)}" if self.wrong else ""
        untold = f"cannot be told of {spelled(self.untold, self.modes)}: computed on the port's own way there" if self.untold else ""
        nothing = "given the right input no layer departs: what departs has grown on the way"
        return "; ".join(part for part in (told, untold) if part) or nothing


def find(verdicts: Sequence[TensorVerdict], read: Mapping[str, Sequence[str]], own: Mapping[str, Sequence[str]]) -> Layers:
    """Sort the layers that depart.

    Args:
        verdicts: of the taught layers, in the order in which they were computed.
        read: by layer, those whose value by the teacher it was computed from.
        own: by layer, those before it whose computing in the taught port went into it.
    """
    wrong: list[TensorVerdict] = []
    untold: list[str] = []
    departing: set[str] = set()
    for item in verdicts:
        if item.verdict != FAIL:
            continue
        before = any(_mode(name) == _mode(item.name) for name in departing)
        if departing & set(own.get(item.name, ())) or (before and not read.get(item.name)):
            untold.append(item.name)
        else:
            wrong.append(item)
        departing.add(item.name)
    modes = tuple(dict.fromkeys(_mode(item.name) for item in verdicts))
    return Layers(tuple(wrong), tuple(untold), sum(bool(names) for names in read.values()), len(verdicts), modes)


def spelled(names: Sequence[str], modes: Sequence[str]) -> str:
    """Return layers in words: each once, with its mode where it is named in some of the modes only."""
    layers: dict[str, list[str]] = {}
    for name in names:
        layers.setdefault(name.partition("/")[2], []).append(_mode(name))
    return ", ".join(
        layer if len(found) == len(modes) else f"{layer} (in {' and '.join(found)})" for layer, found in layers.items()
    )


def _mode(name: str) -> str:
    return name.partition("/")[0]
