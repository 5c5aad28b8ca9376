"""Optimizers for torch, exactly as a workload's specification asks.

`torch.optim.Adam` adds epsilon after the bias correction; TF1 and Keras add it before (the "hat"
form of the paper's section 2), and TF1 keeps the powers of beta as a chain of float32 products even
for float64 weights. The class below computes that form with torch's own fused kernel, one pass over
the memory.

All optimizers here follow `torch.amp.GradScaler`'s protocol: with an attribute `found_inf`, a
tensor that is 1 where a gradient was not finite, `step` changes nothing, and no value travels to
the host to decide it.
"""

from __future__ import annotations

import math
from typing import Any, Dict, List, Mapping, Tuple

import numpy as np
import torch

from backends.contract import ADAMS, Unsupported


class HatAdam(torch.optim.Optimizer):
    """Adam with epsilon in the hat place: w -= lr sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) +
    epsilon).

    Args:
        params: parameters of one dtype on one device.
        lr, betas, epsilon: hyper-parameters.
        decay: what each weight loses of itself, times lr, before the step (Loshchilov & Hutter
            2019: decoupled weight decay).
        float32_powers: keep b1^t and b2^t as TF1 does, as chains of float32 products. Else the
            chains are of float64 ones; TF1 keeps them in the dtype of the first variable, so
            float32 weights have float32 powers in any case.

    Source: Kingma & Ba 2015, end of section 2; tensorflow/python/training/adam.py of TF 1.15.
    """

    def __init__(
        self,
        params: List[Any],
        lr: float,
        betas: Tuple[float, float],
        epsilon: float,
        float32_powers: bool,
        decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "epsilon": epsilon, "decay": decay})
        self.power_dtype = np.float32 if float32_powers else np.float64
        self.found_inf: Any = None
        # The kernel corrects the bias by itself, for this many steps past: by a factor of 1.
        self._endless = torch.tensor(math.inf, device=params[0].device)
        self.rewind(0)

    def rewind(self, steps: int) -> None:
        """Set the powers of beta to where they stand after so many updates: by the same chain of
        products."""
        for group in self.param_groups:
            group["powers"] = tuple(
                np.multiply.accumulate(np.full(steps + 1, beta, self.power_dtype))[-1]
                for beta in group["betas"]
            )

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

    def _update(self, group: Dict[str, Any], params: List[Any]) -> None:
        overflow = {} if self.found_inf is None else {"found_inf": self.found_inf}
        if group["decay"] and params:
            kept = 1.0 - group["lr"] * group["decay"]
            if self.found_inf is not None:  # an update that is skipped decays nothing
                kept = torch.where(self.found_inf > 0, 1.0, kept).to(params[0].dtype)
            torch._foreach_mul_(params, kept)
        torch._fused_adam_(
            params,
            [item.grad for item in params],
            [self.state[item]["m"] for item in params],
            [self.state[item]["v"] for item in params],
            [],
            [self._endless] * len(params),
            lr=self._rate(group),
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=0.0,
            eps=group["epsilon"],
            amsgrad=False,
            maximize=False,
            **overflow,
        )

    def _rate(self, group: Dict[str, Any]) -> Any:
        """Return the corrected rate of this update, and move the powers on."""
        if self.found_inf is None:
            power1, power2 = group["powers"]
            group["powers"] = tuple(
                power * self.power_dtype(beta)
                for power, beta in zip(group["powers"], group["betas"])
            )
            return group["lr"] * math.sqrt(1.0 - float(power2)) / (1.0 - float(power1))
        # Whether this update counts is known to the device alone, so the powers live there.
        device = self.found_inf.device
        powers = [torch.as_tensor(power, device=device) for power in group["powers"]]
        group["powers"] = tuple(
            torch.where(self.found_inf > 0, power, power * beta)
            for power, beta in zip(powers, group["betas"])
        )
        return (
            group["lr"] * torch.sqrt(1.0 - powers[1].double()) / (1.0 - powers[0].double())
        ).float()


def build(spec: Mapping[str, Any], params: List[Any], scaled: bool) -> torch.optim.Optimizer:
    """Return the optimizer that a workload specifies.

    Args:
        spec: the entry of `config["optimizers"]`.
        params: what it updates.
        scaled: whether the loss is, so that the optimizer will see `found_inf`.

    Raises:
        Unsupported: torch has no way to compute what is asked for.
    """
    fused = True if scaled else None  # only the fused kernels look at found_inf
    if spec["kind"] == "sgd":
        return torch.optim.SGD(params, lr=spec["learning_rate"], fused=fused)
    if spec["kind"] in ADAMS:
        decay = spec.get("weight_decay", 0.0)
        betas = (spec["beta1"], spec["beta2"])
        if spec["epsilon_place"] == "hat":
            chain = spec["beta_power_dtype"] == "float32" or params[0].dtype == torch.float32
            return HatAdam(params, spec["learning_rate"], betas, spec["epsilon"], chain, decay)
        if spec["beta_power_dtype"] == "variable" and spec["kind"] == "adamw":
            return torch.optim.AdamW(
                params,
                lr=spec["learning_rate"],
                betas=betas,
                eps=spec["epsilon"],
                weight_decay=decay,
                fused=fused,
            )
        if spec["beta_power_dtype"] == "variable":
            return torch.optim.Adam(
                params, lr=spec["learning_rate"], betas=betas, eps=spec["epsilon"], fused=fused
            )
        raise Unsupported(
            "torch.optim.Adam (epsilon after the correction) has no float32 chain of powers"
        )
    kind = spec["kind"]
    raise Unsupported(f"the torch backend has no optimizer '{kind}'")


#: By kind, the canonical words for the slots of the optimizers' state: m is the first moment, v the
#: second.
MOMENTS = {"m": "exp_avg", "v": "exp_avg_sq"}
SLOTS = {
    HatAdam: {"m": "m", "v": "v"},
    torch.optim.Adam: MOMENTS,
    torch.optim.AdamW: MOMENTS,
    torch.optim.SGD: {},
}


def slots(optimizer: torch.optim.Optimizer, parameter: Any) -> Dict[str, torch.Tensor]:
    """Return the slots of a parameter by their canonical word; those that do not exist yet are
    zero."""
    state = optimizer.state.get(parameter, {})
    return {
        word: state[own] if own in state else torch.zeros_like(parameter)
        for word, own in SLOTS[type(optimizer)].items()
    }


def set_state(
    optimizer: torch.optim.Optimizer,
    slot_values: Mapping[Any, Mapping[str, torch.Tensor]],
    steps: int,
) -> None:
    """Set the slots of parameters, and everything that follows from the count of updates. Nothing
    else is left of the old state."""
    optimizer.state.clear()
    for parameter, values in slot_values.items():
        named = {
            own: torch.empty_like(parameter).copy_(values[word])
            for word, own in SLOTS[type(optimizer)].items()
        }
        if isinstance(optimizer, (torch.optim.Adam, torch.optim.AdamW)):
            # Only the fused kernel counts on the device.
            device = parameter.device if optimizer.defaults["fused"] else None
            named["step"] = torch.tensor(float(steps), device=device)
        if named:
            optimizer.state[parameter] = named
    if isinstance(optimizer, HatAdam):
        optimizer.rewind(steps)
