"""What an adapter of a TF1 graph finds out: the survey of a side, made by running it once."""

from __future__ import annotations

from typing import Any, Dict, Iterable, Iterator, List, Mapping, Tuple

import numpy as np
import tensorflow
import tensorflow.compat.v1 as tf

from backends.adapter.draws import SERVED
from backends.adapter.side import FORWARD, GENERATE, Arrays
from backends.survey import AVERAGE, DROPOUT, Draw, Layer, OptimizerSurvey, Phase, Survey
from backends.tf1.adapter import hidden_averages
from backends.tf1.adapter.apply_ops import EPSILON_PLACES, Optimizer
from backends.tf1.adapter.constants import decimal, rounded
from backends.tf1.adapter.draws import RANDOM, Call
from backends.tf1.adapter.initial_values import initializer

#: By kind, the slot whose values before the first update are part of it, and the word for them:
#: `tf.train.RMSPropOptimizer` begins with 1.
FIRST = {
    "rmsprop": ("v", "first_square"),
    "adagrad": ("sum", "initial_accumulator"),
    "ftrl": ("sum", "initial_accumulator"),
}
#: What Keras feeds with whether it trains.
LEARNING = "keras_learning_phase"
UPDATES = (0, 1, 10)


def fetched(fetches: Any) -> Iterator[str]:
    """Yield the names in what a session is asked for.

    Args:
        fetches: names, in lists and dicts.
    """
    if isinstance(fetches, str):
        yield fetches
        return
    for item in fetches.values() if isinstance(fetches, Mapping) else fetches:
        yield from fetched(item)


def survey(side: Any, arrays: Arrays) -> Survey:
    """Return the survey of a side.

    Args:
        side: a `Side`. arrays: one batch of training rows.
    """
    model = side.model
    calls = _draws(side, arrays)
    draws = [draw for rows in calls.values() for draw in rows]
    pieces = side.layers.pieces()
    by_source: Dict[str, List[str]] = {}
    for piece in pieces:
        for source in piece.sources:
            by_source.setdefault(source, []).append(piece.name)
    shapes = _shapes(side, arrays)
    phases = []
    for phase in model.trains:
        gradients = _pieces_of(model.gradients(phase), by_source)
        optimizers = tuple(side.optimizers.of_phase(phase))
        losses = tuple(model.loss_names(phase))
        phases.append(Phase(phase, optimizers, losses, gradients))
    hidden = hidden_averages.of(side, arrays)
    return Survey(
        framework=f"tensorflow {tensorflow.__version__}",
        pieces=pieces,
        layers=_layers(side, shapes, _rates(draws), _measured(side, arrays)),
        draws=tuple(draws),
        optimizers=tuple(
            _optimizer(side, optimizer, arrays, by_source) for optimizer in side.optimizers.all
        ),
        phases=tuple(phases),
        outputs={name: shapes[name] for name in model.outputs},
        losses=_reductions(model),
        remarks=(*_remarks(side, draws), *hidden),
        hidden_averages=tuple(hidden),
        unseen_averages=tuple(side.optimizers.averages.unseen),
    )


def _pieces_of(variables: Iterable[str], by_source: Mapping[str, List[str]]) -> Tuple[str, ...]:
    names: Dict[str, None] = {}
    for variable in variables:
        names.update(dict.fromkeys(by_source.get(variable, [])))
    return tuple(names)


# -- draws -----------------------------------------------------------------------------------------


def _draws(side: Any, arrays: Arrays) -> Dict[str, List[Draw]]:
    """Return the draws by phase and pseudo-phase; those that are not served come last of each."""
    model = side.model
    taps = {layer.name: layer.calls[0] for layer in side.layers.all if layer.calls}
    looked = dict(taps, **model.outputs)
    runs: Dict[str, Tuple[Any, bool]] = {FORWARD: (looked, True), GENERATE: (looked, False)}
    for phase in model.trains:
        runs[phase] = side.step_fetches(phase, True), True
    result = {}
    for phase, (fetches, training) in runs.items():
        order = side.order(fetches, model.feed(arrays, training))
        served = [call for call in order if call[0].kind in SERVED]
        others = [call for call in order if call[0].kind not in SERVED]
        others += [(site, site.shape, 1.0) for site in model.left(fetched(fetches))]
        rows = [_draw(phase, index, call) for index, call in enumerate(served + others)]
        result[phase] = rows
    return result


def _draw(phase: str, index: int, call: Call) -> Draw:
    site, shape, keep = call
    return Draw(
        phase=phase,
        index=index,
        layer=site.layer,
        kind=site.kind,
        shape=shape,
        keep=keep,
        low=site.low,
        high=site.high_bound,
        mean=site.mean,
        deviation=site.deviation,
        served=site.kind in SERVED,
        reason=site.reason,
    )


def _rates(draws: List[Draw]) -> Dict[str, float]:
    """Return the dropped share of each layer, in training."""
    rates: Dict[str, float] = {}
    for draw in draws:
        if draw.kind == DROPOUT and draw.phase != GENERATE:
            rates.setdefault(draw.layer, rounded(1.0 - draw.keep))
    return rates


# -- layers ----------------------------------------------------------------------------------------


def _shapes(side: Any, arrays: Arrays) -> Dict[str, Tuple[int, ...]]:
    """Return the shapes of what the layers and inference give, by layer and output."""
    names = {layer.name: layer.calls[0] for layer in side.layers.all if layer.calls}
    names.update(side.model.outputs)
    values = side.evaluate(list(names.values()), side.model.feed(arrays, training=False))
    return {name: np.shape(value) for name, value in zip(names, values)}


def _measured(side: Any, arrays: Arrays) -> Dict[str, Dict[str, float]]:
    """Return the attributes that are values of tensors in training, by layer."""
    feed = side.model.feed(arrays, training=True)
    result: Dict[str, Dict[str, float]] = {}
    for layer in side.layers.all:
        for word, (name, complement) in layer.measured.items():
            try:
                value = decimal(side.evaluate([name], feed)[0])
            except tf.errors.InvalidArgumentError:  # it is in a branch that is not taken
                continue
            # Without the digits that subtraction adds.
            share = rounded(1.0 - value) if complement else value
            result.setdefault(layer.name, {})[word] = share
    return result


def _layers(
    side: Any,
    shapes: Mapping[str, Tuple[int, ...]],
    rates: Mapping[str, float],
    measured: Mapping[str, Mapping[str, float]],
) -> Tuple[Layer, ...]:
    layers = []
    trainable = {piece.layer for piece in side.layers.pieces() if piece.trainable}
    for item in side.layers.all:
        attributes, words = dict(item.attributes, **measured.get(item.name, {})), {}
        if item.kind == "dropout" and item.name in rates:
            attributes["rate"] = rates[item.name]
        if item.parts:
            attributes["trainable"] = item.name in trainable
        for part in item.parts:
            source = part.sources[0]
            word = initializer(side.model.graph, source, side.model.shapes[source])
            if word:
                words[part.role] = word + _added(part.steps)
        layers.append(
            Layer(
                name=item.name,
                kind=item.kind,
                type=item.type,
                calls=len(item.calls),
                outputs=(shapes[item.name],) if item.calls else (),
                axes=item.axes,
                attributes=attributes,
                initializers=words,
            )
        )
    return tuple(layers)


def _added(steps: Iterable[Tuple[Any, ...]]) -> str:
    """Return what a cell adds to its forget gate, as a part of how its bias begins."""
    shifts = [step[-1] for step in steps if step[0] == "shift"]
    return "".join(f", forget gate {value:g}" for value in shifts)


# -- optimizers ------------------------------------------------------------------------------------


def _optimizer(
    side: Any, optimizer: Optimizer, arrays: Arrays, by_source: Mapping[str, List[str]]
) -> OptimizerSurvey:
    feed = side.model.feed(arrays, training=True)
    values = side.evaluate(list(optimizer.operands.values()), feed)
    words: Dict[str, Any] = {
        word: decimal(value) for word, value in zip(optimizer.operands, values)
    }
    words.update(optimizer.attributes)
    if optimizer.kind in EPSILON_PLACES:
        words["epsilon_place"] = EPSILON_PLACES[optimizer.kind]
    if optimizer.kind == "adagrad" and "epsilon" in words:
        words["epsilon_place"] = "outside"  # the second kernel, which Keras 2 calls
    if optimizer.kind in FIRST:
        slot, word = FIRST[optimizer.kind]
        first = _first(side.slots().get(optimizer.name, {}).values(), slot)
        if first:
            words[word] = first
    for phase in optimizer.phases:
        words.update(side.optimizers.clipping(phase))
    rates = {}
    if "learning_rate" in optimizer.operands:
        rates = _rates_of(side, optimizer.operands["learning_rate"], feed)
    slots: List[str] = []
    for held in optimizer.slots.values():
        slots += [word for word in held if word not in slots]
    return OptimizerSurvey(
        name=optimizer.name,
        type=optimizer.type,
        kind=optimizer.kind,
        hyperparameters=words,
        rates=rates,
        slots=tuple(slots),
        pieces=_pieces_of(optimizer.slots, by_source),
        averages=_pieces_of(side.optimizers.places(optimizer.name, AVERAGE), by_source),
    )


def _first(slots: Iterable[Arrays], word: str) -> float:
    """Return what all slots of one word hold before the first update; 0 where they differ."""
    held = [value for words in slots for name, value in words.items() if name == word]
    distinct = {float(item) for value in held for item in np.unique(value)}
    return distinct.pop() if len(distinct) == 1 else 0.0


def _rates_of(side: Any, rate: str, feed: Mapping[str, Any]) -> Dict[str, float]:
    """Return the learning rate at some updates, by setting the counts that it is computed from."""
    model = side.model
    cone = model.cones.above([rate])
    counts = [
        name
        for name, op in model.variables.items()
        if name in cone and op.get_attr("dtype").is_integer and model.shapes[name] == ()
    ]
    rates = {}
    for update in UPDATES:
        state = {name: side.start[name] + update for name in counts}
        rates[str(update)] = decimal(side.evaluate([rate], feed, state)[0])
    return rates


# -- remarks ---------------------------------------------------------------------------------------


def _reductions(model: Any) -> Dict[str, str]:
    words = {"Mean": "mean", "Sum": "sum"}
    reductions = {}
    for phase in model.trains:
        totals = [name for key, name in model.losses(phase).items() if key.startswith("total")]
        if len(totals) == 1:
            op = model.graph.get_tensor_by_name(totals[0]).op
            while op.type in ("Identity", "RealDiv", "DivNoNan", "Select", "SelectV2"):
                # tf.losses divide a sum by a count
                kind, op = op.type, op.inputs[0].op
                if kind != "Identity" and op.type == "Sum":
                    reductions[phase] = "mean"
            if op.type in words:
                reductions.setdefault(phase, words[op.type])
    return reductions


def _remarks(side: Any, draws: List[Draw]) -> Iterator[str]:
    model = side.model
    yield from model.remarks
    yield from side.optimizers.averages.remarks
    run = model.cones.above([name for names in model.trains.values() for name in names])
    updates = [getattr(item, "op", item).name for item in model.collection("update_ops")]
    missing = [name for name in updates if name not in run]
    if missing and model.trains:
        yield (
            f"UPDATE_OPS are not run: {len(missing)} of {len(updates)} updates ({missing[0]}, ...)"
            " are no part of the training operation, so that these moving averages never move"
        )
    phase_of_keras = [op.name for op in model.graph.get_operations() if op.name == LEARNING]
    if phase_of_keras and LEARNING + ":0" not in model.feed({}, training=True):
        yield f"{LEARNING} is not fed: give it in training=, or Keras' layers never train"
    if side.uninitialized:
        yield f"variables without an initial value: {', '.join(sorted(side.uninitialized)[:5])}"
    for phase in model.trains:
        if phase in model.taken_from_updates:
            yield (
                f"{phase}: the gradients are those that the update applies, after any clipping:"
                " a graph that is loaded does not say what was differentiated"
            )
    library = [node.op for item in model.definition.library.function for node in item.node_def]
    if set(library) & set(RANDOM):
        yield "what is random inside of functions of the graph (tf.function) is not served"
    unserved = sorted({f"{draw.layer}: {draw.reason}" for draw in draws if not draw.served})
    yield from unserved
