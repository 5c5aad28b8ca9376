"""Which activations of one side are which of the other's, and in which order their axes are."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from backends.survey import LAST, Layer, Survey
from harness.pairs.alignment import align
from harness.pairs.matches import ORDER
from harness.pairs.units import NAMES, likeness

Axes = tuple[int, ...] | None
#: Layers that hold others and show nothing of their own, and what nobody has a word for.
SILENT = ("container", "other")
#: A pair of layers whose parameters belong together; a pair of the same kind.
ANCHOR, SAME_KIND = 100.0, 2.0
#: Names of what a model gives: a side's own, and the canonical one.
PRODUCTS = ("output", "product")
LINEAR = ("", "linear", "none", "identity", None)


@dataclasses.dataclass(frozen=True)
class TapPair:
    """One activation that both sides show.

    Attributes:
        name: canonical: the first side's layer. a, b: the layers. axes_a, axes_b: the order in
            which each side's own axes are the canonical ones. how: as of `matches.PiecePair`.
        calls: which call of each layer, from 0.
    """

    name: str
    a: str
    b: str
    axes_a: Axes = None
    axes_b: Axes = None
    how: str = ORDER
    calls: tuple[int, int] = (0, 0)


def by_rule(a: Survey, b: Survey, anchors: Sequence[tuple[str, str]]) -> list[TapPair]:
    """Return what order and kinds say.

    Args:
        a, b: what the adapters have found out about both sides.
        anchors: layers whose parameters belong together.
    """
    # Of a stack that is one layer, what the last one of it gives.
    known = {pair: index for index, pair in enumerate(anchors)}
    left = [layer for layer in a.layers if layer.outputs]
    right = [layer for layer in b.layers if layer.outputs]
    anchored_a, anchored_b = {x for x, _ in anchors}, {y for _, y in anchors}

    def score(x: Layer, y: Layer) -> float:
        if (x.name, y.name) in known:
            return ANCHOR + known[x.name, y.name] / (1 + len(known))
        if x.name in anchored_a or y.name in anchored_b or x.kind in SILENT or x.kind != y.kind:
            return 0.0
        if not _may_be(x.outputs[0], y.outputs[0]):
            return 0.0
        return SAME_KIND + NAMES * likeness(x.name, y.name)

    pairs: list[TapPair] = []
    beside = align(left, right, score)
    for i, j in sorted([*beside, *_across(beside, left, right, known)]):
        pairs += _shown(left, right, i, j)
    seen_b = set[str]()
    kept = []
    for pair in pairs:
        if pair.b not in seen_b:
            seen_b.add(pair.b)
            kept.append(pair)
    return kept


def _across(
    pairs: Sequence[tuple[int, int]],
    left: Sequence[Layer],
    right: Sequence[Layer],
    anchors: Iterable[tuple[str, str]],
) -> Iterator[tuple[int, int]]:
    """Yield the layers whose parameters belong together and that run in another order: of two
    branches one side may compute the other first."""
    places_a = {layer.name: index for index, layer in enumerate(left)}
    places_b = {layer.name: index for index, layer in enumerate(right)}
    taken_a, taken_b = {i for i, _ in pairs}, {j for _, j in pairs}
    for name_a, name_b in anchors:
        i, j = places_a.get(name_a), places_b.get(name_b)
        if i is not None and j is not None and i not in taken_a and j not in taken_b:
            taken_a.add(i)
            taken_b.add(j)
            yield i, j


def _may_be(a: Sequence[int], b: Sequence[int]) -> bool:
    return sorted(a) == sorted(b)


def _activation(layer: Layer) -> str:
    value = layer.attributes.get("activation")
    return "" if value in LINEAR else str(value)


def _shown(a: Sequence[Layer], b: Sequence[Layer], i: int, j: int) -> Iterator[TapPair]:
    """Yield the pair of two layers: where one shows what it computes after its activation, and the
    other before, the activation behind that one is what belongs beside it."""
    x, y = a[i], b[j]
    if not _may_be(x.outputs[0], y.outputs[0]):
        # All outputs of a recurrent layer beside its last one.
        yield from _last(a, x, b, y)
        return
    inside_a, inside_b = _activation(x), _activation(y)
    if x.kind == "activation" or bool(inside_a) == bool(inside_b):
        yield paired(x, y)
        return
    behind = b[j + 1 : j + 2] if inside_a else a[i + 1 : i + 2]
    if behind and behind[0].kind == "activation" and _may_be(x.outputs[0], y.outputs[0]):
        yield paired(x, behind[0]) if inside_a else paired(behind[0], y)


def _last(a: Sequence[Layer], x: Layer, b: Sequence[Layer], y: Layer) -> Iterator[TapPair]:
    """Yield the pair of two recurrent layers of which one shows its last output apart."""
    for layers, layer in ((a, x), (b, y)):
        for last in layers:
            if last.name != f"{layer.name}/{LAST}" or not last.outputs:
                continue
            other = y if layer is x else x
            if other.calls > 1:
                return  # a cell that is called step by step: its first call is not the last one
            if tuple(last.outputs[0]) == tuple(other.outputs[0]):
                pair = paired(last, y) if layer is x else paired(x, last)
                yield dataclasses.replace(pair, name=x.name)
                return


def paired(x: Layer, y: Layer, how: str = ORDER) -> TapPair:
    """Return the pair of two layers, with the axes that they know of or that their shapes ask for.

    Args:
        x: of the first side. y: of the second. how: it was come by.
    """
    axes_a, axes_b = _known(x), _known(y)
    shape_a = _after(x.outputs[0], axes_a)
    if _after(y.outputs[0], axes_b) != shape_a:
        orders = orders_of(y.outputs[0], shape_a)
        axes_b = orders[0] if orders else None
    return TapPair(canonical(x.name), x.name, y.name, axes_a, axes_b, how)


def canonical(layer: str) -> str:
    """Return the name of a layer's activation: the layer's own, but for one that is called as what
    the model itself gives.

    Args:
        layer: its path.
    """
    return f"layer/{layer}" if layer.partition("/")[0] in PRODUCTS else layer


def _known(layer: Layer) -> Axes:
    if layer.axes is None or len(layer.axes) != len(layer.outputs[0]):
        return None
    return tuple(layer.axes)


def _after(shape: Sequence[int], axes: Axes) -> tuple[int, ...]:
    return tuple(shape) if axes is None else tuple(shape[axis] for axis in axes)


def orders_of(own: Sequence[int], wanted: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the orders of the axes in which a shape is another one, the likeliest first: channels
    last, time behind the batch, the axes as they are.

    Args:
        own: a shape. wanted: another one.
    """
    if sorted(own) != sorted(wanted) or len(own) > 5:
        return []
    rank = len(own)
    last = (0, *range(2, rank), 1)
    batch_second = (1, 0, *range(2, rank)) if rank > 1 else (0,)
    likely = [tuple(range(rank)), last, batch_second, *itertools.permutations(range(rank))]
    return [
        axes
        for axes in dict.fromkeys(likely)
        if len(axes) == rank and _after(own, axes) == tuple(wanted)
    ]


def by_name(layers: Sequence[Layer]) -> Mapping[str, Layer]:
    """Return layers by their paths."""
    return {layer.name: layer for layer in layers}
