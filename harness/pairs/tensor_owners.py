"""Which layer or parameter of each side of a pair a tensor of the report is of, and which of the
differences that were read back concern it. Pure.

The report names tensors in the first side's words; whoever mends the other side needs its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from backends.contract import Stage
from backends.survey import LAST
from harness.pairs.attribute_differences import AttributeDifference
from harness.pairs.inference import Inference

LAYER, PARAMETER, TENSOR = "layer", "parameter", "tensor"
#: What a call of a layer beyond its first adds to its name, before its number.
CALL = "call "
#: What of a pair is only seen once both sides have made steps.
STEPPED = (Stage.UPDATE, Stage.TRAJECTORY)


@dataclasses.dataclass(frozen=True)
class OwnName:
    """A tensor as one side has it. `layer`: None where it is of none. `parameters`: the side's own
    ones that it is made of."""

    name: str
    layer: str | None = None
    parameters: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class TensorOwner:
    """A tensor as two sides have it. `kind`: `layer`, `parameter` or `tensor`."""

    kind: str
    a: OwnName
    b: OwnName


def owner(inference: Inference, a: str, b: str, stage: str, tensor: str) -> TensorOwner:
    """Return what a tensor of the report is on two sides.

    Args:
        inference: of the pair. a, b: labels of the sides. stage: of the ladder.
        tensor: its name in the report, e.g. `training/norm`, `step 1/train/slot/adam/norm/gamma/m`.
    """
    if stage == Stage.FORWARD:
        named = _longest((tap.name for tap in inference.taps()), [tensor])
        if named:
            return TensorOwner(LAYER, *(_of_tap(inference, label, named) for label in (a, b)))
    else:
        # The last word of a slot's name is the slot's.
        ends = [tensor, tensor.rpartition("/")[0]]
        named = _longest((pair.name for pair in inference.pieces()), ends)
        if named:
            return TensorOwner(PARAMETER, *(_of_piece(inference, label, named) for label in (a, b)))
    return TensorOwner(TENSOR, OwnName(tensor), OwnName(tensor))


def _longest(names: Iterable[str], ends: Sequence[str]) -> str:
    """Return the longest name that one of these ends with; empty where there is none."""
    matching = [name for name in names if _ends_with(ends, name)]
    return max(matching, key=len, default="")


def _ends_with(ends: Sequence[str], name: str) -> bool:
    return any(f"/{end}".endswith(f"/{name}") for end in ends)


def _of_tap(inference: Inference, label: str, name: str) -> OwnName:
    for other in inference.others:
        for tap in other.decided.taps:
            if tap.name == name and label in (inference.first.label, other.side.label):
                own = tap.a if label == inference.first.label else tap.b
                return OwnName(own, own)
    return OwnName(name)


def _of_piece(inference: Inference, label: str, name: str) -> OwnName:
    for other in inference.others:
        for pair in other.decided.matched.pieces:
            if pair.name == name and label in (inference.first.label, other.side.label):
                own = pair.a if label == inference.first.label else pair.b
                return OwnName(own.name, own.layer, tuple(own.sources))
    return OwnName(name)


def of_place(row: AttributeDifference, owning: TensorOwner) -> bool:
    """Return whether a difference is of the layer or the parameter that a tensor is of, of a layer
    inside it or of one around it.

    Args:
        row: read back. owning: what the tensor is on both sides.
    """
    places = {name for side in (owning.a, owning.b) for name in (side.name, side.layer) if name}
    return owning.kind != TENSOR and any(_within(row.where, place) for place in places)


def _within(path: str, other: str) -> bool:
    return f"{path}/".startswith(f"{other}/") or f"{other}/".startswith(f"{path}/")


def of_stage(row: AttributeDifference, stage: str) -> bool:
    """Return whether a difference shows at a stage; a trajectory shows what an update does.

    Args:
        row: read back. stage: that departs.
    """
    return row.stage == stage or (stage in STEPPED and row.stage in STEPPED)


def words(layer: str) -> list[str]:
    """Return the words of a layer's path by which code names it: without the number of a call and
    without the last output of a recurrent layer, which has no name in the code.

    Args:
        layer: its path on its side.
    """
    return [*_named(layer.split("/"))]


def _named(parts: list[str]) -> Iterator[str]:
    for place, part in enumerate(parts):
        number = part.removeprefix(CALL)
        call = part.startswith(CALL) and number.isdecimal()
        last = part == LAST and place and place == len(parts) - 1
        if not call and not last:
            yield part
