"""Optimizers for torch, exactly as a workload's specification asks.

`torch.optim.Adam` adds epsilon after the bias correction; TF1 and Keras add it before (the "hat"
form of the paper's section 2), and TF1 keeps the powers of beta as a chain of float32 products even
for float64 weights. The class below computes that form with torch's own fused kernel, one pass over
the memory. `Updater` is one of them at work: what it updates, how often it has, and its loss scale
where the precision has one.

All optimizers here follow `torch.amp.GradScaler`'s protocol: with an attribute `found_inf`, a
tensor that is 1 where a gradient was not finite, `step` changes nothing, and no value travels to
the host to decide it.
"""

from __future__ import annotations

import math
from typing import Any, Dict, List, Mapping, Optional, Tuple

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


class LossScale:
    """A dynamic loss scale that lives on the device: no update waits for the host to learn whether
    gradients were finite.

    Args:
        device: where gradients are.
        start: the scale before the first update.
        growth: so many good updates in a row double it; one whose gradients are not all finite
            halves it.
    """

    def __init__(self, device: torch.device, start: float, growth: int) -> None:
        self.start, self.growth = start, growth
        self.scale = torch.full((), start, dtype=torch.float32, device=device)
        self.good = torch.zeros((), dtype=torch.int32, device=device)
        self.skipped = torch.zeros((), dtype=torch.int64, device=device)

    def unscale(self, gradients: List[torch.Tensor]) -> torch.Tensor:
        """Divide gradients by the scale in place; return 1.0 if any is not finite, else 0.0."""
        overflow = torch.zeros_like(self.scale)
        inverse = self.scale.reciprocal()
        torch._amp_foreach_non_finite_check_and_unscale_(gradients, overflow, inverse)
        return overflow

    def settle(self, overflow: torch.Tensor) -> None:
        """Move on by one update, good or skipped; `overflow` as `unscale` returned it."""
        self.skipped += overflow.to(torch.int64)
        torch._amp_update_scale_(self.scale, self.good, overflow, 2.0, 0.5, self.growth)

    def state(self) -> Dict[str, torch.Tensor]:
        """Return the state by its name in the contract."""
        return {"loss_scale": self.scale, "good": self.good, "skipped": self.skipped}

    def reset(self) -> None:
        """Return to the state before the first update."""
        self.scale.fill_(self.start)
        self.good.zero_()
        self.skipped.zero_()


class Updater:
    """An entry of `config["optimizers"]`.

    Args:
        spec: the entry.
        parameters: everything that its phases update, by canonical name.
        precision: the row of `PRECISION_TABLE`. None has a fixed scale other than 1.
    """

    def __init__(
        self, spec: Mapping[str, Any], parameters: Mapping[str, Any], precision: Mapping[str, Any]
    ) -> None:
        self.parameters = dict(parameters)
        values = list(parameters.values())
        growth = precision["loss_scale_growth"]
        self.scale: Optional[LossScale] = None
        if growth:
            self.scale = LossScale(values[0].device, precision["loss_scale"], growth)
        self.optimizer = build(spec, values, scaled=self.scale is not None)
        self.attempts = 0

    @property
    def loss_scale(self) -> Optional[float]:
        """Its present value, brought to the host; None where the precision has no dynamic one."""
        return None if self.scale is None else self.scale.scale.item()

    def minimise(self, total: torch.Tensor, parameters: List[Any]) -> None:
        """Run one update of some of the parameters; those that the loss does not depend on stay."""
        scaled = total if self.scale is None else total * self.scale.scale
        scaled.backward(inputs=parameters)
        if self.scale is None:
            self.optimizer.step()
        else:
            gradients = [item.grad for item in parameters if item.grad is not None]
            overflow = self.scale.unscale(gradients)
            self.optimizer.found_inf = overflow
            self.optimizer.step()
            self.scale.settle(overflow)
        self.attempts += 1
        for item in parameters:
            item.grad = None

    def counts(self) -> Dict[str, torch.Tensor]:
        """Return the step count, and the state of the loss scale if there is one, by name; integers
        without a dimension."""
        if self.scale is None:
            return {"step": torch.tensor(self.attempts)}
        return dict(self.scale.state(), step=self.attempts - self.scale.skipped)

    def slots(self) -> Dict[str, Dict[str, torch.Tensor]]:
        """Return the slots of each parameter, by canonical name and then by word."""
        return {
            name: slots(self.optimizer, parameter) for name, parameter in self.parameters.items()
        }

    def load(
        self, counts: Mapping[str, Any], slots: Mapping[str, Mapping[str, torch.Tensor]]
    ) -> None:
        """Set what `counts` and `slots` return, in their layouts."""
        steps = self.attempts = int(counts["step"])
        if self.scale is not None:
            self.attempts += int(counts["skipped"])
            for name, tensor in self.scale.state().items():
                tensor.fill_(counts[name].item())
        by_parameter = {self.parameters[name]: values for name, values in slots.items()}
        set_state(self.optimizer, by_parameter, steps)

    def reset(self) -> None:
        """Return to the state before the first update."""
        self.attempts = 0
        set_state(self.optimizer, {}, 0)
        if self.scale is not None:
            self.scale.reset()
