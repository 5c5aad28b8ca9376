"""torch's optimizers, made to step as another framework's do: what is done before an update and put
right after it. Everything else of the optimizer stays the user's own."""

from __future__ import annotations

import abc
import math
from typing import Any, Dict, List, Mapping, Sequence, Tuple, Type

import numpy as np
import torch

#: Classes whose epsilon torch adds beside √v̂, and Keras beside √v.
ADAMS = (torch.optim.Adam, torch.optim.AdamW)
#: The slot of the squares, or of the largest value, that Keras adds epsilon to before torch does;
#: the slots that the first update makes.
WITHIN: Mapping[Type[Any], Tuple[str, Sequence[str]]] = {
    torch.optim.RMSprop: ("square_avg", ("square_avg",)),
    torch.optim.Adamax: ("exp_inf", ("exp_avg", "exp_inf")),
    torch.optim.Adagrad: ("sum", ()),
}
#: In a parameter's state: the rate of its last update.
RATE = "rate_of_last_update"
#: What is varied by itself, or held in float64 everywhere.
EXACT = ("lr", "initial_lr", "eps")
FLOAT32_ROUNDOFF = 2.0**-24
#: A rate is taken to be off by no more units than this, wherever its schedule began.
MOST_FALLEN = 16.0
#: 0.96 to the power of the step itself, as Keras has it: torch's exponent is multiplied by this.
KERAS_MOMENTUM_DECAY = 1.0


class Rule(abc.ABC):
    """What is done about one optimizer, for as long as one update lasts."""

    def __init__(self) -> None:
        self._kept: List[Tuple[Dict[str, Any], Dict[str, Any]]] = []

    @abc.abstractmethod
    def before(self, optimizer: Any) -> None:
        """Change what has to be changed.

        Args:
            optimizer: about to update.
        """

    def after(self, optimizer: Any) -> None:
        """Put it back.

        Args:
            optimizer: that has updated, or has failed to.
        """
        while self._kept:
            group, numbers = self._kept.pop()
            group.update(numbers)

    def set(self, group: Dict[str, Any], **numbers: Any) -> None:
        """Change hyper-parameters of a group of parameters until the update has been made.

        Args:
            group: one of `param_groups`. numbers: by torch's names.
        """
        self._kept.append((group, {name: group[name] for name in numbers}))
        group.update(numbers)


class RoundedRates(Rule):
    """The learning rate as float32 holds it.

    A schedule that is computed in float32 is off by its roundings: by a unit of float32 of the rate
    that it began with, which is more than one of a rate that has fallen.
    """

    def before(self, optimizer: Any) -> None:
        for group in optimizer.param_groups:
            self.set(group, **self.numbers(group))

    @staticmethod
    def numbers(group: Mapping[str, Any]) -> Dict[str, Any]:
        """Return what it makes of a group's rate; nothing of one that is no plain number.

        Args:
            group: one of `param_groups`.
        """
        rate, began = group.get("lr"), group.get("initial_lr")
        if not isinstance(rate, float):
            return {}
        off = 0.0
        if isinstance(began, float) and began != rate:
            off = min(abs(began), MOST_FALLEN * abs(rate)) * FLOAT32_ROUNDOFF
        # To one side in every update, or one would make up for another.
        return {"lr": rate + abs(_rounded(rate) - rate) + off}


class RoundedConstants(Rule):
    """All other hyper-parameters as float32 holds them, but for epsilon: it is a Python number in
    Keras, added to float64 as it is, and would only make up for the others."""

    def before(self, optimizer: Any) -> None:
        for group in optimizer.param_groups:
            self.set(group, **self.numbers(group))
            if isinstance(optimizer, torch.optim.Adagrad):
                # What its sums begin with is a constant too.
                for parameter in group["params"]:
                    if not _steps(optimizer, parameter):
                        begun = optimizer.state[parameter]["sum"]
                        begun.copy_(begun.to(torch.float32))

    @staticmethod
    def numbers(group: Mapping[str, Any]) -> Dict[str, Any]:
        """Return what it makes of a group's numbers.

        Args:
            group: one of `param_groups`.
        """
        return {name: _rounded(group[name]) for name in group if name not in EXACT}


class EpsilonValue(Rule):
    """Another epsilon.

    Args:
        epsilon: the other side's.
    """

    def __init__(self, epsilon: float) -> None:
        Rule.__init__(self)
        self.epsilon = epsilon

    def before(self, optimizer: Any) -> None:
        for group in optimizer.param_groups:
            self.set(group, eps=self.epsilon)


class AdamNumbers(Rule):
    """Adam's corrections, and epsilon beside √v.

    Args:
        place: whether epsilon is added before √v is corrected. rounded: whether β is raised to the
            power of the step as it is in float32; elsewhere it is exact.
    """

    def __init__(self, place: bool, rounded: bool) -> None:
        Rule.__init__(self)
        self.place, self.rounded = place, rounded

    def before(self, optimizer: Any) -> None:
        for group in optimizer.param_groups:
            own, rounded = _both_corrections(optimizer, group)
            there = rounded if self.rounded else own
            scale = (own[0] / there[0]) * (there[1] / own[1])
            numbers = {"lr": group["lr"] * scale}
            if isinstance(optimizer, torch.optim.AdamW) or group.get("decoupled_weight_decay"):
                # It is multiplied by the rate as it was.
                numbers["weight_decay"] = group["weight_decay"] / scale
            # √v/c + ε/c is (√v + ε)/c, with c the correction of √v.
            epsilon = group["eps"] / own[1]
            self.set(group, eps=epsilon if self.place else epsilon * there[1], **numbers)


class AdamaxNumbers(Rule):
    """Adamax' correction, with β raised to the power of the step as it is in float32."""

    def before(self, optimizer: Any) -> None:
        for group in optimizer.param_groups:
            own, rounded = _both_corrections(optimizer, group)
            self.set(group, lr=group["lr"] * own[0] / rounded[0])


class EpsilonWithin(Rule):
    """Epsilon under the root, or added to what was the larger of two values.

    A slot that holds ε more than it should gives a root that is taken of ε more.
    """

    def __init__(self) -> None:
        Rule.__init__(self)
        self._moved: List[Tuple[torch.Tensor, float]] = []

    def before(self, optimizer: Any) -> None:
        slot, made = _within(optimizer)
        for group in optimizer.param_groups:
            members, epsilon = _with_gradient(group), group["eps"]
            for parameter in members:
                state = optimizer.state[parameter]
                if not state:
                    _begin(state, parameter, group, made)
                state[slot].add_(epsilon / _kept_share(group))
                self._moved.append((state[slot], epsilon))
            # Adamax adds it to each gradient's size: the larger of two that hold ε more holds it.
            # A group whose gradients a closure has yet to compute steps as it is.
            if members and not isinstance(optimizer, torch.optim.Adamax):
                self.set(group, eps=0.0)

    def after(self, optimizer: Any) -> None:
        Rule.after(self, optimizer)
        while self._moved:
            held, epsilon = self._moved.pop()
            held.sub_(epsilon)


class SquaresBeginAtOne(Rule):
    """RMSprop whose mean of squares is 1 before the first update, and not 0."""

    def before(self, optimizer: Any) -> None:
        for group in optimizer.param_groups:
            for parameter in _with_gradient(group):
                state = optimizer.state[parameter]
                if not state:
                    _begin(state, parameter, group, ("square_avg",))
                    state["square_avg"].fill_(1.0)


class MomentumOfUpdates(Rule):
    """Momentum that adds up updates, with the rate that each was made with, and not gradients.

    torch multiplies all of it by the present rate; what it holds of before is scaled against that.
    """

    def before(self, optimizer: Any) -> None:
        for group in optimizer.param_groups:
            for parameter in _with_gradient(group):
                state, rate = optimizer.state[parameter], float(group["lr"])
                buffer, last = state.get("momentum_buffer"), state.get(RATE, rate)
                if buffer is not None and rate and last != rate:
                    buffer.mul_(last / rate)

    def after(self, optimizer: Any) -> None:
        for group in optimizer.param_groups:
            for parameter in _with_gradient(group):
                optimizer.state[parameter][RATE] = float(group["lr"])


class NadamSchedule(Rule):
    """Nadam's momentum that rises as Keras has it rise."""

    def before(self, optimizer: Any) -> None:
        for group in optimizer.param_groups:
            self.set(group, momentum_decay=KERAS_MOMENTUM_DECAY)


def rates_move(optimizer: Any) -> bool:
    """Return whether an update with its rates in float32 is another one, or may be: what is no
    plain number is not known.

    Args:
        optimizer: about to update.
    """
    return any(
        not _known(group.get("lr", 0.0)) or not _holds(group, RoundedRates.numbers(group))
        for group in optimizer.param_groups
    )


def others_move(optimizer: Any) -> bool:
    """Return the same of all its other numbers.

    Args:
        optimizer: about to update.
    """
    if isinstance(optimizer, torch.optim.Adagrad):
        return True  # so may what its sums begin with
    for group in optimizer.param_groups:
        others = (group[name] for name in group if name not in (*EXACT, "params"))
        if not all(map(_known, others)) or not _holds(group, RoundedConstants.numbers(group)):
            return True
    return False


def powers_move(optimizer: Any) -> bool:
    """Return the same of the powers of its β.

    Args:
        optimizer: about to update.
    """
    return isinstance(optimizer, (*ADAMS, torch.optim.Adamax))


def _known(value: Any) -> bool:
    """Return whether a hyper-parameter is a plain value, of which rounding can be told."""
    if isinstance(value, tuple):
        return all(map(_known, value))
    return value is None or isinstance(value, (bool, int, float, str))


def _holds(group: Mapping[str, Any], numbers: Mapping[str, Any]) -> bool:
    """Return whether a group has these numbers already."""
    return all(value is group[name] or value == group[name] for name, value in numbers.items())


def _within(optimizer: Any) -> Tuple[str, Sequence[str]]:
    return next(held for class_, held in WITHIN.items() if isinstance(optimizer, class_))


def _rounded(value: Any) -> Any:
    """Return numbers as float32 holds them, anything else as it is."""
    if isinstance(value, float):
        return float(np.float32(value))
    return tuple(map(_rounded, value)) if isinstance(value, tuple) else value


def _corrections(betas: Sequence[Any], step: int) -> Tuple[float, float]:
    """Return what Adam divides the mean of gradients by, and the root of that of their squares."""
    first, second = (1.0 - float(beta) ** step for beta in betas)
    return first, math.sqrt(second)


def _both_corrections(
    optimizer: Any, group: Mapping[str, Any]
) -> Tuple[Tuple[float, float], Tuple[float, float]]:
    """Return the corrections of the coming update, as they are and of β in float32."""
    step = 1 + max((_steps(optimizer, each) for each in group["params"]), default=0)
    betas = tuple(map(float, group["betas"]))
    return _corrections(betas, step), _corrections(_rounded(betas), step)


def _steps(optimizer: Any, parameter: Any) -> int:
    """Return how many updates an optimizer has made of a parameter."""
    state = optimizer.state.get(parameter, {})
    return int(state["step"]) if "step" in state else 0


def _with_gradient(group: Mapping[str, Any]) -> List[Any]:
    return [parameter for parameter in group["params"] if parameter.grad is not None]


def _kept_share(group: Mapping[str, Any]) -> float:
    """Return what a slot is multiplied by in an update, before anything is added to it."""
    if "betas" in group:
        return float(group["betas"][1])
    return float(group.get("alpha", 1.0))


def _begin(
    state: Dict[str, Any], parameter: torch.Tensor, group: Mapping[str, Any], slots: Sequence[str]
) -> None:
    """Make the slots that the first update would make."""
    more = [("momentum_buffer", "momentum"), ("grad_avg", "centered")]
    wanted = [*slots, *(slot for slot, word in more if group.get(word))]
    double = torch.get_default_dtype() == torch.float64
    device = parameter.device if group.get("capturable") else None
    dtype = torch.float64 if double else torch.float32
    state["step"] = torch.zeros((), dtype=dtype, device=device)
    for slot in wanted:
        state[slot] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
