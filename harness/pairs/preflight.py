"""What both sides are, read back and laid beside each other before anything runs: attributes of
layers, initialisers, optimizers with their schedules, losses; with the stage at which each
difference will show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backends.contract import Stage
from backends.survey import DROPOUT, Layer, Survey
from harness.pairs.attribute_differences import NONE, AttributeDifference, same, worded
from harness.pairs.inference import Against, Inference
from harness.pairs.matches import RAW
from harness.pairs.optimizer_differences import of_optimizers

#: Attributes that a forward pass does not show, with the stage that does.
LATER = {
    "keep": Stage.UPDATE,
    "unbiased_variance": Stage.UPDATE,
    "trainable": Stage.GRADIENTS,
}
#: What dropout layers have, and draws of dropout that stand in no layer.
RATE = "rate"
#: What a difference is called that is a draw of one side alone; its phase is behind it.
DRAW = "draw in"
#: What an adapter says of an initialiser that it cannot tell.
UNKNOWN = "unknown"
#: Terms of a loss that stand for all of it.
TOTALS = frozenset({"total", str(Stage.LOSS)})
#: Words for the padding of a window.
SAME, VALID = "same", "valid"
SHAPED = ("units", "filters", "kernel_size", "heads", "embeddings")


def differences(inference: Inference) -> list[AttributeDifference]:
    """Return everything that is read back and is not the same, in the order of the model.

    Args:
        inference: of the pair.
    """
    rows: list[AttributeDifference] = []
    for other in inference.others:
        sides = inference.first.label, other.side.label
        a, b = inference.first.survey, other.side.survey
        rows += _of_layers(a, b, other, sides)
        rows += _of_parameters(other, sides)
        rows += _of_draws(other, sides)
        rated = {row.where for row in rows if row.what == RATE}
        rows += (row for row in _of_rates(a, b, other, sides) if row.where not in rated)
        rows += of_optimizers(a, b, sides)
        rows += _of_losses(a, b, sides)
    return rows


def initializers(inference: Inference) -> list[AttributeDifference]:
    """Return the layers whose weights begin otherwise on both sides. Both start from the same ones
    in everything that is compared here; a model that is trained from scratch does not.

    Args:
        inference: of the pair.
    """
    rows = []
    for other in inference.others:
        left, right = _layers(inference.first.survey), _layers(other.side.survey)
        sides = inference.first.label, other.side.label
        for name_a, name_b in other.decided.matched.units:
            x, y = left.get(name_a), right.get(name_b)
            if x is None or y is None:
                continue
            for role in sorted(x.initializers.keys() & y.initializers.keys()):
                values = x.initializers[role], y.initializers[role]
                if values[0] != values[1] and UNKNOWN not in values:
                    stage = Stage.DISTRIBUTION
                    rows.append(AttributeDifference(x.name, role, *values, sides, stage))
    return rows


def _layers(survey: Survey) -> dict[str, Layer]:
    return {layer.name: layer for layer in survey.layers}


def _of_layers(
    a: Survey, b: Survey, against: Against, sides: tuple[str, str]
) -> Iterator[AttributeDifference]:
    left, right = _layers(a), _layers(b)
    units = against.decided.matched.units
    pairs = dict.fromkeys([*units, *((tap.a, tap.b) for tap in against.decided.taps)])
    behind_a, behind_b = _activations(a), _activations(b)
    for name_a, name_b in pairs:
        x, y = left.get(name_a), right.get(name_b)
        if x is None or y is None:
            continue
        if x.kind != y.kind:
            # An activation may be shown by a layer of another kind; weights are used by theirs.
            if (name_a, name_b) in units and not {x.kind, y.kind} & {*RAW}:
                values = x.type, y.type
                yield AttributeDifference(x.name, "kind", *values, sides, Stage.FORWARD)
            continue
        ours, theirs = _padded(x.attributes), _padded(y.attributes)
        _settle(ours, theirs, behind_a.get(name_a, ""), behind_b.get(name_b, ""))
        for what in sorted(ours.keys() & theirs.keys()):
            if not same(ours[what], theirs[what]):
                stage = LATER.get(what, Stage.FORWARD)
                if what in SHAPED:
                    stage = Stage.WEIGHTS
                values = worded(ours[what]), worded(theirs[what])
                yield AttributeDifference(x.name, what, *values, sides, stage)


def _padded(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a layer's attributes; a window of one value is padded by nothing, whatever is said."""
    held = dict(attributes)
    sizes = held.get("kernel_size")
    if held.get("padding") == SAME and isinstance(sizes, (list, tuple)) and {*sizes} == {1}:
        held["padding"] = VALID
    return held


def _activations(survey: Survey) -> dict[str, str]:
    """Return, by layer, the activation that runs right behind it as a layer of its own."""
    behind = {}
    for layer, following in zip(survey.layers, survey.layers[1:], strict=False):
        if following.kind == "activation":
            behind[layer.name] = str(following.attributes.get("activation", ""))
    return behind


def _settle(ours: dict[str, Any], theirs: dict[str, Any], behind_a: str, behind_b: str) -> None:
    """Take for the activation of a layer without one that which runs right behind it, if the other
    side has one in the layer; leave both out where nothing can be seen: the forward pass tells."""
    values = [side.get("activation") for side in (ours, theirs)]
    linear = [value in ("linear", None, "") for value in values]
    if linear[0] == linear[1]:
        return
    lacking, behind = (ours, behind_a) if linear[0] else (theirs, behind_b)
    if behind:
        lacking["activation"] = behind
    else:
        ours.pop("activation", None)
        theirs.pop("activation", None)


def _of_parameters(against: Against, sides: tuple[str, str]) -> Iterator[AttributeDifference]:
    matched = against.decided.matched
    for pair in matched.pieces:
        if tuple(pair.a.shape) != tuple(pair.b.shape):
            values = worded(list(pair.a.shape)), worded(list(pair.b.shape))
            yield AttributeDifference(pair.name, "shape", *values, sides, Stage.WEIGHTS)
        if pair.a.trainable != pair.b.trainable:
            values = worded(pair.a.trainable), worded(pair.b.trainable)
            yield AttributeDifference(pair.name, "trainable", *values, sides, Stage.GRADIENTS)
        moved = [len(piece.sources) - len(piece.frozen) for piece in (pair.a, pair.b)]
        if moved[0] != moved[1]:
            values = str(moved[0]), str(moved[1])
            yield AttributeDifference(
                pair.name,
                "trained parameters",
                *values,
                sides,
                Stage.UPDATE,
                "it is their sum: each of several moves as far as the only one does",
            )
    for piece in matched.only_a:
        shape = worded(list(piece.shape))
        yield AttributeDifference(piece.name, "parameter", shape, NONE, sides, Stage.FORWARD)
    for piece in matched.only_b:
        shape = worded(list(piece.shape))
        yield AttributeDifference(piece.name, "parameter", NONE, shape, sides, Stage.FORWARD)


def _of_draws(against: Against, sides: tuple[str, str]) -> Iterator[AttributeDifference]:
    a, b = against.draws.only_a, against.draws.only_b
    for draws, first in ((a, True), (b, False)):
        for draw in draws:
            where = draw.layer or f"phase {draw.phase}"
            text = f"{draw.kind} {worded(list(draw.shape))}"
            values = (text, NONE) if first else (NONE, text)
            why = draw.reason or "the other side draws nothing there"
            stage = Stage.FORWARD if draw.served else None
            if not draw.served:
                why = f"not on the tape: {why}"
            yield AttributeDifference(where, f"{DRAW} {draw.phase}", *values, sides, stage, why)


def _of_rates(
    a: Survey, b: Survey, against: Against, sides: tuple[str, str]
) -> Iterator[AttributeDifference]:
    """Yield the dropouts that are one draw on the tape, and keep another share of it: one in a
    loop, or one that is called as a function, is no layer with a rate."""
    left = {(draw.phase, draw.index): draw for draw in a.draws}
    right = {(draw.phase, draw.index): draw for draw in b.draws}
    rates: dict[str, tuple[float, float]] = {}
    for site in against.draws.sites:
        x, y = left[site.phase, site.a], right[site.phase, site.b]
        if x.kind == DROPOUT and not same(x.keep, y.keep):
            rates.setdefault(x.layer or f"phase {x.phase}", (1.0 - x.keep, 1.0 - y.keep))
    for where, (ours, theirs) in rates.items():
        # Without the digits that subtraction adds.
        values = f"{ours:.6g}", f"{theirs:.6g}"
        yield AttributeDifference(where, RATE, *values, sides, Stage.FORWARD)


def _of_losses(a: Survey, b: Survey, sides: tuple[str, str]) -> Iterator[AttributeDifference]:
    for phase in sorted(a.losses.keys() & b.losses.keys()):
        if a.losses[phase] != b.losses[phase]:
            yield AttributeDifference(
                f"loss of {phase}", "reduction", a.losses[phase], b.losses[phase], sides, Stage.LOSS
            )
    for mine in a.phases:
        beside = next((item for item in b.phases if item.name == mine.name), None)
        alone = {*mine.losses} ^ {*beside.losses} if beside else set()
        for term in sorted(alone - TOTALS):
            values = (
                (term if term in mine.losses else NONE),
                (term if term not in mine.losses else NONE),
            )
            where = f"loss of {mine.name}"
            yield AttributeDifference(where, "term", *values, sides, None, "not compared")
    ours, theirs = {item.name for item in a.phases}, {item.name for item in b.phases}
    for phase in sorted(ours ^ theirs):
        values = (phase if phase in ours else NONE), (phase if phase in theirs else NONE)
        yield AttributeDifference("training step", "phase", *values, sides, None, "left out")
