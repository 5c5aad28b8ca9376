"""Units: layers that own parameters, with their pieces; and how well two of them fit together."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping

from backends.survey import Piece, Survey

#: How well two units fit: the same in kind and in every shape; in kind and shapes, under other
#: names; one has a piece that the other lacks; another kind with the same shapes; another shape.
EXACT, RENAMED, PARTIAL, SHAPES, OTHER_SHAPE = 8.0, 6.0, 4.0, 3.0, 1.0
#: What names that are alike add: less than any difference in what is computed.
NAMES = 0.5
#: Words of paths that say nothing about which layer it is.
EMPTY_WORDS = frozenset({"layer", "layers", "model", "module", "net", "kernel", "weight", "tf"})
#: A role in a stack of recurrent layers that is one layer, as torch's `num_layers` makes it.
STACKED = re.compile(r"(layer\d+)/(.+)")
#: Of an embedding that is also the layer behind the model: the words of that one's parameters.
REVERSE = "reverse/"
#: Short for words, where to take one for the other would hide the commonest of mistakes.
SHORT = {"q": "query", "k": "key", "v": "value", "wq": "query", "wk": "key", "wv": "value"}


@dataclasses.dataclass(frozen=True)
class Unit:
    """A layer that owns parameters. `pieces`: by role. `part`: which part of a fused one it is.
    `floor`: which of several in a stack that is one layer; empty where it is none. `shown`: the
    layer that shows what this one gives, where it is a part of that."""

    layer: str
    kind: str
    pieces: Mapping[str, Piece]
    part: int | None = None
    floor: str = ""
    shown: str = ""

    @property
    def whole(self) -> bool:
        """Whether it is all of its layer."""
        return self.part is None

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape by role."""
        return {role: tuple(piece.shape) for role, piece in self.pieces.items()}

    @property
    def bag(self) -> list[tuple[int, ...]]:
        """Shapes, whatever the roles: see `plain`."""
        return sorted(plain(tuple(piece.shape)) for piece in self.pieces.values())


def units(survey: Survey) -> list[Unit]:
    """Return a side's units in the order in which their layers run; what never ran comes last."""
    order = {layer.name: index for index, layer in enumerate(survey.layers)}
    kinds = {layer.name: layer.kind for layer in survey.layers}
    owned: dict[tuple[str, str], dict[str, Piece]] = {}
    for piece in survey.pieces:
        stacked = STACKED.fullmatch(piece.role)
        floor, role = stacked.groups() if stacked else ("", piece.role)
        owned.setdefault((piece.layer, floor), {})[role] = piece
    places = sorted(owned, key=lambda place: order.get(place[0], len(order)))
    listed = []
    for name, floor in places:
        pieces = owned[name, floor]
        back = part(pieces, REVERSE)
        own = {role: piece for role, piece in pieces.items() if piece not in back.values()}
        listed.append(Unit(name, kinds.get(name, "other"), own, floor=floor))
        listed += [Unit(f"{name}/{REVERSE}".rstrip("/"), "dense", back)] if back else []
    return listed


def part(pieces: Mapping[str, Piece], prefix: str) -> dict[str, Piece]:
    """Return the pieces whose roles begin so, by what is behind that.

    Args:
        pieces: of a layer, by role. prefix: of roles.
    """
    return {
        role.removeprefix(prefix): piece
        for role, piece in pieces.items()
        if role.startswith(prefix)
    }


def fit(a: Unit, b: Unit) -> float:
    """Return how well two units fit together; 0 where they cannot be the same."""
    base = _fit(a, b)
    return base + NAMES * likeness(a.layer, b.layer) if base else 0.0


def _fit(a: Unit, b: Unit) -> float:
    same_kind = a.kind == b.kind
    if same_kind and a.shapes == b.shapes:
        return EXACT
    if a.bag == b.bag:
        return RENAMED if same_kind else SHAPES
    if not same_kind:
        return 0.0
    common = a.shapes.keys() & b.shapes.keys()
    if common and all(a.shapes[role] == b.shapes[role] for role in common):
        return PARTIAL
    ranks = {role: (len(a.shapes[role]), len(b.shapes[role])) for role in common}
    return OTHER_SHAPE if common and all(x == y for x, y in ranks.values()) else 0.0


def plain(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape without axes of length 1, its axes in any order: what survives a transpose and
    a [1, n] bias."""
    return tuple(sorted(size for size in shape if size != 1))


def likeness(a: str, b: str) -> float:
    """Return how alike two paths are, from 0 to 1: the share of words that both have (Jaccard)."""
    return _share(_words(a), _words(b))


def namesakes(a: str, b: str) -> float:
    """Return how alike two paths are in words alone, from 0 to 1. Numbers do not count: frameworks
    begin to count where they like, and `dense_1` need not be `fc1`.

    Args:
        a, b: paths of layers.
    """
    return _share(spelled(a), spelled(b))


def _share(left: frozenset[str], right: frozenset[str]) -> float:
    union = left | right
    return len(left & right) / len(union) if union else 0.0


@functools.cache
def _words(path: str) -> frozenset[str]:
    spelled = re.sub(r"([a-z])([A-Z0-9])", r"\1 \2", path).lower()
    return frozenset(re.findall(r"[a-z]+|\d+", spelled)) - EMPTY_WORDS


@functools.cache
def spelled(path: str) -> frozenset[str]:
    """Return the words of a path, short ones written out, without numbers and without those that
    say nothing.

    Args:
        path: of a layer.
    """
    return frozenset(SHORT.get(word, word) for word in _words(path) if not word.isdigit())
