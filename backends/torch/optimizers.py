"""Optimizers for torch, exactly as a workload's specification asks.

`torch.optim.Adam` adds epsilon after the bias correction; TF1 and Keras add it before (the "hat" form of the paper's
section 2), and TF1 keeps the powers of beta as a chain of float32 products even for float64 weights. The class below
computes that form with torch's multi-tensor (`_foreach`) kernels, so it costs what torch's own Adam costs.
"""

from __future__ import annotations

import math
from typing import Any, Dict, Iterable, Mapping, Tuple

import numpy as np
import torch

from backends.contract import Unsupported


class HatAdam(torch.optim.Optimizer):
    """Adam with epsilon in the hat place: w -= lr sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + epsilon).

    Args:
        params: parameters of one dtype.
        lr, betas, epsilon: hyper-parameters.
        float32_powers: keep b1^t and b2^t as TF1 does, as chains of float32 products. Else the chains are of float64 ones;
            TF1 keeps them in the dtype of the first variable, so float32 weights have float32 powers in any case.

    Source: Kingma & Ba 2015, end of section 2; tensorflow/python/training/adam.py of TF 1.15.
    """

    def __init__(self, params: Iterable[Any], lr: float, betas: Tuple[float, float], epsilon: float, float32_powers: bool) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "epsilon": epsilon})
        self.float32_powers = float32_powers
        for group in self.param_groups:
            self._start(group)

    def _start(self, group: Dict[str, Any]) -> None:
        kind = np.float32 if self.float32_powers else np.float64
        group["step"] = 0
        group["powers"] = tuple(kind(beta) for beta in group["betas"])

    def reset(self) -> None:
        """Return to the state before the first update."""
        self.state.clear()
        for group in self.param_groups:
            self._start(group)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Run one update; `closure` as in `torch.optim.Optimizer.step`."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            params = [item for item in group["params"] if item.grad is not None]
            for item in params:
                if item not in self.state:
                    self.state[item] = {"m": torch.zeros_like(item), "v": torch.zeros_like(item)}
            self._update(group, params)
        return loss

    def _update(self, group: Dict[str, Any], params: Any) -> None:
        grads = [item.grad for item in params]
        first = [self.state[item]["m"] for item in params]
        second = [self.state[item]["v"] for item in params]
        (beta1, beta2), (power1, power2) = group["betas"], group["powers"]
        torch._foreach_lerp_(first, grads, 1.0 - beta1)
        torch._foreach_mul_(second, beta2)
        torch._foreach_addcmul_(second, grads, grads, 1.0 - beta2)
        rate = group["lr"] * math.sqrt(1.0 - float(power2)) / (1.0 - float(power1))
        denominator = torch._foreach_sqrt(second)
        torch._foreach_add_(denominator, group["epsilon"])
        torch._foreach_addcdiv_(params, first, denominator, -rate)
        group["step"] += 1
        group["powers"] = (power1 * type(power1)(beta1), power2 * type(power2)(beta2))


def build(spec: Mapping[str, Any], params: Iterable[Any]) -> torch.optim.Optimizer:
    """Return the optimizer that a workload specifies.

    Raises:
        Unsupported: torch has no way to compute what is asked for.
    """
    if spec["kind"] == "sgd":
        return torch.optim.SGD(params, lr=spec["learning_rate"])
    if spec["kind"] == "adam":
        betas = (spec["beta1"], spec["beta2"])
        if spec["epsilon_place"] == "hat":
            params = list(params)
            chain = spec["beta_power_dtype"] == "float32" or params[0].dtype == torch.float32
            return HatAdam(params, spec["learning_rate"], betas, spec["epsilon"], chain)
        if spec["beta_power_dtype"] == "variable":
            return torch.optim.Adam(params, lr=spec["learning_rate"], betas=betas, eps=spec["epsilon"])
        raise Unsupported("torch.optim.Adam (epsilon after the correction) has no float32 chain of powers")
    raise Unsupported("the torch backend has no optimizer '%s'" % spec["kind"])


#: How the optimizers name their slots, in canonical words: m is the first moment, v the second.
SLOTS = {"m": "m", "v": "v", "exp_avg": "m", "exp_avg_sq": "v"}


def slots(optimizer: torch.optim.Optimizer, named: Mapping[str, Any], kind: str) -> Dict[str, Any]:
    """Return `<kind>/<parameter>/<slot>` -> tensor in torch's layout; slots that do not exist yet are zero."""
    if kind != "adam":
        return {}
    found = {}  # type: Dict[str, Any]
    for name, parameter in named.items():
        state = {SLOTS[key]: value for key, value in optimizer.state.get(parameter, {}).items() if key in SLOTS}
        for slot in ("m", "v"):
            found["%s/%s/%s" % (kind, name, slot)] = state.get(slot, torch.zeros_like(parameter))
    return found
