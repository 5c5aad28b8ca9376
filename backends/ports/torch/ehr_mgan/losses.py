"""The loss terms of EHR-M-GAN's phases; sums and means as in the original, its oddities kept and
named."""

from __future__ import annotations

from typing import Dict, Mapping, Sequence, Tuple

import torch
from torch.nn import functional

Tensors = Dict[str, torch.Tensor]
#: Keras clips probabilities to this far from 0 and 1, and adds it inside the logarithms as well.
KERAS_EPSILON = 1e-7
#: Added to variances before their root.
VARIANCE_EPSILON = 1e-6


def reconstruction(stream: str, data: torch.Tensor, decoded: torch.Tensor) -> torch.Tensor:
    """Return the mean squared error (continuous), or Keras' binary cross-entropy of probabilities
    (discrete)."""
    if stream == "continuous":
        return functional.mse_loss(decoded, data)
    p = decoded.clamp(KERAS_EPSILON, 1.0 - KERAS_EPSILON)
    return -torch.mean(
        data * torch.log(p + KERAS_EPSILON) + (1.0 - data) * torch.log(1.0 - p + KERAS_EPSILON)
    )


def kl(mu: torch.Tensor, logarithm: torch.Tensor) -> torch.Tensor:
    """Return the mean over the batch of the sum over hours and latents; mu and the logarithm of
    sigma are [hours, batch, latent].

    As in the original sigma itself stands where its square belongs.
    """
    return 0.5 * torch.sum(torch.exp(logarithm) + mu.square() - logarithm - 1.0) / mu.shape[1]


def contrastive(logits: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return NT-Xent from the products a b^T, a a^T, b b^T of latents; as in the original not
    normalised, and at temperature 1."""
    across, own_a, own_b = logits
    mask = torch.full((len(across),), 1e9, dtype=across.dtype, device=across.device).diag()
    target = torch.arange(len(across), device=across.device)
    logits_a = torch.cat([across, own_a - mask], 1)
    logits_b = torch.cat([across.t(), own_b - mask], 1)
    return functional.cross_entropy(logits_a, target) + functional.cross_entropy(logits_b, target)


def weighted(terms: Tensors, weights: Mapping[str, float]) -> Tensors:
    """Return the terms and their weighted sum as `total`."""
    total = sum(weights[name] * value for name, value in terms.items())
    return dict(terms, total=total)


def discriminator(
    real: torch.Tensor, fake: torch.Tensor, real_label: torch.Tensor, fake_label: torch.Tensor
) -> Tensors:
    """Return the cross-entropies of both sides' logits with noisy labels, which may lie above 1."""
    binary = functional.binary_cross_entropy_with_logits
    terms = {"real": binary(real, real_label), "fake": binary(fake, fake_label)}
    return dict(terms, total=terms["real"] + terms["fake"])


def moments(x: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
    """Return the population variance and the mean over the first axis; `torch.var_mean` takes ten
    times as long along that one."""
    mean = x.mean(dim=0)
    return (x - mean).square().mean(dim=0), mean


def generator(
    stream: str,
    logit: torch.Tensor,
    fake: torch.Tensor,
    real: torch.Tensor,
    weights: Mapping[str, float],
) -> Tensors:
    """Return the adversarial term, and the distances between the batch's moments of fake and real
    features [batch, hours, ...].

    As in the original the continuous stream's means are compared by the roots of their magnitudes.
    """
    adversarial = functional.binary_cross_entropy_with_logits(logit, torch.ones_like(logit))
    fake_variance, fake_mean = moments(fake)
    real_variance, real_mean = moments(real)
    if stream == "continuous":
        fake_mean, real_mean = fake_mean.abs().sqrt(), real_mean.abs().sqrt()
    fake_deviation = (fake_variance + VARIANCE_EPSILON).sqrt()
    real_deviation = (real_variance + VARIANCE_EPSILON).sqrt()
    spread = torch.mean(torch.abs(fake_deviation - real_deviation))
    centre = torch.mean(torch.abs(fake_mean - real_mean))
    total = weights["adversarial"] * adversarial + weights["feature_matching"] * (spread + centre)
    return {
        "adversarial": adversarial,
        "feature_variance": spread,
        "feature_mean": centre,
        "total": total,
    }
