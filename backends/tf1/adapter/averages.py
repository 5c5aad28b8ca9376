"""Averages of weights in a graph, as `tf.train.ExponentialMovingAverage` keeps them: what is moved
by a share of how far it is from a weight.

They are slots of the optimizer that moves the weight, unless the model is computed from them: a
target network is a model, and its weights are parameters.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any, Iterable, Iterator, List, NamedTuple, Set

from backends.survey import AVERAGE
from backends.tf1.adapter.cones import VARIABLES, operation_of, variable_behind
from backends.tf1.adapter.constants import constant, decimal, rounded
from backends.tf1.adapter.model import Model


class Average(NamedTuple):
    """A variable that is moved by a share of how far it is from a weight. `share`: the tensor."""

    name: str
    weight: str
    share: Any


class Averages:
    """The averages of a model's weights.

    Args:
        model: the graph. optimizers: those that move its weights.

    Attributes:
        remarks: what is not compared as an average, in sentences.
        unseen: of these, that no training operation moves it.
    """

    def __init__(self, model: Model, optimizers: Iterable[Any]) -> None:
        self.remarks: List[str] = []
        self.unseen: List[str] = []
        self._model, self._optimizers = model, list(optimizers)
        run = self._run()
        in_training = _read(model, _losses(model))
        in_inference = _read(model, model.outputs.values())
        beside: List[Average] = []
        models: List[Average] = []
        for average in self._moved_towards_weights():
            held = [item for item in self._optimizers if average.weight in item.slots]
            if not held:
                continue
            if average.name not in run:
                beside.append(average)
            elif average.name in in_training or {average.name, average.weight} <= in_inference:
                models.append(average)
            else:
                self._keep(held[0], average)
        if models:
            self.remarks.append(
                f"{models[0].name} ({len(models)} in all), an average of {models[0].weight}, is"
                " what the model is computed from: it is compared as a parameter, not as a slot."
                " Declare it on the other side, too"
            )
        if beside and model.trains:
            self.unseen.append(
                f"{beside[0].name} ({len(beside)} in all), an average of {beside[0].weight}, is"
                " moved by no part of the training operation: it is not compared. Give `train` the"
                " operation that moves it, too"
            )
        self.remarks += self.unseen

    def _moved_towards_weights(self) -> Iterator[Average]:
        """Yield all averages of variables that the graph has, in its order."""
        for op in self._model.graph.get_operations():
            if not op.type.startswith("AssignSub") or op.inputs[1].op.type != "Mul":
                continue
            own = variable_behind(op.inputs[0])
            for apart, share in permutations(op.inputs[1].op.inputs):
                if apart.op.type != "Sub":
                    continue
                first, second = map(variable_behind, apart.op.inputs)
                if first == own and second and second != own:
                    yield Average(own, second, share)
                    break

    def _run(self) -> Set[str]:
        """Return the variables that a share is taken from in training."""
        model = self._model
        run = model.cones.above([name for names in model.trains.values() for name in names])
        ops = [model.graph.get_operation_by_name(name) for name in run]
        return {variable_behind(op.inputs[0]) for op in ops if op.type.startswith("AssignSub")}

    def _keep(self, optimizer: Any, average: Average) -> None:
        slots = optimizer.slots[average.weight]
        if AVERAGE in slots:
            self.remarks.append(
                f"{average.weight} has several averages: {slots[AVERAGE]} is compared as such,"
                f" {average.name} is not compared"
            )
            return
        slots[AVERAGE] = average.name
        optimizer.attributes["average_weights"] = True
        value = constant(average.share)
        if value is not None:
            optimizer.attributes["average_momentum"] = rounded(1.0 - decimal(value))


def _losses(model: Model) -> List[str]:
    return [name for phase in model.trains for name in model.losses(phase).values()]


def _read(model: Model, names: Iterable[str]) -> Set[str]:
    """Return the variables whose values tensors are computed from. What merely has to run before
    them, as an average does that is updated with a step, is none of these."""
    seen: Set[str] = set()
    waiting = [operation_of(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            op = model.graph.get_operation_by_name(name)
            waiting += [tensor.op.name for tensor in op.inputs]
    return {name for name in seen if model.graph.get_operation_by_name(name).type in VARIABLES}
