"""The user's optimizers, read from the operations of the graph that apply them.

An operation's own definition names its operands (`var`, `m`, `v`, `lr`, `beta1`, `grad`, ...), for
plain, resource and sparse variables alike, so that one table serves all. What Python composes in
the place of such an operation (a sparse Adam) is known by the names of its slots.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

import numpy as np

from backends.survey import AVERAGE
from backends.tf1.adapter.averages import Averages
from backends.tf1.adapter.cones import operation_of, variable_behind, writes
from backends.tf1.adapter.constants import constant, decimal
from backends.tf1.adapter.model import Model

#: By the end of an operation's type: the kind, and by operand the word of the slot it is.
KINDS: Dict[str, Tuple[str, Dict[str, str]]] = {
    "GradientDescent": ("sgd", {}),
    "Momentum": ("sgd", {"accum": "momentum"}),
    "KerasMomentum": ("sgd", {"accum": "velocity"}),
    "Adam": ("adam", {"m": "m", "v": "v"}),
    "AdaMax": ("adamax", {"m": "m", "v": "u"}),
    "RMSProp": ("rmsprop", {"ms": "v", "mom": "velocity"}),
    "CenteredRMSProp": ("rmsprop", {"ms": "v", "mg": "mean", "mom": "velocity"}),
    "Adagrad": ("adagrad", {"accum": "sum"}),
    "AdagradV2": ("adagrad", {"accum": "sum"}),
    "Adadelta": ("adadelta", {"accum": "v", "accum_update": "delta"}),
    "Ftrl": ("ftrl", {"accum": "sum", "linear": "linear"}),
    "FtrlV2": ("ftrl", {"accum": "sum", "linear": "linear"}),
}
#: By operand, the word of a hyper-parameter.
OPERANDS = {
    "lr": "learning_rate",
    "alpha": "learning_rate",
    "beta1": "beta1",
    "beta2": "beta2",
    "epsilon": "epsilon",
    "rho": "rho",
    "momentum": "momentum",
    "l1": "l1",
    "l2": "l2",
}
#: Where TensorFlow 1's kernels put epsilon: beside the root of the uncorrected second moment
#: (`hat`), under the root (`inside`), beside the largest value (`outside`), or have none.
EPSILON_PLACES = {
    "adam": "hat",
    "rmsprop": "inside",
    "adadelta": "inside",
    "adamax": "outside",
    "adagrad": "nowhere",
}
APPLY = re.compile(r"(Resource)?(Sparse)?Apply(\w+)$")
#: Slots of optimizers that Python composes, by the ends of their names.
COMPOSED = {
    "Adam": "m",
    "Adam_1": "v",
    "adam_m": "m",
    "adam_v": "v",
    "Momentum": "momentum",
    "momentum": "momentum",
    "m": "m",
    "v": "v",
}


class Optimizer:
    """One optimizer.

    Attributes:
        name, kind, type: as in a survey. phases: whose updates call it.
        slots: by variable, the names of the slots' variables by their words.
        operands: names of tensors by the words of hyper-parameters.
        attributes: hyper-parameters that are no tensors.
        key: what two calls of the same optimizer share.
    """

    def __init__(self, kind: str, key: str) -> None:
        self.kind, self.key, self.name = kind, key, ""
        self.type = "Optimizer"
        self.phases: List[str] = []
        self.slots: Dict[str, Dict[str, str]] = {}
        self.operands: Dict[str, str] = {}
        self.attributes: Dict[str, Any] = {}


class Optimizers:
    """All optimizers of a model, in the order of the phases that call them.

    Args:
        model: the graph and its phases.

    Attributes:
        all: the optimizers. averages: of what they move.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.all: List[Optimizer] = []
        for phase, trains in model.trains.items():
            cone = model.cones.above(trains)
            before: Dict[str, List[str]] = {}
            for name in sorted(cone, key=lambda item: model.cones.order[item]):
                op = model.graph.get_operation_by_name(name)
                if APPLY.match(op.type):
                    before.update(self._apply(phase, op))
            self._composed(phase)
            self._decay(phase, cone)
            model.use_gradients(phase, before)
        self.averages = Averages(model, self.all)
        self._name()

    def _apply(self, phase: str, op: Any) -> Dict[str, List[str]]:
        """Note an operation that applies an update; return where its gradient goes in."""
        words = APPLY.match(op.type)
        kind, slots = KINDS.get(words.group(3), ("other", {})) if words else ("other", {})
        names = [argument.name for argument in op.op_def.input_arg]
        operands = dict(zip(names, op.inputs))
        variable = variable_behind(operands["var"])
        key = op.name.rsplit("/update_", 1)[0]
        if "beta1_power" in operands:
            key = variable_behind(operands["beta1_power"]) or key
        optimizer = self._named(kind, key, phase)
        optimizer.type = f"{words.group(3) if words else kind}Optimizer"
        held = {word: variable_behind(operands[name]) for name, word in slots.items()}
        optimizer.slots[variable] = held
        for name, word in OPERANDS.items():
            if name in operands and word not in optimizer.operands:
                optimizer.operands[word] = str(operands[name].name)
        if words and words.group(3) == "CenteredRMSProp":
            optimizer.attributes["centered"] = True
        if "use_nesterov" in [item.name for item in op.op_def.attr]:
            optimizer.attributes["nesterov"] = bool(op.get_attr("use_nesterov"))
        gradient = operands.get("grad", operands.get("delta"))
        parts = [] if gradient is None else [str(gradient.name)]
        if parts and "indices" in operands:
            parts.append(str(operands["indices"].name))
        return {variable: parts} if parts else {}

    def _named(self, kind: str, key: str, phase: str) -> Optimizer:
        for optimizer in self.all:
            if optimizer.key == key and optimizer.kind == kind:
                break
        else:
            optimizer = Optimizer(kind, key)
            self.all.append(optimizer)
        if phase not in optimizer.phases:
            optimizer.phases.append(phase)
        return optimizer

    def _decay(self, phase: str, cone: Iterable[str]) -> None:
        """Note a decay of weights that is taken from them beside the update."""
        for name in cone:
            op = self._model.graph.get_operation_by_name(name)
            if not op.type.startswith("AssignSub") or op.inputs[1].op.type != "Mul":
                continue
            variable = variable_behind(op.inputs[0])
            factors = [item for item in op.inputs[1].op.inputs if variable_behind(item) != variable]
            for optimizer in self.all:
                if len(factors) == 1 and variable in optimizer.slots:
                    optimizer.operands["weight_decay"] = str(factors[0].name)
                    optimizer.attributes["decay"] = "decoupled"

    def _composed(self, phase: str) -> None:
        """Note variables that are updated by operations that Python has composed."""
        applied = {name for optimizer in self.all for name in optimizer.slots}
        for name in self._model.gradients(phase):
            if name in applied or not self._written(phase, name):
                continue
            slots: Dict[str, str] = {}
            for other, shape in self._model.shapes.items():
                end = other[len(name) + 1 :] if other.startswith(name + "/") else ""
                word = COMPOSED.get(end.rsplit("/", 1)[-1])
                if word and shape == self._model.shapes[name]:
                    slots.setdefault(word, other)
            here = [item for item in self.all if phase in item.phases]
            if here:
                here[0].slots[name] = slots
            else:
                kind = "adam" if {"m", "v"} <= set(slots) else ("other" if slots else "sgd")
                self._named(kind, f"composed {phase}", phase).slots[name] = slots

    def _written(self, phase: str, name: str) -> bool:
        """Return whether a phase's update moves a variable."""
        model = self._model
        cone = model.cones.above(model.trains[phase])
        for other in cone:
            op = model.graph.get_operation_by_name(other)
            if writes(op.type) and len(op.inputs) and variable_behind(op.inputs[0]) == name:
                return True
        return False

    def _name(self) -> None:
        """Name the only one nothing, those of a phase each after it, others by their scopes."""
        phases = [optimizer.phases for optimizer in self.all]
        single = all(len(items) == 1 for items in phases)
        apart = single and len({items[0] for items in phases}) == len(phases)
        for optimizer in self.all:
            if len(self.all) == 1:
                optimizer.name = ""
            else:
                optimizer.name = optimizer.phases[0] if apart else optimizer.key

    def names(self) -> List[str]:
        """Return the names of all optimizers."""
        return [optimizer.name for optimizer in self.all]

    def of_phase(self, phase: str) -> List[str]:
        """Return the names of those that a phase's update calls.

        Args:
            phase: which.
        """
        return [optimizer.name for optimizer in self.all if phase in optimizer.phases]

    def updated(self) -> List[str]:
        """Return the names of all variables that an optimizer updates."""
        return [name for optimizer in self.all for name in optimizer.slots]

    def slots(self) -> List[Tuple[str, str, str, str]]:
        """Return (optimizer, variable, word, the slot's variable) of every slot."""
        rows = []
        for optimizer in self.all:
            for variable, words in optimizer.slots.items():
                for word, name in words.items():
                    if name in self._model.variables:
                        rows.append((optimizer.name, variable, word, name))
        return rows

    def begun(self, start: Mapping[str, Any], weights: Mapping[str, Any]) -> Dict[str, Any]:
        """Return the averages of weights that begin as copies, as the weights are now.

        Args:
            start: values of all variables, as the graph begins. weights: those of now.
        """
        return {
            average: weights[variable]
            for _, variable, word, average in self.slots()
            if word == AVERAGE and np.array_equal(start[variable], start[average])
        }

    def places(self, optimizer: str, word: str) -> Dict[str, str]:
        """Return where the slots of one word are kept, by the variable that they belong to.

        Args:
            optimizer: its name. word: of the slots.
        """
        rows = self.slots()
        return {row[1]: row[3] for row in rows if (row[0], row[2]) == (optimizer, word)}

    def clipping(self, phase: str) -> Dict[str, float]:
        """Return how gradients are clipped between where they are computed and where applied.

        Args:
            phase: which.
        """
        model = self._model
        raw = set()
        for calls in model.gradients(phase).values():
            raw |= {operation_of(part) for parts in calls for part in parts}
        above_raw = model.cones.above(raw)
        between = model.cones.above(model.trains[phase]) - above_raw
        clipped: Dict[str, float] = {}
        for name in sorted(between, key=lambda item: model.cones.order[item]):
            op = model.graph.get_operation_by_name(name)
            word = _clip_word(op)
            value = _bound(op, word) if word else None
            if word and value is not None:
                clipped.setdefault(word, value)
        return clipped


def _clip_word(op: Any) -> Optional[str]:
    if op.type == "ClipByValue" or "clip_by_value" in op.name:
        return "clip_value"
    if "clip_by_global_norm" in op.name:
        return "clip_global_norm"
    return "clip_norm" if "clip_by_norm" in op.name else None


def _bound(op: Any, word: str) -> Optional[float]:
    """Return the bound that an operation of clipping has as a constant operand."""
    kinds = ("ClipByValue", "Minimum") if word == "clip_value" else ("Mul",)
    if op.type not in kinds:
        return None
    values = [constant(item) for item in op.inputs]
    numbers = [value for value in values if value is not None and value.size == 1]
    return abs(decimal(numbers[-1].reshape(-1)[0])) if numbers else None
