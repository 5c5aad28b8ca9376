"""The map of a pair as a file: which parameter and which activation of one side is which of the
other's, for people to read and to correct (`pair.map.toml`)."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from backends.survey import Layer, Piece, Survey
from harness.errors import UsageError, remedy
from harness.pairs import steps
from harness.pairs.granularity import stepped
from harness.pairs.inference import Inference
from harness.pairs.matches import RAW, USER, Matched, PiecePair, shaped
from harness.pairs.taps import Axes, TapPair, by_name, paired

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: Bytes; a map of 10,000 parameters has two million.
LARGEST = 1 << 26
HEAD = """\
# Which part of one model is which of the other's. Written by `harness map`, read by
# `harness compare`. Each parameter and layer is named as its own side calls it. Correct what is
# wrong: what stands here is what is compared. `decided` says how an entry was come by: by data
# (both sides agree there on two inputs), by order (kind, shape and place in the forward pass), or
# undecided: look at these. A parameter may need more than the rule of its layer:
#     torch = {piece = "fc/kernel", steps = [["transpose", [1, 0]]]}
"""


@dataclasses.dataclass(frozen=True)
class Entry:
    """One entry of a map. `sides`: by label, the name on that side, or a table of it."""

    name: str
    sides: Mapping[str, Any]
    decided: str = ""


@dataclasses.dataclass(frozen=True)
class MapFile:
    """A map, read."""

    path: Path
    parameters: tuple[Entry, ...]
    layers: tuple[Entry, ...]


def text(inference: Inference) -> str:
    """Return the map of a pair as TOML.

    Args:
        inference: of the pair.
    """
    lines = [HEAD]
    plans = inference.plans()
    how = {pair.name: pair.how for pair in inference.pieces()}
    owners = {inference.first.label: {pair.name: pair.a for pair in inference.pieces()}}
    for other in inference.others:
        owners[other.side.label] = {pair.name: pair.b for pair in other.decided.matched.pieces}
    surveys = {inference.first.label: inference.first.survey}
    surveys.update({other.side.label: other.side.survey for other in inference.others})
    for name, decided in how.items():
        lines += ["[[parameter]]", f"name = {_quoted(name)}"]
        for label, pieces in owners.items():
            lines.append(f"{_key(label)} = {_piece(pieces[name], surveys[label])}")
        lines += [f"decided = {_quoted(decided)}", ""]
    taps = {label: _by_name(plan["taps"]) for label, plan in plans.items()}
    for tap in inference.taps():
        if any(tap.calls):
            continue  # follows from the first call
        lines += ["[[layer]]", f"name = {_quoted(tap.name)}"]
        lines += [f"{_key(label)} = {_layer(own[tap.name])}" for label, own in taps.items()]
        lines += [f"decided = {_quoted(tap.how)}", ""]
    for other in inference.others:
        lines += _unmatched(inference.first.label, (p.name for p in other.decided.matched.only_a))
        lines += _unmatched(other.side.label, (p.name for p in other.decided.matched.only_b))
    return "\n".join(lines)


def _by_name(planned: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {tap["name"]: tap for tap in planned}


def _unmatched(label: str, names: Iterable[str]) -> list[str]:
    return [f"# only {label} has: {_quoted(name)}" for name in names]


def _quoted(value: str) -> str:
    # TOML's strings are JSON's, but for halves of surrogate pairs and for the sign DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(label: str) -> str:
    return label if re.fullmatch(r"[A-Za-z0-9_-]+", label) else _quoted(label)


def _piece(piece: Piece, survey: Survey) -> str:
    own = next(item for item in survey.pieces if item.name == piece.name)
    further = piece.steps[len(own.steps) :]
    if not further:
        return _quoted(piece.name)
    return f"{{piece = {_quoted(piece.name)}, steps = {json.dumps(further)}}}"


def _layer(tap: Mapping[str, Any]) -> str:
    if tap["axes"] is None:
        return _quoted(tap["layer"])
    return f"{{layer = {_quoted(tap['layer'])}, axes = {json.dumps(tap['axes'])}}}"


def read(path: Path, labels: Sequence[str]) -> MapFile:
    """Return a map. Whatever stands there is judged here and by `matched` and `taps`: a mistake in
    it costs a message, and never a traceback.

    Args:
        path: of the file. labels: of the pair's sides.

    Raises:
        UsageError: it is no map, or names a side that the pair does not have.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path}: {path.stat().st_size} bytes are no map of a pair.")
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}. {remedy(error)}.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: no TOML: {error}. Make it again with: harness map") from error
    unknown = sorted(content.keys() - {"parameter", "layer"})
    if unknown:
        raise UsageError(
            f"{path}: [{unknown[0]!r}] is unknown; [[parameter]] and [[layer]] are known."
        )
    return MapFile(
        path,
        tuple(_entries(path, content.get("parameter", []), "parameter", labels)),
        tuple(_entries(path, content.get("layer", []), "layer", labels)),
    )


def _entries(path: Path, content: Any, kind: str, labels: Sequence[str]) -> Iterable[Entry]:
    if not isinstance(content, list):
        raise UsageError(f"{path}: write [[{kind}]], with two brackets, for each of them.")
    seen = set[str]()
    for number, item in enumerate(content, 1):
        where = f"{path}: [[{kind}]] number {number}"
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str) or not name:
            raise UsageError(f"{where} has no name.")
        if not name.isprintable():
            raise UsageError(f"{where}: the name {name!r} holds signs that cannot be printed.")
        if name in seen:
            raise UsageError(f"{where}: {name} is there twice.")
        seen.add(name)
        sides = {key: value for key, value in item.items() if key not in ("name", "decided")}
        for key in sides:
            if key not in labels:
                raise UsageError(f"{where}: there is no side {key!r}. Sides: {', '.join(labels)}.")
        for label in labels:
            if label not in sides:
                raise UsageError(
                    f"{where}: {name} does not say what it is on the side {label}. Delete the entry"
                    " if that side has no such thing."
                )
        decided = item.get("decided", "")
        if not isinstance(decided, str):
            raise UsageError(f"{where}: {name}: decided = {decided!r} is no word.")
        yield Entry(name, sides, decided)


def _named(path: Path, entry: Entry, label: str, noun: str, further: str) -> tuple[str, Any]:
    """Return whom an entry names on a side, and what else it says of it: a name, or a table."""
    value = entry.sides[label]
    table = {noun: value} if isinstance(value, str) else value
    name = table.get(noun) if isinstance(table, dict) else None
    if not isinstance(name, str) or table.keys() - {noun, further}:
        raise UsageError(
            f"{path}: {entry.name}: {label} = {value!r}: the name of a {noun} is wanted, or"
            f' {{{noun} = "...", {further} = [...]}}.'
        )
    return name, table.get(further)


def matched(content: MapFile, a: tuple[str, Survey], b: tuple[str, Survey]) -> Matched:
    """Return which parameters belong together as a map says.

    Args:
        content: the map. a, b: label and survey of the two sides.

    Raises:
        UsageError: a side has no parameter of a name, or a step does not fit.
    """
    pairs, units = [], []
    left, right = by_name(a[1].layers), by_name(b[1].layers)
    for entry in content.parameters:
        x, part = _chosen(content.path, entry, *a)
        y, _ = _chosen(content.path, entry, *b)
        kind_a, kind_b = _kind(left, x), _kind(right, y)
        free = kind_a != kind_b or kind_a in RAW
        pairs.append(PiecePair(entry.name, x, shaped(y, x.shape, free), USER, part, free))
        units.append((x.layer, y.layer))
    if a[1].pieces and b[1].pieces and not pairs:
        raise UsageError(
            f"{content.path}: there is no [[parameter]], so that the two models have nothing in"
            " common. Make it again with: harness map"
        )
    used_a = {source for pair in pairs for source in pair.a.sources}
    used_b = {source for pair in pairs for source in pair.b.sources}
    return Matched(
        tuple(pairs),
        tuple(dict.fromkeys(units)),
        tuple(piece for piece in a[1].pieces if not used_a & {*piece.sources}),
        tuple(piece for piece in b[1].pieces if not used_b & {*piece.sources}),
    )


def _kind(layers: Mapping[str, Layer], piece: Piece) -> str:
    return layers[piece.layer].kind if piece.layer in layers else RAW[0]


def _chosen(
    path: Path, entry: Entry, label: str, survey: Survey
) -> tuple[Piece, tuple[tuple[object, ...], ...]]:
    name, written = _named(path, entry, label, "piece", "steps")
    piece = next((item for item in survey.pieces if item.name == name), None)
    if piece is None:
        known = ", ".join(item.name for item in survey.pieces[:8])
        raise UsageError(
            f"{path}: {entry.name}: the side {label} has no parameter {name!r}. It has: {known}"
            f"{', ...' if len(survey.pieces) > 8 else ''}"
        )
    if written is not None and not isinstance(written, list):
        raise UsageError(f"{path}: {entry.name}: {label}: steps = {written!r} is no list of steps.")
    own = piece
    try:
        for step in written or ():
            piece = stepped(piece, steps.checked(step, piece.shape))
    except ValueError as error:
        raise UsageError(f"{path}: {entry.name}: {label}: {error}.") from error
    return piece, tuple(piece.steps[len(own.steps) :])


def taps(content: MapFile, a: tuple[str, Survey], b: tuple[str, Survey]) -> list[TapPair]:
    """Return which activations belong together as a map says.

    Args:
        content: the map. a, b: label and survey of the two sides.

    Raises:
        UsageError: a side has no layer of a name, or it shows nothing.
    """
    pairs = []
    for entry in content.layers:
        x, axes_a = _shown(content.path, entry, *a)
        y, axes_b = _shown(content.path, entry, *b)
        pair = dataclasses.replace(paired(x, y, USER), name=entry.name)
        if axes_a is not None:
            pair = dataclasses.replace(pair, axes_a=axes_a)
        if axes_b is not None:
            pair = dataclasses.replace(pair, axes_b=axes_b)
        pairs.append(pair)
    return pairs


def _shown(path: Path, entry: Entry, label: str, survey: Survey) -> tuple[Layer, Axes]:
    """Return the layer that an entry names on a side, and the order of axes, checked."""
    name, order = _named(path, entry, label, "layer", "axes")
    layer = by_name(survey.layers).get(name)
    if layer is None:
        raise UsageError(f"{path}: {entry.name}: the side {label} has no layer {name!r}.")
    if not layer.outputs:
        raise UsageError(
            f"{path}: {entry.name}: the layer {name!r} of the side {label} returns nothing that can"
            " be compared. Delete the entry."
        )
    if order is None:
        return layer, None
    rank = len(layer.outputs[0])
    if not steps.whole_numbers(order) or sorted(order) != list(range(rank)):
        raise UsageError(
            f"{path}: {entry.name}: axes = {order!r} is no order of the {rank} axes of {name}."
        )
    return layer, tuple(order)
