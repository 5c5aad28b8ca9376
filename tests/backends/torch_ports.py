"""Small torch ports with a peculiarity each, for the tests of what the base class makes of it.
Loaded by path, on torch alone."""

from __future__ import annotations

import typing

import torch
from torch import nn

from backends import contract
from backends.contract import Setting
from backends.torch.core import DENSE, TorchPort


class Dense(TorchPort):
    """x [n, 6] -> a [n, 5] -> logits [n, 3]."""

    LAYOUT: typing.ClassVar = {"a/kernel": ("a.weight", DENSE), "b/kernel": ("b.weight", DENSE)}

    def build(self):
        return nn.ModuleDict({"a": nn.Linear(6, 5, bias=False), "b": nn.Linear(5, 3, bias=False)})

    def output(self, arrays, noise, record):
        seen = {} if record is None else record
        seen["a"] = self.model["a"](arrays["x"])
        seen["relu"] = self.relu(seen["a"])
        seen["logits"] = self.model["b"](seen["relu"])
        return seen["logits"]

    def relu(self, x):
        return torch.relu(x)

    def terms(self, output, arrays):
        return {
            "total": nn.functional.cross_entropy(
                output.real if output.is_complex() else output, arrays["y"]
            )
        }


class InPlace(Dense):
    """The same in place."""

    def relu(self, x):
        return torch.relu_(x)


class Views(Dense):
    """What is shown is a view of a buffer that every layer writes to."""

    def output(self, arrays, noise, record):
        seen = {} if record is None else record
        held = arrays["x"].new_zeros(len(arrays["x"]), 5)
        held.copy_(self.model["a"](arrays["x"]))
        seen["a"] = held[:, :]
        held.relu_()
        seen["relu"] = held.view(-1, 5)
        seen["logits"] = self.model["b"](held.clone())
        held.zero_()
        return seen["logits"]


class Lazy(Dense):
    """Complex and negated values that torch only marks as such, and an integer."""

    def output(self, arrays, noise, record):
        seen = {} if record is None else record
        seen["a"] = torch.complex(self.model["a"](arrays["x"]), arrays["x"][:, :5]).conj()
        seen["minus"] = seen["a"].imag
        seen["place"] = seen["minus"].argmax(1)
        seen["logits"] = self.model["b"](seen["a"].real)
        return seen["logits"]


class Shared(Dense):
    """Two layers read one copy of the layer before."""

    def output(self, arrays, noise, record):
        seen = {} if record is None else record
        seen["a"] = self.model["a"](arrays["x"])
        kept = seen["a"].clone().contiguous().to(self.dtype, copy=True)
        seen["relu"] = torch.relu(kept)
        seen["other"] = torch.tanh(kept)
        seen["logits"] = self.model["b"](seen["relu"] + seen["other"])
        return seen["logits"]


class Flat(Dense):
    """A copy that is shown is an activation by itself, whoever goes on with it."""

    def output(self, arrays, noise, record):
        seen = {} if record is None else record
        seen["a"] = self.model["a"](arrays["x"])
        seen["copy"] = mine = seen["a"].clone()
        seen["logits"] = self.model["b"](mine)
        return seen["logits"]


class Towers(Dense):
    """Two layers of the data alone, and one that has left torch on its way."""

    def output(self, arrays, noise, record):
        seen = {} if record is None else record
        seen["a"] = self.model["a"](arrays["x"])
        seen["sum"] = arrays["x"].sum(1, keepdim=True) * self.model["b"].weight.sum()
        seen["away"] = torch.as_tensor(arrays["x"].detach().numpy().sum()) * arrays["x"]
        seen["logits"] = self.model["b"](seen["a"]) + seen["sum"]
        return seen["logits"]


class Tied(Dense):
    """A second module that shares the weight of the first, and one whose weight is frozen."""

    def build(self):
        model = Dense.build(self)
        model["again"], model["frozen"] = (
            nn.Linear(6, 5, bias=False),
            nn.Linear(2, 2).requires_grad_(False),
        )
        model["again"].weight = model["a"].weight
        return model


class Untied(Dense):
    """The second module has a weight of its own, which nobody declared."""

    def build(self):
        model = Dense.build(self)
        model["again"] = nn.Linear(6, 5, bias=False)
        return model

    def output(self, arrays, noise, record):
        return Dense.output(self, arrays, noise, record) + self.model["b"](
            self.model["again"](arrays["x"])
        )


class Own(Dense):
    """A training step of its own: twice the rate, and only the first kernel. Its slots are not
    shown."""

    optimizer_state = contract.Port.optimizer_state

    def update(self, phase, arrays, noise):
        terms = self.loss_terms(phase, arrays, noise)
        (gradient,) = torch.autograd.grad(terms["total"], [self.model["a"].weight])
        with torch.no_grad():
            self.model["a"].weight -= 0.25 * gradient
        return {name: value.detach() for name, value in terms.items()}


class Stateful(Dense):
    """A buffer, an attribute of a module and one of the port that every forward pass moves."""

    def build(self):
        model = Dense.build(self)
        model.register_buffer("seen", torch.zeros(5))
        model.last, self.calls = None, 0
        return model

    def relu(self, x):
        self.calls += 1
        self.model.seen += x.detach().mean(0)
        self.model.last = x.detach()[:1]
        return torch.relu(x) + self.model.seen


class Carried(Dense):
    """A statistic among the parameters, which the module replaces by another tensor."""

    LAYOUT: typing.ClassVar = dict(Dense.LAYOUT, mean=("held", None))

    def build(self):
        model = Dense.build(self)
        model.register_buffer("held", torch.zeros(5))
        return model

    def relu(self, x):
        self.model.held = 0.5 * (self.model.held + x.detach().mean(0))
        return torch.relu(x)


class Normalised(Dense):
    """torch's own batch normalisation over images, its statistics among the parameters."""

    LAYOUT: typing.ClassVar = {
        "a/kernel": ("a.weight", DENSE),
        "b/kernel": ("b.weight", DENSE),
        "gamma": ("norm.weight", None),
        "beta": ("norm.bias", None),
        "mean": ("norm.running_mean", None),
        "variance": ("norm.running_var", None),
    }

    def build(self):
        return nn.ModuleDict(dict(Dense.build(self).items(), norm=nn.BatchNorm2d(5)))

    def relu(self, x):
        return self.model["norm"](x[:, :, None, None])[:, :, 0, 0]


def config(names=(), **changed):
    """Return a workload's configuration; `names`: statistics and weights beside the kernels, by
    name their shapes."""
    parameters = [
        {"name": "a/kernel", "shape": [6, 5], "trainable": True},
        {"name": "b/kernel", "shape": [5, 3], "trainable": True},
    ]
    parameters += [
        {"name": name, "shape": [5], "trainable": name in ("gamma", "beta")} for name in names
    ]
    return dict(
        {
            "workload": "dense",
            "batch": 4,
            "phases": ["train"],
            "noise": [],
            "parameters": parameters,
            "updates": [
                {
                    "phase": "train",
                    "optimizer": "sgd",
                    "parameters": [item["name"] for item in parameters if item["trainable"]],
                }
            ],
            "schedule": [{"name": "train", "steps": None, "phases": ["train"]}],
            "forward": {"phase": "train", "modes": ["training", "inference"]},
            "optimizers": {"sgd": {"kind": "sgd", "learning_rate": 0.125}},
        },
        **changed,
    )


def port(kind, precision="fp64", execution="default", names=()):
    """Return a port on two threads, as all tests have it."""
    return kind(config(names), Setting(precision=precision, execution=execution, threads=2))


class Unheard(TorchPort):
    """Of the full form, with a method of the short one."""

    LAYOUT = Dense.LAYOUT
    PRODUCT = "logits"
    build = Dense.build

    def activations(self, arrays, noise):
        seen = self.new_record()
        seen["logits"] = self.model["b"](self.model["a"](arrays["x"]))
        return seen

    def loss_terms(self, phase, arrays, noise):
        return self.terms(self.activations(arrays, noise)["logits"], arrays)

    def terms(self, output, arrays):
        return Dense.terms(self, output, arrays)
