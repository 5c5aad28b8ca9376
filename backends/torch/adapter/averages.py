"""Averages of the weights that a step keeps beside a model: torch's `AveragedModel`, a copy of the
model, or copies of its parameters in a dict or a list. They are shown as slots of the optimizer
that moves the weights, as Keras keeps its own.

What it is, is told when the side is built: an average begins as a copy. What begins with other
values than the weights' is none of this, unless it is an `AveragedModel`.
"""

from __future__ import annotations

import inspect
import math
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel

from backends.survey import AVERAGE
from backends.torch.adapter import optimizers, values
from backends.torch.adapter.inventory import COMPILED
from backends.torch.adapter.state import Snapshot

#: Names of what an average's function keeps its share in.
DECAY = "decay"


class Copy(NamedTuple):
    """Where a copy of a parameter is: in a dict or a list, whose entry a step may replace, or a
    parameter of a module."""

    tensor: torch.Tensor
    holder: Any = None
    key: Any = None

    @property
    def value(self) -> torch.Tensor:
        """The copy as it is now."""
        return self.tensor if self.holder is None else self.holder[self.key]


Parameters = Dict[str, torch.Tensor]
Copies = Dict[str, Copy]
Slots = Dict[str, Dict[str, Dict[str, Any]]]


class Averages:
    """The averages of the parameters of some models.

    Args:
        models: by name. reached: from the user's functions.

    Attributes:
        momentum: the share that an update keeps, where torch's own function says so.
        remarks: what could not be decided, in sentences.
        unseen: of these, and beside them, what may be an average.
    """

    def __init__(self, models: Mapping[str, Any], reached: Snapshot) -> None:
        self.momentum: Optional[float] = None
        self.remarks: List[str] = []
        self.unseen: List[str] = []
        self._models = list(models.values())
        self._own = {id(each) for model in self._models for each in model.parameters()}
        #: By the parameter's identity: it, and its average.
        self._kept: Dict[int, Tuple[torch.Tensor, Copy]] = {}
        self._begins: Dict[int, Tuple[torch.Tensor, Copy]] = {}
        #: The parameters of each of the copies that are kept.
        self._groups: List[Set[int]] = []
        #: Parameters that steps have been seen to move, those whose average they have moved, and
        #: those whose average was another than the weight then.
        self._trained: Set[int] = set()
        self._averaged: Set[int] = set()
        self._mixed: Set[int] = set()
        #: Those whose average is torch's own, whose first update is a copy.
        self._certain: Set[int] = set()
        averaged = reached.reached(AveragedModel)
        for module in averaged:
            self._add(_copies(module.module), fresh=not int(module.n_averaged))
            self._note_momentum(module)
        self._certain.update(self._kept)
        inside = {id(each) for module in averaged for each in module.modules()}
        others = [each for each in reached.reached(torch.nn.Module) if id(each) not in inside]
        for copies in (*map(_copies, others), *_loose(reached)):
            self._add(copies, fresh=False)
        self._note_alike(reached)

    # -- finding -----------------------------------------------------------------------------------

    def _add(self, copies: Copies, fresh: bool) -> None:
        """Take copies for averages of the parameters of the model whose they are."""
        known = {*self._own, *map(id, self.tensors())}
        if not copies or any(id(each.value) in known for each in copies.values()):
            return
        candidates = [pairs for pairs in map(_Beside(copies), self._models) if pairs]
        equal = [pairs for pairs in candidates if all(map(_equal, pairs))]
        chosen = equal or (candidates if fresh else [])
        if len(chosen) != 1:
            if candidates and not chosen:
                self.unseen.append(
                    "a copy of the weights within reach of a step begins with other values than"
                    " they: it is not compared"
                )
                self.remarks.append(self.unseen[-1])
            elif chosen:
                self.unseen.append(
                    "a copy of weights within reach of a step may be that of several models, which"
                    " begin alike: it is not compared"
                )
                self.remarks.append(self.unseen[-1])
            return
        (pairs,) = chosen
        if any(id(parameter) in self._kept for parameter, _ in pairs):
            self.remarks.append(
                "several copies of the weights are within reach of a step: the first one is"
                " compared as their average, the others are not compared"
            )
            return
        entries = {id(parameter): (parameter, average) for parameter, average in pairs}
        self._kept.update(entries)
        self._groups.append(set(entries))
        if equal or fresh:
            self._begins.update(entries)

    def _note_alike(self, reached: Snapshot) -> None:
        """Note what is as large as the largest weight: an average that is kept in another way."""
        own = [value for model in self._models for value in (*model.parameters(), *model.buffers())]
        known = {*map(id, own), *map(id, self.tensors())}
        largest = max((value.shape for value in own), key=math.prod, default=())
        for held in reached.reached((torch.Tensor, np.ndarray)):
            if id(held) not in known and tuple(held.shape) == tuple(largest) != ():
                self.unseen.append(
                    f"a {type(held).__name__} {list(largest)}, as large as the largest weight, is"
                    " within reach of a step and is not compared"
                )
                break

    def _note_momentum(self, module: Any) -> None:
        several = getattr(module, "multi_avg_fn", None)  # torch 2.1 and later
        function = inspect.unwrap(several or module.avg_fn or len)
        cells = getattr(function, "__closure__", None) or ()
        names = getattr(getattr(function, "__code__", None), "co_freevars", ())
        held = dict(zip(names, (cell.cell_contents for cell in cells)))
        if DECAY in held and getattr(function, "__module__", "") == AveragedModel.__module__:
            self.momentum = float(held[DECAY])

    # -- state -------------------------------------------------------------------------------------

    def tensors(self) -> List[torch.Tensor]:
        """Return all averages."""
        return [average.value for _, average in self._kept.values()]

    def watched(self) -> Dict[int, Tuple[torch.Tensor, torch.Tensor]]:
        """Return copies of parameters and averages, for `note`."""
        return {
            identity: (parameter.detach().clone(), average.value.detach().clone())
            for identity, (parameter, average) in self._kept.items()
        }

    def note(self, before: Mapping[int, Tuple[torch.Tensor, torch.Tensor]]) -> None:
        """Note what steps have moved.

        Args:
            before: what `watched` returned before them.
        """
        for identity, (parameter, average) in self._kept.items():
            if not torch.equal(parameter, before[identity][0]):
                self._trained.add(identity)
            moved = not torch.equal(average.value, before[identity][1])
            if moved:
                self._averaged.add(identity)
            if moved and not any(
                _equal((each, average)) for each in (parameter, before[identity][0])
            ):
                self._mixed.add(identity)

    def withdraw(self) -> List[str]:
        """Give up copies that no step moves, though it moves the weights: those of a teacher, or
        the first ones of an average that a step makes anew each time. Return what is said of it."""
        still = [
            group for group in self._groups if group & self._trained and not group & self._averaged
        ]
        if not still:
            return []
        self._groups = [group for group in self._groups if group not in still]
        for identity in set().union(*still):
            self._kept.pop(identity)
            self._begins.pop(identity, None)
        said = (
            "a copy of the weights is within reach of a step and stays as it was when weights move"
            " (a teacher; or an average that is made anew under the same name): it is not compared."
            " An average that is written to is"
        )
        self.unseen.append(said)
        return [said]

    @torch.no_grad()
    def begin(self) -> None:
        """Begin those that begin as copies at the present weights."""
        for parameter, average in self._begins.values():
            average.value.copy_(parameter)

    def _of(self, optimizer: Any, names: Mapping[int, str]) -> Iterator[Tuple[str, torch.Tensor]]:
        owned = set(optimizers.owned(optimizer, names))
        for identity, (_, average) in self._kept.items():
            if names.get(identity) in owned:
                yield names[identity], average.value

    def shown(self, held: Slots, members: Mapping[str, Any], names: Mapping[int, str]) -> Slots:
        """Return slots of optimizers with the averages of what they move.

        Args:
            held: by optimizer, parameter and word. members: the optimizers.
            names: of parameters, by identity.
        """
        for name, optimizer in members.items():
            for parameter, average in self._of(optimizer, names):
                held[name].setdefault(parameter, {})[AVERAGE] = values.array(average)
        return held

    def hyperparameters(self, optimizer: Any, names: Mapping[int, str]) -> Dict[str, Any]:
        """Return what is known of the averages of what an optimizer moves, in the words of all
        backends.

        Args:
            optimizer: which. names: of parameters, by identity.
        """
        if not any(True for _ in self._of(optimizer, names)):
            return {}
        momentum = {} if self.momentum is None else {"average_momentum": self.momentum}
        owned = {names[identity] for identity in self.compared() if identity in names}
        mixed = owned & set(optimizers.owned(optimizer, names))
        return dict(momentum, average_weights=True) if mixed else {}

    def _mixing(self) -> List[Set[int]]:
        """Return the parameters of each copy that steps have moved to something else than the
        weights: what is set to them as they are then is a copy, and no average."""
        certain = self._certain & self._averaged
        return [group for group in self._groups if group & (self._mixed | certain)]

    def compared(self) -> Set[int]:
        """Return the identities of the parameters whose average is seen to be one."""
        return set().union(*self._mixing())

    def averaged(self, optimizer: Any, names: Mapping[int, str]) -> List[str]:
        """Return the names of the parameters that an optimizer moves and a copy is shown of.

        Args:
            optimizer: which. names: of parameters, by identity.
        """
        return [name for name, _ in self._of(optimizer, names)]

    @torch.no_grad()
    def assign(self, own: Mapping[str, Any], names: Mapping[int, str]) -> None:
        """Set averages.

        Args:
            own: by the name of the parameter. names: of parameters, by identity.
        """
        for identity, (_, average) in self._kept.items():
            if names.get(identity) in own:
                average.value.copy_(torch.from_numpy(own[names[identity]]))


class _Beside:
    """Finds the pairs of a model's parameters and their copies: all, or all that are trained."""

    def __init__(self, copies: Copies) -> None:
        self.copies = copies

    def __call__(self, model: Any) -> List[Tuple[torch.Tensor, Copy]]:
        every = _parameters(model)
        trained = {name: value for name, value in every.items() if value.requires_grad}
        for wanted in (every, trained):
            pairs = _paired(wanted, self.copies)
            if pairs:
                return pairs
        return []


def _paired(wanted: Parameters, copies: Copies) -> List[Tuple[torch.Tensor, Copy]]:
    """Return parameters with their copies: by name, or in order where the copies have no names."""
    listed = list(copies) == [str(index) for index in range(len(copies))]
    if listed and len(copies) == len(wanted):
        copies = dict(zip(wanted, copies.values()))
    fits = all(name in copies and copies[name].value.shape == wanted[name].shape for name in wanted)
    return [(value, copies[name]) for name, value in wanted.items()] if fits else []


def _equal(pair: Tuple[torch.Tensor, Copy]) -> bool:
    parameter, copy = pair[0], pair[1].value
    return bool(torch.equal(copy.to(parameter.device, parameter.dtype), parameter))


def _parameters(module: Any) -> Parameters:
    """Return parameters by the names that they have in a module that is not compiled."""
    pairs = module.named_parameters()
    return {name.replace(COMPILED + ".", ""): value for name, value in pairs}


def _copies(module: Any) -> Copies:
    return {name: Copy(value) for name, value in _parameters(module).items()}


def _loose(reached: Snapshot) -> Iterator[Copies]:
    """Yield dicts and lists of tensors."""
    for held in reached.reached((dict, list)):
        keys = list(held) if isinstance(held, dict) else list(range(len(held)))
        if keys and all(isinstance(held[key], torch.Tensor) for key in keys):
            yield {str(key): Copy(held[key], held, key) for key in keys}
