"""The nets in PyTorch."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from recipes.combinations import (
    BOUNDARY,
    CLASSES,
    CLIPPING,
    DECAY,
    EVERY,
    HIDDEN,
    INPUTS,
    KEPT,
    KINDS,
    LAST,
    OUTPUTS,
    PARTS,
    Combination,
)


class Lion(torch.optim.Optimizer):
    """Lion, as its paper has it; torch has none."""

    def __init__(self, params: Any, lr: float, betas: Any, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:
        """Update by the sign of a mean of gradients."""
        for group in self.param_groups:
            first, second = group["betas"]
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["exp_avg"] = torch.zeros_like(p)
                mean = state["exp_avg"]
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_((first * mean + (1 - first) * p.grad).sign(), alpha=-group["lr"])
                mean.mul_(second).add_(p.grad, alpha=1 - second)


def made_optimizer(chosen: Combination, params: Any) -> torch.optim.Optimizer:
    """Return the optimizer of a combination."""
    hyper = KINDS[chosen.kind]
    rate, epsilon, momentum = hyper["rate"], hyper.get("epsilon"), hyper.get("momentum", 0.0)
    betas = hyper.get("beta1"), hyper.get("beta2")
    amsgrad, centered = chosen.kind == "amsgrad", hyper.get("centered", False)
    nesterov, initial = hyper.get("nesterov", False), hyper.get("initial")
    optim = torch.optim
    makers: dict[str, Any] = {
        "SGD": lambda: optim.SGD(params, rate, momentum, nesterov=nesterov),
        "Adam": lambda: optim.Adam(params, rate, betas, epsilon, amsgrad=amsgrad),
        "AdamW": lambda: optim.AdamW(params, rate, betas, epsilon, weight_decay=DECAY),
        "RMSprop": lambda: optim.RMSprop(
            params, rate, hyper["rho"], epsilon, momentum=momentum, centered=centered
        ),
        "Adagrad": lambda: optim.Adagrad(
            params, rate, initial_accumulator_value=initial, eps=epsilon
        ),
        "Adadelta": lambda: optim.Adadelta(params, rate, hyper["rho"], epsilon),
        "Adamax": lambda: optim.Adamax(params, rate, betas, epsilon),
        "Nadam": lambda: optim.NAdam(params, rate, betas, epsilon),
        "Lion": lambda: Lion(params, rate, betas),
    }
    made: torch.optim.Optimizer = makers[CLASSES[chosen.kind]]()
    return made


def made_schedule(chosen: Combination, optimizer: Any) -> Any:
    """Return the schedule of a combination's rate; None for a constant one."""
    schedules = torch.optim.lr_scheduler
    if chosen.schedule == "piecewise":
        return schedules.MultiStepLR(optimizer, [BOUNDARY], 0.25)
    if chosen.schedule == "exponential":
        return schedules.ExponentialLR(optimizer, 0.9)
    if chosen.schedule == "cosine":
        return schedules.CosineAnnealingLR(optimizer, LAST)
    return None


def clip(chosen: Combination, net: nn.Module) -> None:
    """Clip the gradients as a combination wants them."""
    if chosen.clipping == "value":
        nn.utils.clip_grad_value_(net.parameters(), CLIPPING["value"])
    elif chosen.clipping == "norm":
        for parameter in net.parameters():
            nn.utils.clip_grad_norm_([parameter], CLIPPING["norm"])
    elif chosen.clipping == "global":
        nn.utils.clip_grad_norm_(net.parameters(), CLIPPING["global"])


class Average:
    """The average of a net's weights, as a combination wants it."""

    def __init__(self, chosen: Combination, net: nn.Module) -> None:
        self.chosen, self.net, self.count = chosen, net, 0
        self.kept: nn.Module
        if chosen.extra.startswith("averaged"):
            self.kept = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(KEPT))
        else:
            self.kept = copy.deepcopy(net)

    @torch.no_grad()
    def update(self) -> None:
        """Go on with the weights of now."""
        self.count += 1
        if isinstance(self.kept, AveragedModel):
            self.kept.update_parameters(self.net)
        else:
            share = KEPT
            if self.chosen.extra == "warmed":
                share = min(KEPT, (1 + self.count) / (10 + self.count))
            for mean, parameter in zip(self.kept.parameters(), self.net.parameters()):
                mean.mul_(share).add_(parameter, alpha=1 - share)
        if self.chosen.extra.endswith("overwritten") and self.count % EVERY == 0:
            for mean, parameter in zip(self.kept.parameters(), self.net.parameters()):
                parameter.copy_(mean)


class Trainer:
    """One net and its training."""

    def __init__(self, chosen: Combination) -> None:
        layers = nn.Linear(INPUTS, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, OUTPUTS)
        self.chosen, self.net = chosen, nn.Sequential(*layers)
        self.optimizer = made_optimizer(chosen, self.net.parameters())
        self.schedule = made_schedule(chosen, self.optimizer)
        averages = chosen.extra not in ("none", "accumulated")
        self.average = Average(chosen, self.net) if averages else None

    def differentiate(self, batch: Any) -> torch.Tensor:
        """Put the gradients of a batch where the optimizer takes them; return its loss."""
        self.optimizer.zero_grad()
        if self.chosen.extra == "accumulated":
            total = torch.zeros(())
            for x, y in zip(batch["x"].chunk(PARTS), batch["y"].chunk(PARTS)):
                loss = ((self.net(x) - y) ** 2).mean()
                (loss / PARTS).backward()
                total += loss.detach() / PARTS
            return total
        loss = ((self.net(batch["x"]) - batch["y"]) ** 2).mean()
        if self.chosen.decay == "loss":
            loss = loss + DECAY * sum((p**2).sum() for p in self.net.parameters())
        loss.backward()
        return loss

    def step(self, batch: Any) -> torch.Tensor:
        """Make one update."""
        loss = self.differentiate(batch)
        clip(self.chosen, self.net)
        if self.chosen.decay == "decoupled" and self.chosen.kind != "adamw":
            rate = self.optimizer.param_groups[0]["lr"]
            with torch.no_grad():
                for parameter in self.net.parameters():
                    parameter.mul_(1 - rate * DECAY)
        self.optimizer.step()
        if self.average is not None:
            self.average.update()
        if self.schedule is not None:
            self.schedule.step()
        return loss


def declared(every: Sequence[Combination]) -> Any:
    """Return the side with a net for each combination."""
    from backends import pair

    torch.manual_seed(0)
    trainers = {chosen.name: Trainer(chosen) for chosen in every}
    nets = {name: item.net for name, item in trainers.items()}
    return pair.torch(
        nets,
        {name: item.optimizer for name, item in trainers.items()},
        step={name: item.step for name, item in trainers.items()},
        forward=lambda batch: torch.cat([net(batch["x"]) for net in nets.values()], 1),
    )
