"""A `Side` without a framework: a perceptron of two layers with dropout in NumPy, as a user of one
framework would have written it, and as a user of another: kernels the other way round, other names,
dropout drawn with the features in front. Both are the same model.

A fault can be planted in one of them.
"""

from __future__ import annotations

import copy
import dataclasses

import numpy as np

from backends import pair
from backends.adapter.draws import Draws, kept
from backends.adapter.port import Port
from backends.adapter.side import FORWARD, Side, StepResult
from backends.contract import ForcedActivations, Setting
from backends.survey import DROPOUT, Draw, Layer, OptimizerSurvey, Phase, Piece, Survey

INPUTS, HIDDEN, OUTPUTS, BATCH = 4, 6, 3, 5
TRAIN = "train"
#: By layout: own names of the two layers, of their kernel and their bias.
NAMES = {
    "plain": {"layers": ("hidden", "classes"), "kernel": "/kernel:0", "bias": "/bias:0"},
    "turned": {"layers": ("fc1", "fc2"), "kernel": ".weight", "bias": ".bias"},
}
FAULTS = ("no_relu", "keep", "momentum", "scaled_gradient", "restless", "wrong_order")


class Net:
    """What a user has: weights, an optimizer, how it is laid out."""

    def __init__(self, layout="plain", fault="", seed=0):
        assert not fault or fault in FAULTS
        self.layout, self.fault = layout, fault
        self.keep = 0.6 if fault == "keep" else 0.75
        self.rate, self.momentum = 0.1, 0.8 if fault == "momentum" else 0.9
        generator = np.random.RandomState(seed)
        self.weights, self.velocity, self.updates = {}, {}, 0
        sizes = ((INPUTS, HIDDEN), (HIDDEN, OUTPUTS))
        for layer, size in zip(NAMES[layout]["layers"], sizes):
            kernel = generator.normal(size=size)
            self.weights[layer + NAMES[layout]["kernel"]] = self._own(kernel)
            self.weights[layer + NAMES[layout]["bias"]] = np.zeros(size[1])

    def _own(self, kernel):
        return kernel.T.copy() if self.layout == "turned" else kernel

    def both(self, word):
        """Kernels [in, out], or biases, of both layers."""
        names = [layer + NAMES[self.layout][word] for layer in NAMES[self.layout]["layers"]]
        values = [self.weights[name] for name in names]
        return [self._own(value) for value in values] if word == "kernel" else values

    def named(self, kernels, biases):
        """Gradients by own names, in the own layout."""
        own = {}
        for layer, kernel, bias in zip(NAMES[self.layout]["layers"], kernels, biases):
            own[layer + NAMES[self.layout]["kernel"]] = self._own(kernel)
            own[layer + NAMES[self.layout]["bias"]] = bias
        return own


def declared(layout="plain", fault="", seed=0):
    """Return a function as a pair file has it."""
    return lambda: pair.keras(Net(layout, fault, seed))


class Perceptron(Side):
    """The adapter of this framework."""

    def _declared(self, function):
        made = function()
        self.net, self.begun, self.steps_seen = made.models[""], 0, 0
        return made

    @property
    def layers(self):
        first, second = NAMES[self.net.layout]["layers"]
        return first, first + "/relu", first + "/dropout", second

    def survey(self, arrays):
        net, names = self.net, NAMES[self.net.layout]
        turned = (("transpose", (1, 0)),) if net.layout == "turned" else ()
        pieces, sizes = [], ((INPUTS, HIDDEN), (HIDDEN, OUTPUTS))
        for layer, size in zip(names["layers"], sizes):
            for role, shape, steps in (("kernel", size, turned), ("bias", size[1:], ())):
                own = (layer + names[role],)
                name = layer + "/" + role
                pieces.append(Piece(name, layer, role, shape, True, sources=own, steps=steps))
        rows = len(arrays["x"])
        first, relu, dropout, second = self.layers
        shape = (HIDDEN, rows) if net.layout == "turned" else (rows, HIDDEN)
        layers = (
            Layer(first, "dense", "Dense", outputs=((rows, HIDDEN),), attributes={"units": HIDDEN}),
            Layer(relu, "activation", "ReLU", outputs=((rows, HIDDEN),)),
            Layer(dropout, "dropout", "Dropout", outputs=(shape,), attributes={"keep": net.keep}),
            Layer(second, "dense", "Dense", outputs=((rows, OUTPUTS),)),
        )
        draws = tuple(
            Draw(phase, 0, dropout, DROPOUT, shape, keep=net.keep) for phase in (TRAIN, FORWARD)
        )
        hyper = {"momentum": net.momentum, "learning_rate": net.rate}
        rates = {"0": net.rate, "1": net.rate, "10": net.rate}
        every = tuple(piece.name for piece in pieces)
        optimizer = OptimizerSurvey(
            "", "SGD", "sgd", hyper, rates, slots=("momentum",), pieces=every
        )
        return Survey(
            framework="perceptron 1",
            pieces=tuple(pieces),
            layers=layers,
            draws=draws,
            optimizers=(optimizer,),
            phases=(Phase(TRAIN, ("",), ("total",), every),),
            outputs={"output": (rows, OUTPUTS)},
            losses={TRAIN: "mean"},
        )

    # -- state -------------------------------------------------------------------------------------

    def parameters(self):
        return {name: value.copy() for name, value in self.net.weights.items()}

    def assign(self, values):
        for name, value in values.items():
            assert self.net.weights[name].shape == value.shape
            self.net.weights[name] = np.array(value, np.float64)

    def reset(self):
        self.net.velocity, self.net.updates = {}, 0

    def snapshot(self):
        return copy.deepcopy((self.net.weights, self.net.velocity, self.net.updates))

    def restore(self, snapshot):
        if self.net.fault != "restless":
            self.net.weights, self.net.velocity, self.net.updates = copy.deepcopy(snapshot)

    def slots(self):
        return {"": {name: {"momentum": value} for name, value in self.net.velocity.items()}}

    def assign_slots(self, optimizer, word, values):
        self.net.velocity.update((name, np.array(value)) for name, value in values.items())

    def counts(self):
        return {"": self.net.updates}

    def seed(self, seed):
        self.begun, self.steps_seen = seed, 0

    # -- runs --------------------------------------------------------------------------------------

    def _mask(self, shape, draws):
        """Draw what is kept, features in front where that is the framework's layout."""
        if draws is None:
            return (
                np.random.RandomState([self.begun, self.steps_seen]).random_sample(shape)
                < self.net.keep
            )
        if self.net.layout == "turned":
            return kept(draws, shape[::-1], self.net.keep).T
        return kept(draws, shape, self.net.keep)

    def _walk(self, x, training, draws, teacher):
        """Yield each layer with its value [rows, features]; go on from the teacher's if it has
        one."""
        (first, second), (one_bias, two_bias) = self.net.both("kernel"), self.net.both("bias")
        hidden, relu, dropout, classes = self.layers
        value = x @ first + one_bias
        yield hidden, value
        value = teacher.get(hidden, value)
        value = value if self.net.fault == "no_relu" else np.maximum(value, 0)
        yield relu, value
        value = teacher.get(relu, value)
        if training:
            value = value * self._mask(value.shape, draws) / self.net.keep
        yield dropout, value
        value = teacher.get(dropout, value)
        yield classes, value @ second + two_bias

    def _shown(self, layer, value):
        """Own layout: the turned side has its features in front behind dropout."""
        return value.T if self.net.layout == "turned" and layer.endswith("dropout") else value

    def look(self, arrays, training, draws, taps):
        values = dict(self._walk(arrays["x"], training, draws, {}))
        shown = {tap.name: self._shown(tap.layer, values[tap.layer]) for tap in taps}
        return dict(shown, output=values[self.layers[-1]])

    def look_from(self, arrays, training, draws, taps, teacher):
        layers = {tap.name: tap.layer for tap in taps}
        own = {layers[name]: self._shown(layers[name], value) for name, value in teacher.items()}
        values = dict(self._walk(arrays["x"], training, draws, own))
        names = [tap.name for tap in taps]
        read = {name: names[max(place - 1, 0) : place] for place, name in enumerate(names)}
        shown = {name: self._shown(layers[name], values[layers[name]]) for name in names}
        return ForcedActivations(shown, read, dict.fromkeys(names, ()), names[:1])

    def step(self, phase, arrays, draws, gradients=None, watch=True):
        assert phase == TRAIN
        net = self.net
        x, y = arrays["x"], arrays["y"]
        second = net.both("kernel")[1]
        _, relu, dropout, classes = self.layers
        drawn = Draws("none") if draws is None else draws
        values = dict(self._walk(x, True, drawn, {}))
        apart = values[classes] - y
        loss = float(np.mean(apart**2))
        back = 2 * apart / apart.size * (2.0 if net.fault == "scaled_gradient" else 1.0)
        kernels, biases = [None, values[dropout].T @ back], [None, back.sum(0)]
        back = back @ second.T * (values[dropout] != 0) / net.keep * (values[relu] != 0)
        kernels[0], biases[0] = x.T @ back, back.sum(0)
        computed = dict(net.named(kernels, biases))
        for name, value in dict(computed, **(gradients or {})).items():
            net.velocity[name] = net.momentum * net.velocity.get(name, 0) + value
            net.weights[name] = net.weights[name] - net.rate * net.velocity[name]
        net.updates += 1
        self.steps_seen += 1
        return StepResult({"total": loss}, computed if watch else {}, [""])

    def dtypes(self):
        return {"output": "float64"}

    def effective(self):
        return {"threads": 1}


CANONICAL = ("hidden/kernel", "hidden/bias", "classes/kernel", "classes/bias")
TAPS = ("hidden", "relu", "dropout", "classes")
GENERATOR = np.random.RandomState(3)
ROWS = {
    "x": GENERATOR.normal(size=(20, INPUTS)),
    "y": GENERATOR.normal(size=(20, OUTPUTS)),
}
VALUES = {
    "hidden/kernel": GENERATOR.normal(size=(INPUTS, HIDDEN)),
    "hidden/bias": GENERATOR.normal(size=HIDDEN),
    "classes/kernel": GENERATOR.normal(size=(HIDDEN, OUTPUTS)),
    "classes/bias": GENERATOR.normal(size=OUTPUTS),
}
NOISE = {"mask": GENERATOR.random_sample((BATCH, HIDDEN))}


def rows(start=0):
    return {name: value[start : start + BATCH] for name, value in ROWS.items()}


def port(layout="plain", fault=""):
    """A side and its port, told what the harness would tell it."""
    side = Perceptron(declared(layout, fault), Setting())
    survey = side.survey(rows())
    turned = layout == "turned"
    pieces = [
        dict(dataclasses.asdict(part), name=name) for part, name in zip(survey.pieces, CANONICAL)
    ]
    axes = {"dropout": [1, 0] if turned else None}
    plan = {
        "function": "original",
        "pieces": pieces,
        "taps": [
            {"name": name, "layer": layer.name, "axes": axes.get(name)}
            for name, layer in zip(TAPS, survey.layers)
        ],
        "outputs": {"product": {"own": "output", "axes": None}},
        "draws": {
            phase: [{"site": "mask", "axes": [1, 0] if turned else None}]
            for phase in (TRAIN, "forward")
        },
        "losses": {TRAIN: {"total": "total"}},
        "optimizers": {"sgd": ""},
        "slots": {"sgd": ["momentum"]},
    }
    config = {
        "workload": "mine",
        "batch": BATCH,
        "parameters": [{"name": name, "trainable": True} for name in CANONICAL],
        "updates": [{"phase": TRAIN, "optimizer": "sgd", "parameters": list(CANONICAL)}],
        "phases": [TRAIN],
        "schedule": [{"name": "all", "steps": None, "phases": [TRAIN]}],
        "pair": plan,
    }
    made = Port(config, Setting(), side)
    made.load_parameters(VALUES)
    return made
