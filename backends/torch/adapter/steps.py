"""One training step of the user's, watched: what it differentiates, and what it updates.

A gradient is taken at the end of each backward pass, before anything is done with it, and a
teacher's is put there. What counts for a parameter is what stood in `.grad` at the last backward
pass before the first update of the optimizer that has it: so a discriminator's is not what the
generator's loss left there, and the passes of an accumulation add up. Of an optimizer that updates
several times in a step it is the first; in a closure that is called several times too.
"""

from __future__ import annotations

import contextlib
import importlib
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np
import torch

from backends.torch.adapter import optimizers

Tensors = Dict[str, torch.Tensor]
#: Under this name `torch.optim` has no attribute.
HOOKS: Any = importlib.import_module("torch.optim.optimizer")


class Watch:
    """What one step does.

    Args:
        parameters: by own name. optimizers: by own name.
        teacher: gradients by own name that take the place of its own; None: none do.
        copies: whether gradients are wanted.

    Attributes:
        gradients: by own name. updated: names of optimizers in the order of their updates.
        rates: by optimizer, the learning rate of each update.
    """

    def __init__(
        self,
        parameters: Tensors,
        optimizers: Mapping[str, Any],
        teacher: Optional[Mapping[str, Any]] = None,
        copies: bool = True,
    ) -> None:
        self.parameters, self.optimizers, self.copies = parameters, optimizers, copies
        self.teacher = teacher or {}
        self.names = {id(value): name for name, value in parameters.items()}
        self.gradients: Tensors = {}
        self.updated: List[str] = []
        self.rates: Dict[str, List[float]] = {}
        self.dtype: Optional[torch.dtype] = None
        self._frozen: Set[str] = set()
        self._roots: List[torch.Tensor] = []
        self._scales: Dict[int, Tuple[Any, float]] = {}  # the tensor too: it keeps its identity
        self._scale: Any = None
        self._depth = 0
        self._within: Dict[str, int] = {}  # optimizers that are at it: backward passes so far

    # -- results -----------------------------------------------------------------------------------

    def total(self) -> Optional[float]:
        """Return the sum of what was differentiated; None where nothing was."""
        if not self._roots:
            return None
        return float(sum(float(root) for root in self._roots))

    def updated_gradients(self) -> Tensors:
        """Return the gradients that updates were made of; all, where no optimizer ran."""
        if not self.updated:
            return self.gradients
        owned: Set[str] = set()
        for name in self.updated:
            owned.update(optimizers.owned(self.optimizers[name], self.names))
        return {name: value for name, value in self.gradients.items() if name in owned}

    # -- what happens ------------------------------------------------------------------------------

    def _begin(self, roots: Sequence[Any]) -> bool:
        """Note what is differentiated; return whether this is a closure that is called again."""
        scales = [self._scales[id(root)][1] for root in roots if id(root) in self._scales]
        self._scale = scales[0] if scales else None
        for name in self._within:
            self._within[name] += 1
        return any(count > 1 for count in self._within.values())

    def _count(self, roots: Sequence[Any], weights: Sequence[Any]) -> None:
        for root, weight in zip(roots, weights):
            value = root.detach()
            if weight is not None:
                value = (value * weight).sum()
            if self._scale is not None:
                value = value.to(torch.float64) / self._scale
            self.dtype = root.dtype
            self._roots.append(value.sum().clone())

    def differentiated(self, tensors: Any, weights: Any) -> None:
        """Note the end of a backward pass that put gradients into `.grad`."""
        roots = [tensors] if isinstance(tensors, torch.Tensor) else list(tensors)
        weighting = [weights] if isinstance(weights, torch.Tensor) else list(weights or [])
        repeated = self._begin(roots)
        if not repeated:
            self._count(roots, weighting or [None] * len(roots))
        for name, parameter in self.parameters.items():
            if parameter.grad is not None:
                parameter.grad = self._taken(name, parameter.grad, repeated)

    def returned(self, roots: Sequence[Any], inputs: Sequence[Any], gradients: Any) -> Any:
        """Note gradients that `torch.autograd.grad` has returned; return what takes their place."""
        if not any(id(each) in self.names for each in inputs):
            return gradients
        repeated = self._begin(roots)
        if not repeated:
            self._count(roots, [None] * len(roots))
        return tuple(
            gradient
            if gradient is None or id(each) not in self.names
            else self._taken(self.names[id(each)], gradient, repeated)
            for each, gradient in zip(inputs, gradients)
        )

    def _taken(self, name: str, gradient: torch.Tensor, repeated: bool) -> torch.Tensor:
        if self.copies and name not in self._frozen and not repeated:
            copied = gradient.detach()
            copied = copied.clone() if copied.layout == torch.strided else copied.to_dense()
            self.gradients[name] = copied if self._scale is None else copied / self._scale
        if name not in self.teacher:
            return gradient
        value = torch.from_numpy(np.array(self.teacher[name]))
        value = value.to(gradient.device, gradient.dtype)
        if self._scale is not None:
            value = value * self._scale
        if gradient.layout != torch.strided:
            return value.to_sparse(gradient.sparse_dim())
        gradient = gradient.detach()
        gradient.copy_(value)
        return gradient

    def _name(self, optimizer: Any) -> Optional[str]:
        return next((name for name, each in self.optimizers.items() if each is optimizer), None)

    def begins(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Note that an optimizer's update begins."""
        name = self._name(optimizer)
        if name is not None:
            self._within[name] = 0
            self.rates.setdefault(name, []).append(optimizers.rate(optimizer))

    def ends(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Note that it has ended."""
        name = self._name(optimizer)
        if name is not None:
            self._within.pop(name, None)
            self.updated.append(name)
            self._frozen.update(optimizers.owned(optimizer, self.names))

    # -- patches -----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch, for as long as this lasts."""
        plain, scaler = torch.autograd, torch.amp.GradScaler
        backward, grad, scale = plain.backward, plain.grad, scaler.scale
        handles = [
            HOOKS.register_optimizer_step_pre_hook(self.begins),
            HOOKS.register_optimizer_step_post_hook(self.ends),
        ]

        def watched_backward(tensors: Any, grad_tensors: Any = None, *args: Any, **kw: Any) -> None:
            self._depth += 1
            try:
                backward(tensors, grad_tensors, *args, **kw)
            finally:
                self._depth -= 1
            if not self._depth:
                self.differentiated(tensors, kw.get("grad_variables", grad_tensors))

        def watched_grad(outputs: Any, inputs: Any, *args: Any, **kw: Any) -> Any:
            gradients = grad(outputs, inputs, *args, **kw)
            create = kw.get("create_graph", len(args) > 2 and args[2])
            if self._depth or create or not isinstance(gradients, tuple):
                return gradients
            roots = [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)
            members = [inputs] if isinstance(inputs, torch.Tensor) else list(inputs)
            return self.returned(roots, members, gradients)

        def watched_scale(own: Any, outputs: Any) -> Any:
            scaled = scale(own, outputs)
            if own.is_enabled():
                for each in [scaled] if isinstance(scaled, torch.Tensor) else list(scaled):
                    self._scales[id(each)] = (each, own.get_scale())
            return scaled

        plain.backward, plain.grad, scaler.scale = watched_backward, watched_grad, watched_scale
        try:
            yield
        finally:
            plain.backward, plain.grad, scaler.scale = backward, grad, scale
            for handle in handles:
                handle.remove()
