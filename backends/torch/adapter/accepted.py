"""Known differences of the frameworks that the user takes for the same: for as long as a step is
looked at, torch does there what Keras and TensorFlow do. Everything else stays the user's own.

Nothing of this is in effect in a timed run.
"""

from __future__ import annotations

import contextlib
import importlib
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Set, Tuple, Type

import torch
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)

from backends.torch.adapter import optimizer_rules as rules

HOOKS: Any = importlib.import_module("torch.optim.optimizer")
CLIPPING: Any = importlib.import_module("torch.nn.utils.clip_grad")
#: What multiplies gradients once their norm is known, in torch 2.6 and later.
CLIP = "_clip_grads_with_norm_"
#: Differences of an optimizer that one rule does away with.
SINGLE: Mapping[str, Type[Any]] = {
    "rmsprop-first-square": rules.SquaresBeginAtOne,
    "rmsprop-epsilon-place": rules.EpsilonWithin,
    "adagrad-epsilon-place": rules.EpsilonWithin,
    "adamax-epsilon-place": rules.EpsilonWithin,
    "momentum-rate": rules.MomentumOfUpdates,
    "nadam-schedule": rules.NadamSchedule,
}
#: Variations of the constants (`Accepted.constants`): the rates, the others, the powers of β.
RATES, OTHERS, POWERS = "rates", "others", "powers"
#: What tells whether each of them would have made an update another one.
MOVES: Mapping[str, Callable[[Any], bool]] = {
    RATES: rules.rates_move,
    OTHERS: rules.others_move,
    POWERS: rules.powers_move,
}


class Accepted:
    """What is done about each difference.

    Args:
        names: what the harness has found to be there, as `harness.pairs.known_differences` has it.
        optimizers: by own name. parameters: by own name. scalers: of losses.

    Attributes:
        constants: what of the hyper-parameters is rounded to float32 besides; empty: nothing.
    """

    def __init__(
        self,
        names: Mapping[str, Any],
        optimizers: Mapping[str, Any],
        parameters: Mapping[str, torch.Tensor],
        scalers: Tuple[Any, ...] = (),
    ) -> None:
        self.constants = ""
        #: What of the constants would have made an update another one; None before the first.
        self._moving: Optional[Set[str]] = None
        #: By difference, what is to be known of each optimizer.
        self._known: Dict[str, Dict[int, Any]] = {}
        for name, held in names.items():
            there = [own for own in held if own in optimizers]
            self._known[name] = {id(optimizers[own]): held[own] for own in there}
        self._biased = bool(names.get("bn-unbiased-variance"))
        self._scalers = scalers
        #: What a scale begins with: one number, for they are all alike.
        self._scale = next(iter(names.get("loss-scale-start", {}).values()), None)
        self._clips = bool(names.get("clip-norm-epsilon"))
        #: Second biases, and the first ones that stand for both.
        self.pairs = {
            parameters[second]: parameters[first]
            for second, first in names.get("lstm-two-biases", {}).items()
        }
        self._at_work: Dict[int, Tuple[Any, List[rules.Rule]]] = {}
        self._variances: Dict[int, torch.Tensor] = {}

    @torch.no_grad()
    def assigned(self) -> None:
        """Move the whole of two biases into the first one, after values have been set."""
        for second, first in self.pairs.items():
            first.add_(second)
            second.zero_()

    def constants_may_move(self, which: str) -> bool:
        """Return whether any update so far might have been another one with some of the constants
        rounded; True where there was none.

        Args:
            which: of them.
        """
        return self._moving is None or which in self._moving

    @contextlib.contextmanager
    def neutralised(self) -> Iterator[None]:
        """Have it done, for as long as this lasts."""
        handles = [
            HOOKS.register_optimizer_step_pre_hook(self._before),
            HOOKS.register_optimizer_step_post_hook(self._after),
        ]
        if self._biased:
            handles += [
                register_module_forward_pre_hook(self._keep_variance),
                register_module_forward_hook(self._move_variance),
            ]
        trained = [second for second in self.pairs if second.requires_grad]
        for second in trained:
            second.requires_grad_(False)
        starts = {scaler: scaler._init_scale for scaler in self._beginning()}
        for scaler in starts:
            scaler._init_scale = self._scale
        clip = getattr(CLIPPING, CLIP, None)
        if self._clips and clip is not None:
            setattr(CLIPPING, CLIP, clipped)
        try:
            yield
        finally:
            for scaler, start in starts.items():
                scaler._init_scale = start
            if clip is not None:
                setattr(CLIPPING, CLIP, clip)
            for handle in handles:
                handle.remove()
            for second in trained:
                second.requires_grad_(True)
            for optimizer, _ in list(self._at_work.values()):
                self._after(optimizer)  # an update that has raised

    def _beginning(self) -> List[Any]:
        """Return the scalers that are to begin with another scale and have not begun yet."""
        if self._scale is None:
            return []
        return [each for each in self._scalers if each.is_enabled() and each._scale is None]

    # -- optimizers --------------------------------------------------------------------------------

    def _rules(self, optimizer: Any) -> List[rules.Rule]:
        """Return what is done about an optimizer, in order."""
        identity, every = id(optimizer), self._known
        chosen: List[rules.Rule] = []
        if self.constants == RATES:
            chosen.append(rules.RoundedRates())
        if self.constants == OTHERS:
            chosen.append(rules.RoundedConstants())
        chosen += [
            rules.EpsilonValue(every[name][identity])
            for name in ("adam-epsilon-value", "epsilon-value")
            if identity in every.get(name, {})
        ]
        chosen += [rule() for name, rule in SINGLE.items() if identity in every.get(name, {})]
        if self.constants == POWERS and isinstance(optimizer, torch.optim.Adamax):
            chosen.append(rules.AdamaxNumbers())
        if isinstance(optimizer, rules.ADAMS):
            place = identity in every.get("adam-epsilon-place", {})
            rounded = identity in every.get("float32-constants", {}) or self.constants == POWERS
            if place or rounded:
                chosen.append(rules.AdamNumbers(place, rounded))
        return chosen

    @torch.no_grad()
    def _before(self, optimizer: Any, *_arguments: Any) -> None:
        chosen: List[rules.Rule] = []
        self._at_work[id(optimizer)] = optimizer, chosen
        if not self.constants:
            now = {which for which, moves in MOVES.items() if moves(optimizer)}
            self._moving = now | (self._moving or set())
        for rule in self._rules(optimizer):
            chosen.append(rule)
            rule.before(optimizer)

    @torch.no_grad()
    def _after(self, optimizer: Any, *_arguments: Any) -> None:
        _, chosen = self._at_work.pop(id(optimizer), (optimizer, []))
        for rule in reversed(chosen):
            rule.after(optimizer)

    # -- the running variance ----------------------------------------------------------------------

    def _keep_variance(self, module: Any, inputs: Any) -> None:
        if isinstance(module, _BatchNorm) and module.training and module.running_var is not None:
            self._variances[id(module)] = module.running_var.clone()

    @torch.no_grad()
    def _move_variance(self, module: Any, inputs: Any, output: Any) -> None:
        before = self._variances.pop(id(module), None)
        if before is None:
            return
        axes = [axis for axis in range(inputs[0].ndim) if axis != 1]
        variance = inputs[0].detach().to(before.dtype).var(axes, unbiased=False)
        share = module.momentum
        if share is None:
            share = 1.0 / float(module.num_batches_tracked)
        # Not seen by autograd, which has kept the tensor and does not use it in training.
        module.running_var.data.copy_((1.0 - share) * before + share * variance)


@torch.no_grad()
def clipped(
    parameters: Any, max_norm: Any, total_norm: torch.Tensor, *_arguments: Any, **_words: Any
) -> None:
    """Clip gradients by their norm, which nothing is added to.

    Args:
        parameters: one or several. max_norm: that is let through. total_norm: theirs.
    """
    members = [parameters] if isinstance(parameters, torch.Tensor) else list(parameters)
    share = torch.clamp(float(max_norm) / total_norm, max=1.0)
    for parameter in members:
        if parameter.grad is not None:
            parameter.grad.mul_(share.to(parameter.grad.device))
