"""Small models in NumPy, as two people would write them, with what an adapter would find out about
each: what the matching of a pair is tried on. The perceptron that has a training step of its own is
`tests/backends/adapter/perceptron.py`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from backends.adapter.pieces import apply, canonical, own_values
from backends.adapter.side import Tap
from backends.contract import Setting
from backends.survey import Layer, Piece, Survey
from harness.pairs import agreement, decisions, draws, matches, start_values, taps
from harness.pairs.agreement import Walk
from harness.pairs.decisions import Decided
from harness.pairs.inference import Against, Inference, SurveyedSide
from harness.pairs.matches import Matched
from tests.backends.adapter.perceptron import BATCH, INPUTS, OUTPUTS, Perceptron, declared

Values = Mapping[str, np.ndarray]
WIDTH, TIME, ROWS = 4, 3, 6


def survey(pieces: Sequence[Piece], layers: Sequence[Layer], **more: Any) -> Survey:
    """A survey with what is left out empty."""
    empty = {"draws": (), "optimizers": (), "phases": (), "outputs": {}}
    return Survey("numpy", tuple(pieces), tuple(layers), **{**empty, **more})


def piece(layer: str, role: str, shape: Sequence[int], **more: Any) -> Piece:
    """A piece that is a parameter as it is."""
    name = f"{layer}/{role}"
    options = {"trainable": True, "sources": (name,), **more}
    return Piece(name, layer, role, tuple(shape), **options)


@dataclasses.dataclass(frozen=True)
class Model:
    """A model. `run`: from weights in its own layout and inputs to what each layer returns, in the
    order in which they finish. `shapes`: of its own parameters."""

    survey: Survey
    run: Callable[[Values, np.ndarray], dict[str, np.ndarray]]
    shapes: Mapping[str, tuple[int, ...]]

    def own(self, seed: int) -> dict[str, np.ndarray]:
        """Weights of its own."""
        generator = np.random.RandomState(seed)
        return {name: generator.normal(size=shape) for name, shape in self.shapes.items()}


def decide(a: Model, b: Model, inputs: Sequence[np.ndarray]) -> Decided:
    """Lay two models beside each other, as `harness.experiments.pair_survey` does with workers."""
    matched = matches.by_rule(a.survey, b.survey)
    shown = taps.by_rule(a.survey, b.survey, [*matched.units, *matched.shown])
    mine = a.own(1)
    start = {part.name: canonical(part, mine) for part in a.survey.pieces}
    walk_a = walked(a, a.survey.pieces, start, 1, inputs)

    def run_b(choice: Matched) -> Walk:
        parts, held = [], {}
        for pair in choice.pieces:
            value = apply(start[pair.a.name], pair.part)
            if tuple(pair.b.shape) == value.shape:
                parts.append(dataclasses.replace(pair.b, name=pair.name))
                held[pair.name] = value
        return walked(b, parts, held, 2, inputs)

    return decisions.decide(matched, shown, walk_a, run_b, [each.name for each in a.survey.layers])


def walked(
    model: Model, parts: Sequence[Piece], values: Values, seed: int, inputs: Sequence[np.ndarray]
) -> dict[str, np.ndarray]:
    """What the layers return on given weights, by input and layer."""
    own = own_values(parts, values, model.own(seed))
    return {
        f"{number}/{name}": value
        for number, x in enumerate(inputs)
        for name, value in model.run(own, x).items()
    }


def two_inputs(*shape: int) -> list[np.ndarray]:
    """Two inputs of so many axes behind the rows."""
    generator = np.random.RandomState(9)
    return [generator.normal(size=(ROWS, *shape)) for _ in range(agreement.INPUTS)]


ATTENDED, FLAT, IMAGES = two_inputs(TIME, WIDTH), two_inputs(WIDTH), two_inputs(2, 3, WIDTH)


def chosen(decided: Decided) -> dict[str, str]:
    """Which of the second side's pieces each parameter is taken for."""
    return {pair.name: pair.b.name for pair in decided.matched.pieces}


def ways(decided: Decided) -> dict[str, str]:
    """How each parameter was come by."""
    return {pair.name: pair.how for pair in decided.matched.pieces}


# -- attention -------------------------------------------------------------------------------------

NAMES = ("query", "key", "value", "out")


def attention(
    names: Sequence[str] = NAMES, order: Sequence[int] = (0, 1, 2), crossed: bool = False
) -> Model:
    """Attention of one head. `names`: of the layers of q, k, v and what is behind. `order`: in
    which q, k and v are computed. `crossed`: q and k exchanged in the scores."""
    pieces = [
        piece(name, role, shape)
        for name in names
        for role, shape in (("kernel", (WIDTH, WIDTH)), ("bias", (WIDTH,)))
    ]
    shape = ((ROWS, TIME, WIDTH),)
    ran = [names[index] for index in order]
    layers = [Layer(name, "dense", "Dense", outputs=shape) for name in (*ran, names[3])]

    def run(own: Values, x: np.ndarray) -> dict[str, np.ndarray]:
        shown = {name: x @ own[f"{name}/kernel"] + own[f"{name}/bias"] for name in ran}
        mixed = mix(*(shown[name] for name in names[:3]), crossed)
        shown[names[3]] = mixed @ own[f"{names[3]}/kernel"] + own[f"{names[3]}/bias"]
        return shown

    return Model(survey(pieces, layers), run, {part.name: part.shape for part in pieces})


def mix(q: np.ndarray, k: np.ndarray, v: np.ndarray, crossed: bool = False) -> np.ndarray:
    """Attend."""
    q, k = (k, q) if crossed else (q, k)
    scores = q @ np.swapaxes(k, 1, 2)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return (weights / weights.sum(-1, keepdims=True)) @ v


def fused(order: Sequence[int] = (0, 1, 2)) -> Model:
    """The same with one kernel for q, k and v, in an order of its own."""
    kernel, bias = (WIDTH, 3 * WIDTH), (3 * WIDTH,)
    pieces = [piece("qkv", "kernel", kernel), piece("qkv", "bias", bias)]
    pieces += [piece("out", "kernel", (WIDTH, WIDTH)), piece("out", "bias", (WIDTH,))]
    shape = (ROWS, TIME, WIDTH)
    layers = [
        Layer("qkv", "dense", "Dense", outputs=((*shape[:2], 3 * WIDTH),)),
        Layer("out", "dense", "Dense", outputs=(shape,)),
    ]

    def run(own: Values, x: np.ndarray) -> dict[str, np.ndarray]:
        together = x @ own["qkv/kernel"] + own["qkv/bias"]
        parts = np.split(together, 3, -1)
        mixed = mix(*(parts[index] for index in order))
        return {"qkv": together, "out": mixed @ own["out/kernel"] + own["out/bias"]}

    return Model(survey(pieces, layers), run, {part.name: part.shape for part in pieces})


def one_layer(crossed: bool = False) -> Model:
    """The same as one layer, as Keras has it. `crossed`: as above."""
    parts = ("query", "key", "value", "output")
    inside = attention(parts, crossed=crossed)
    pieces = [
        piece("block/attend", part.name, part.shape, sources=(part.name,))
        for part in inside.survey.pieces
    ]
    layers = [Layer("block/attend", "attention", "MHA", outputs=((ROWS, TIME, WIDTH),))]

    def run(own: Values, x: np.ndarray) -> dict[str, np.ndarray]:
        return {"block/attend": inside.run(own, x)["output"]}

    return Model(survey(pieces, layers), run, inside.shapes)


# -- one matrix, and images ------------------------------------------------------------------------


def square(name: str = "mine", kind: str = "other", role: str = "w", turned: bool = False) -> Model:
    """One square matrix. `turned`: it is multiplied the other way round."""
    part = piece(name, role, (WIDTH, WIDTH))
    layer = Layer(name, kind, "Mine", outputs=((ROWS, WIDTH),))

    def run(own: Values, x: np.ndarray) -> dict[str, np.ndarray]:
        return {name: x @ (own[part.name].T if turned else own[part.name])}

    return Model(survey([part], [layer]), run, {part.name: part.shape})


def images(channels_first: bool, kernel: tuple[int, int] = (1, 1), bias: bool = True) -> Model:
    """A convolution of 1x1 on images [2, 3, WIDTH], flattened, and a dense layer."""
    height, width, outputs = 2, 3, 5
    turn = (("transpose", (2, 3, 1, 0)),) if channels_first else ()
    own_shape = (WIDTH, WIDTH, *kernel) if channels_first else (*kernel, WIDTH, WIDTH)
    pieces = [
        piece("conv", "kernel", (*kernel, WIDTH, WIDTH), steps=turn),
        piece("dense", "kernel", (height * width * WIDTH, outputs)),
    ]
    pieces += [piece("dense", "bias", (outputs,))] if bias else []
    space = (ROWS, height, width, WIDTH)
    shown = (ROWS, WIDTH, height, width) if channels_first else space
    layers = [
        Layer(
            "conv",
            "conv",
            "Conv2d",
            outputs=(shown,),
            axes=(0, 2, 3, 1) if channels_first else None,
        ),
        Layer("dense", "dense", "Dense", outputs=((ROWS, outputs),)),
    ]

    def run(own: Values, x: np.ndarray) -> dict[str, np.ndarray]:
        weights = canonical(pieces[0], own)[0, 0]
        image = np.tanh(x @ weights)
        image = np.transpose(image, (0, 3, 1, 2)) if channels_first else image
        flat = image.reshape(len(x), -1)
        return {"conv": image, "dense": flat @ own["dense/kernel"] + own.get("dense/bias", 0.0)}

    shapes = {part.name: part.shape for part in pieces}
    return Model(survey(pieces, layers), run, {**shapes, "conv/kernel": own_shape})


# -- the perceptron --------------------------------------------------------------------------------


def perceptrons(fault: str = "") -> tuple[Perceptron, Perceptron]:
    """The perceptron of one framework, and of another, which has the fault."""
    return (
        Perceptron(declared("plain"), Setting()),
        Perceptron(declared("turned", fault, 1), Setting()),
    )


def perceptron_data() -> dict[str, np.ndarray]:
    """Data of the perceptron, as a worker writes them."""
    generator = np.random.RandomState(3)
    x, y = generator.normal(size=(20, INPUTS)), generator.normal(size=(20, OUTPUTS))
    return {"x": x, "y": y, "eval_x": x[:BATCH]}


def inferred(
    fault: str = "", begins: tuple[bool, bool] = (False, False)
) -> tuple[Inference, dict[str, Perceptron]]:
    """All that is decided about two perceptrons, and the sides by label; which of them brings its
    weights."""
    first, second = perceptrons(fault)
    data = perceptron_data()
    rows = {name: data[name][:BATCH] for name in ("x", "y")}
    a, b = (
        dataclasses.replace(side.survey(rows), begins=brings)
        for side, brings in zip((first, second), begins, strict=True)
    )
    generator = np.random.RandomState(0)
    values = {part.name: canonical(part, first.parameters()) for part in a.pieces}
    start = {
        part.name: start_values.alike(part.role, values[part.name], generator) for part in a.pieces
    }
    models = [_as_model(side, own) for side, own in ((first, a), (second, b))]
    matched = matches.by_rule(a, b)
    shown = taps.by_rule(a, b, matched.units)
    inputs = [data["x"][:BATCH], data["x"][::-1][:BATCH]]
    walk_a = walked(models[0], a.pieces, start, 1, inputs)

    def run_b(choice: Matched) -> Walk:
        parts = [dataclasses.replace(pair.b, name=pair.name) for pair in choice.pieces]
        return walked(models[1], parts, start, 2, inputs)

    decided = decisions.decide(matched, shown, walk_a, run_b)
    against = Against(SurveyedSide("turned", "port", b), decided, draws.match(a, b))
    made = Inference(SurveyedSide("plain", "original", a), (against,), BATCH, data, values)
    return made, {"plain": first, "turned": second}


def _as_model(side: Perceptron, own: Survey) -> Model:
    taps_of = [Tap(layer.name, layer.name) for layer in own.layers]

    def run(values: Values, x: np.ndarray) -> dict[str, np.ndarray]:
        side.assign(values)
        return side.look({"x": x}, False, None, taps_of)

    return Model(own, run, {name: value.shape for name, value in side.parameters().items()})
