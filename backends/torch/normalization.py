"""Batch normalisation as the specification asks for it."""

from __future__ import annotations

import torch


class BatchNorm(torch.nn.Module):
    """Batch normalisation over the first axis with a *biased* moving variance.

    `torch.nn.BatchNorm1d` moves its running variance towards n/(n-1) times the population variance;
    the specification (and Keras 3) wants the population variance itself. `momentum` is the share
    that is kept, as in TensorFlow.
    """

    def __init__(self, units: int, epsilon: float, momentum: float) -> None:
        super().__init__()
        self.epsilon, self.momentum, self.tracking = epsilon, momentum, True
        self.gamma = torch.nn.Parameter(torch.ones(units))
        self.beta = torch.nn.Parameter(torch.zeros(units))
        self.register_buffer("moving_mean", torch.zeros(units))
        self.register_buffer("moving_variance", torch.ones(units))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise x [batch, units]."""
        if not self.training:
            return torch.nn.functional.batch_norm(
                x,
                self.moving_mean,
                self.moving_variance,
                weight=self.gamma,
                bias=self.beta,
                training=False,
                momentum=0.0,
                eps=self.epsilon,
            )
        if self.tracking:
            with torch.no_grad():
                # Under autocast x is in a lower precision, statistics are not.
                own = x.to(self.moving_mean.dtype)
                variance, mean = torch.var_mean(own, dim=0, correction=0)
                self.moving_mean.lerp_(mean, 1.0 - self.momentum)
                self.moving_variance.lerp_(variance, 1.0 - self.momentum)
        return torch.nn.functional.batch_norm(
            x,
            running_mean=None,
            running_var=None,
            weight=self.gamma,
            bias=self.beta,
            training=True,
            momentum=0.0,
            eps=self.epsilon,
        )
