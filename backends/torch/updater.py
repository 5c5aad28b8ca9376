"""One optimizer of a workload at work: what it updates, how often it has, and its loss scale where
the precision has one."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

import torch

from backends.torch import optimizers


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
        self.optimizer = optimizers.build(spec, values, scaled=self.scale is not None)
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
            name: optimizers.slots(self.optimizer, parameter)
            for name, parameter in self.parameters.items()
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
        optimizers.set_state(self.optimizer, by_parameter, steps)

    def reset(self) -> None:
        """Return to the state before the first update."""
        self.attempts = 0
        optimizers.set_state(self.optimizer, {}, 0)
        if self.scale is not None:
            self.scale.reset()
