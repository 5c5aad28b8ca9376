"""Known differences of the frameworks that the user takes for the same: for as long as a step is
looked at, torch does there what Keras and TensorFlow do. Everything else stays the user's own.

Nothing of this is in effect in a timed run.
"""

from __future__ import annotations

import contextlib
import importlib
import math
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

import numpy as np
import torch
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)

HOOKS: Any = importlib.import_module("torch.optim.optimizer")
#: Classes whose epsilon torch adds beside √v̂, and Keras beside √v.
ADAMS = (torch.optim.Adam, torch.optim.AdamW)
#: What is changed of a group of parameters while its update is made.
NUMBERS = ("eps", "lr", "weight_decay")


class Accepted:
    """What is done about each difference.

    Args:
        names: what the harness has found to be there, as `harness.pairs.known_differences` has it.
        optimizers: by own name. parameters: by own name.
    """

    def __init__(
        self,
        names: Mapping[str, Any],
        optimizers: Mapping[str, Any],
        parameters: Mapping[str, torch.Tensor],
    ) -> None:
        self.place = bool(names.get("adam-epsilon-place"))
        values: Mapping[str, float] = names.get("adam-epsilon-value", {})
        self.values = {id(optimizers[name]): value for name, value in values.items()}
        rounded: Mapping[str, Any] = names.get("float32-constants", {})
        self.rounded = {id(optimizers[name]) for name in rounded}
        self.biased = bool(names.get("bn-unbiased-variance"))
        #: Second biases, and the first ones that stand for both.
        self.pairs = {
            parameters[second]: parameters[first]
            for second, first in names.get("lstm-two-biases", {}).items()
        }
        self._kept: Dict[int, List[Dict[str, Any]]] = {}
        self._variances: Dict[int, torch.Tensor] = {}

    @torch.no_grad()
    def assigned(self) -> None:
        """Move the whole of two biases into the first one, after values have been set."""
        for second, first in self.pairs.items():
            first.add_(second)
            second.zero_()

    @contextlib.contextmanager
    def neutralised(self) -> Iterator[None]:
        """Have it done, for as long as this lasts."""
        handles: List[Any] = []
        if self.place or self.values or self.rounded:
            handles += [
                HOOKS.register_optimizer_step_pre_hook(self._set_numbers),
                HOOKS.register_optimizer_step_post_hook(self._put_back),
            ]
        if self.biased:
            handles += [
                register_module_forward_pre_hook(self._keep_variance),
                register_module_forward_hook(self._move_variance),
            ]
        trained = [second for second in self.pairs if second.requires_grad]
        for second in trained:
            second.requires_grad_(False)
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
            for second in trained:
                second.requires_grad_(True)

    # -- the numbers of Adam -----------------------------------------------------------------------

    def _set_numbers(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if not isinstance(optimizer, ADAMS):
            return
        groups = optimizer.param_groups
        self._kept[id(optimizer)] = [_numbers(group) for group in groups]
        for group in groups:
            step = 1 + max((_steps(optimizer, each) for each in group["params"]), default=0)
            own = there = _corrections(group["betas"], step)
            if id(optimizer) in self.rounded:
                # Keras raises β to the power of the step as it is in float32; elsewhere β is exact.
                there = _corrections([float(np.float32(beta)) for beta in group["betas"]], step)
            scale = (own[0] / there[0]) * (there[1] / own[1])
            group["lr"] *= scale
            if isinstance(optimizer, torch.optim.AdamW):
                group["weight_decay"] /= scale  # it is multiplied by the rate as it was
            # √v/c + ε/c is (√v + ε)/c, with c the correction of √v.
            group["eps"] = self.values.get(id(optimizer), group["eps"]) / own[1]
            if not self.place:
                group["eps"] *= there[1]

    def _put_back(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        for group, numbers in zip(optimizer.param_groups, self._kept.pop(id(optimizer), ())):
            group.update(numbers)

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


def _numbers(group: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: group[name] for name in NUMBERS}


def _corrections(betas: Sequence[Any], step: int) -> Tuple[float, float]:
    """Return what Adam divides the mean of gradients by, and the root of that of their squares."""
    first, second = (1.0 - float(beta) ** step for beta in betas)
    return first, math.sqrt(second)


def _steps(optimizer: Any, parameter: Any) -> int:
    """Return how many updates an optimizer has made of a parameter."""
    state = optimizer.state.get(parameter, {})
    return int(state["step"]) if "step" in state else 0
