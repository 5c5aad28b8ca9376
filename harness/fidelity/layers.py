"""Which layers of a forward pass are wrong by themselves: each was computed from the right input
and departs all the same. Pure.

One side was teacher-forced: it computed each layer from the other side's values of those before it,
as far as its port can be forced, and told of each what it was computed from. A layer that departs
is wrong where its input was right: where it read forced values, is computed from data and weights
alone, or nothing before it departs, and where no layer departs that the port computed on its own
way to it. Of any other nothing can be told; nor of one that departs in the ordinary run and
not in this one, if it was not looked at with the right input: only where all were, nothing but
growth is left.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence

from harness.fidelity.verdict import TensorVerdict
from harness.results.verdicts import Fidelity

#: Layers in a sentence; the row of the stage has all names.
MOST_NAMED = 12


@dataclasses.dataclass(frozen=True)
class Layers:
    """What a teacher-forced forward pass shows; names are `<mode>/<activation>`, in order.

    Attributes:
        wrong: those that depart although their input was right.
        untold: those that depart, and of whose input it cannot be said that it was right.
        unseen: those that depart in the ordinary run alone, and that read no forced value in this
            one.
        read: how many layers were computed from forced values. total: how many were looked at.
        modes: in which modes.
    """

    wrong: tuple[TensorVerdict, ...]
    untold: tuple[str, ...]
    read: int
    total: int
    modes: tuple[str, ...]
    unseen: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the wrong layers."""
        return tuple(item.name for item in self.wrong)

    def __str__(self) -> str:
        parts = []
        if self.wrong:
            names = spelled(self.names, self.modes)
            parts.append(f"wrong layers, each given the right input: {names}")
        if self.untold:
            names = spelled(self.untold, self.modes)
            parts.append(f"cannot be told of {names}: computed on the port's own way there")
        if self.unseen:
            names = spelled(self.unseen, self.modes)
            parts.append(f"{names} departed, was not teacher-forced, and does not depart now")
        nothing = "given the right input no layer departs: what departs has grown on the way"
        return "; ".join(parts) or nothing


def find(
    verdicts: Sequence[TensorVerdict],
    read: Mapping[str, Sequence[str]],
    own: Mapping[str, Sequence[str]],
    rooted: Collection[str] = (),
    departed: Collection[str] = (),
) -> Layers:
    """Sort the layers that depart.

    Args:
        verdicts: of the forced layers, in the order in which they were computed.
        read: by layer, those whose forced value it was computed from.
        own: by layer, those before it whose computing in the forced port went into it.
        rooted: those that are known to be computed from data and weights alone.
        departed: those that depart in the ordinary run.
    """
    wrong: list[TensorVerdict] = []
    untold: list[str] = []
    departing: set[str] = set()
    for item in verdicts:
        if item.verdict != Fidelity.FAIL:
            continue
        before = any(_mode(name) == _mode(item.name) for name in departing)
        right_input = bool(read.get(item.name)) or item.name in rooted
        if departing & set(own.get(item.name, ())) or (before and not right_input):
            untold.append(item.name)
        else:
            wrong.append(item)
        departing.add(item.name)
    unseen = tuple(
        item.name
        for item in verdicts
        if item.name in departed and item.name not in departing and not read.get(item.name)
    )
    modes = tuple(dict.fromkeys(_mode(item.name) for item in verdicts))
    return Layers(
        wrong=tuple(wrong),
        untold=tuple(untold),
        read=sum(bool(names) for names in read.values()),
        total=len(verdicts),
        modes=modes,
        unseen=unseen,
    )


def spelled(names: Sequence[str], modes: Sequence[str]) -> str:
    """Return layers in words: each once, with its mode where it is named in some of the modes
    only; of many the first, and how many more there are."""
    layers: dict[str, list[str]] = {}
    for name in names:
        layers.setdefault(name.partition("/")[2], []).append(_mode(name))
    words = [
        layer if len(its_modes) == len(modes) else f"{layer} (in {' and '.join(its_modes)})"
        for layer, its_modes in layers.items()
    ]
    if len(words) <= MOST_NAMED:
        return ", ".join(words)
    return f"{', '.join(words[:MOST_NAMED])} and {len(words) - MOST_NAMED} more"


def _mode(name: str) -> str:
    return name.partition("/")[0]
