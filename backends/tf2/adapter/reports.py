"""The survey of a side: what was seen of it when it ran on a batch, in the words that all backends
share."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Sequence, Set, Tuple

import tensorflow as tf

from backends.adapter import averages
from backends.adapter.draws import Draws
from backends.adapter.side import FORWARD, GENERATE, Arrays
from backends.survey import AVERAGE, Draw, Layer, Phase, Survey
from backends.tf2.adapter import layers, objects, optimizers, vocabulary
from backends.tf2.adapter.state import Snapshot, value_of
from backends.tf2.adapter.steps import scalar, scalars
from backends.tf2.adapter.taps import Call, flattened
from backends.tf2.adapter.weights import inner
from backends.tf2.releases import keras_version


def survey(side: Any, arrays: Arrays) -> Survey:
    """Return everything about a side, and leave its state alone.

    Args:
        side: a `Side` that is prepared. arrays: one batch of training rows.
    """
    batch = side.batch(arrays)
    remarks: List[str] = side.own_policies.remarks()
    draws: List[Draw] = []
    generated, output, server = side.watched_look(batch, False, Draws(GENERATE))
    draws += _draws(GENERATE, server)
    calls, _, server = side.watched_look(batch, True, Draws(FORWARD))
    draws += _draws(FORWARD, server)
    phases: List[Phase] = []
    moved: Dict[str, List[str]] = {}
    applied: Dict[str, int] = {}
    hidden: Dict[str, str] = {}
    for phase in side.phases():
        before = side.snapshot()
        try:
            result, capture, server, returned = side.watched_step(phase, batch, Draws(phase))
            hidden.update(_hidden_averages(side, before))
        finally:
            side.restore(before)
        draws += _draws(phase, server)
        names = tuple(dict.fromkeys(result.updated))
        gradients = side.names.pieces_of(result.gradients)
        phases.append(Phase(phase, names, tuple(result.losses), gradients))
        for name, variables in capture.moved.items():
            moved.setdefault(name, []).extend(variables)
            applied.setdefault(name, capture.updated.count(name))
        _note_parts(side, phase, result.losses, capture)
        remarks += _remarks(phase, capture, returned)
    remarks += sorted({draw.reason for draw in draws if draw.reason})
    remarks += [
        f"no step uses the optimizer {name or type(held).__name__}"
        for name, held in side.optimizers.items()
        if name not in moved
    ]
    outputs = {"output" + name: _shape(value) for name, value in flattened(output).items()}
    surveyed = []
    for name, optimizer in side.optimizers.items():
        pieces = side.names.pieces_of(moved.get(name, ()))
        survey_of = optimizers.survey(name, optimizer, side.names.variables, pieces)
        steps = -(-optimizers.accumulation(optimizer) // applied.get(name, 1))
        survey_of.hyperparameters.update(_loss_scale(side, optimizer))
        kept = side.names.pieces_of(optimizers.averaged(optimizer, side.names.variables))
        surveyed.append(dataclasses.replace(survey_of, steps=steps, averages=tuple(kept)))
    ordered = _layers(side, calls or generated)
    return Survey(
        framework=_framework(side),
        pieces=_pieces(side, ordered),
        layers=ordered,
        draws=tuple(draws),
        optimizers=tuple(surveyed),
        phases=tuple(phases),
        outputs=outputs,
        losses=_reductions(side),
        remarks=(*remarks, *averages.sentences(hidden.items())),
        hidden_averages=tuple(averages.sentences(hidden.items())),
    )


def _hidden_averages(side: Any, before: Snapshot) -> List[Tuple[str, str]]:
    """Return what a step has moved as an average of a weight and no slot shows: its name, and the
    weight's."""
    parameters = {id(inner(held)): name for name, held in side.names.variables.items()}
    shown: Set[int] = set()
    for optimizer in side.optimizers.values():
        for name, words in optimizers.slot_variables(optimizer, side.names.variables).items():
            shown.update(id(inner(held)) for held in words.values())
            if AVERAGE in words:
                parameters.pop(id(inner(side.names.variables[name])), None)
    known = {id(inner(held)) for held in side.names.variables.values()}
    weights: Dict[str, Any] = {}
    others: Dict[str, Any] = {}
    for key, (variable, value) in before.variables.items():
        if key in parameters:
            weights[parameters[key]] = value, value_of(variable)
        elif key not in known | shown:
            # Variables that nobody has named have all one name.
            name = variable.name if variable.name not in others else f"{variable.name} {key}"
            others[name] = value, value_of(variable)
    return averages.averaged(others, weights)


def _package(side: Any) -> Any:
    """Return whose Keras the models are made of."""
    kinds = type(next(iter(side.models.values()))).__mro__
    own = [package for package in objects.packages() if package.layers.Layer in kinds]
    return own[0] if own else tf.keras


def _framework(side: Any) -> str:
    return f"keras {keras_version(_package(side))}, tensorflow {tf.__version__}"


def _loss_scale(side: Any, optimizer: Any) -> Dict[str, Any]:
    """Return how an optimizer scales losses, or how Keras will have it do so in float16: it wraps
    the optimizer of a model that is compiled under `mixed_float16`."""
    scales = optimizers.loss_scale(optimizer)
    if scales or side.declared.steps or not side.own_policies.scales_losses():
        return scales
    keras = _package(side)
    wrapped = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.SGD())
    return optimizers.loss_scale(wrapped)


def _shape(value: Any) -> Tuple[int, ...]:
    return tuple(int(size) for size in tf.convert_to_tensor(value).shape)


def _layers(side: Any, calls: Sequence[Call]) -> Tuple[Layer, ...]:
    """Return the layers in the order in which they first finish, and those that are never called
    but have weights."""
    counts: Dict[str, int] = {}
    first: Dict[str, Call] = {}
    for call in calls:
        path = call.place.path
        counts[path] = counts.get(path, 0) + 1
        first.setdefault(path, call)
    rows: List[Layer] = []
    for path, call in first.items():
        if path:
            shapes = tuple(_shape(value) for value in call.outputs)
            rows.append(_layer(call.place, counts[path], shapes))
    owners = {piece.layer for piece in side.names.pieces}
    rows += [
        _layer(place, 0, ())
        for place in side.names.places.values()
        if place.path in owners and place.path and place.path not in first
    ]
    return tuple(rows)


def _layer(place: Any, calls: int, shapes: Tuple[Tuple[int, ...], ...]) -> Layer:
    held = place.layer
    return Layer(
        name=place.path,
        kind=layers.rule(held).kind,
        type=type(held).__name__,
        parent=place.parent,
        calls=calls,
        outputs=shapes,
        axes=layers.output_axes(held, len(shapes[0])) if shapes else None,
        attributes=layers.counted_from_end(layers.attributes(held), shapes),
        initializers=layers.initializers(held),
    )


def _pieces(side: Any, ordered: Sequence[Layer]) -> Tuple[Any, ...]:
    """Return the pieces in the order in which their layers run."""
    places = {layer.name: index for index, layer in enumerate(ordered)}
    last = len(places)
    return tuple(sorted(side.names.pieces, key=lambda piece: places.get(piece.layer, last)))


def _draws(phase: str, server: Any) -> List[Draw]:
    made = []
    for number, entry in enumerate(server.made):
        shown = dict(entry, index=entry["index"] if entry.get("served", True) else number)
        made.append(Draw(phase=phase, **shown))
    return made


def _note_parts(side: Any, phase: str, losses: Dict[str, float], capture: Any) -> None:
    """Remember which of the values that a step returns add up to what it differentiates."""
    own = {name: value for name, value in losses.items() if name != "total"}
    # Optimizers may take means over different numbers of calls, each of its own part of the total.
    total = sum(map(float, capture.whole), 0.0) if capture.whole else losses["total"]
    for name, value in own.items():
        if _close(value, total):
            side.parts[phase] = (name,)
            return
    if own and _close(sum(own.values()), total):
        side.parts[phase] = tuple(own)


def _close(value: float, other: float) -> bool:
    return abs(value - other) <= 1e-5 * max(abs(value), abs(other), 1e-30)


def _remarks(phase: str, capture: Any, returned: Any) -> List[str]:
    remarks = []
    if not capture.totals:
        remarks.append(
            f"the phase {phase} differentiates nothing by a weight of the models: its gradients"
            " cannot be shown"
        )
    if scalar(returned) is None and not scalars(returned):
        remarks.append(
            f"the step of the phase {phase} returns no loss: timed runs of it report none"
        )
    if capture.foreign:
        names = ", ".join(sorted(capture.foreign))
        remarks.append(
            f"the phase {phase} differentiates by variables of none of the models: {names}"
        )
    moved = {name for variables in capture.moved.values() for name in variables}
    gathered = {steps for name, steps in capture.parts.items() if name in moved}
    if gathered:
        steps = " and ".join(map(str, sorted(gathered)))
        remarks.append(
            f"an optimizer of the phase {phase} takes the mean of the gradients of {steps} calls:"
            " its loss and its gradients are shown divided by that, as it is updated with them"
        )
    if capture.repeated:
        names = ", ".join(sorted(capture.repeated))
        remarks.append(
            f"the phase {phase} differentiates several times by {names}: the gradient shown is the"
            " sum"
        )
    return remarks


def _reductions(side: Any) -> Dict[str, str]:
    if side.declared.steps:
        return {}
    model = next(iter(side.models.values()))
    compiled = [item for item in tf.nest.flatten(model.loss) if item is not None]
    if not compiled:
        return {}
    words = {vocabulary.reduction(item) for item in compiled}
    return {side.phases()[0]: "+".join(sorted(words))}
