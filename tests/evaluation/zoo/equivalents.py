"""Honest ports in other words: the same function by another formula, or the same sum in another
order. None may ever fail."""

from __future__ import annotations

from tests.evaluation.zoo.mutant import Mutant


def _same(name: str, workload: str, *changes: tuple[str, str]) -> Mutant:
    return Mutant(0, f"honest_{name}", workload, changes, "", "", verdict="PASS")


FOLDED = '''

class Folded(BatchNorm):
    """The statistics and the weights folded into one scale and one offset."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            mean, variance = self.moving_mean, self.moving_variance
        elif not self.tracking:
            mean, variance = x.mean(0), x.var(0, correction=0)
        else:
            mean, variance = x.mean(0), (x - x.mean(0)).square().mean(0)
            kept, moved = self.momentum, 1.0 - self.momentum
            with torch.no_grad():
                self.moving_mean.copy_(kept * self.moving_mean + moved * mean)
                self.moving_variance.copy_(kept * self.moving_variance + moved * variance)
        scale = self.gamma * torch.rsqrt(variance + self.epsilon)
        return x * scale + (self.beta - mean * scale)


class Port(TorchPort):'''

EQUIVALENTS = (
    _same(
        "folded_batch_norm",
        "cnn",
        ("= BatchNorm(", "= Folded("),
        ("\n\nclass Port(TorchPort):", FOLDED),
    ),
    _same(
        "convolution_by_patches",
        "cnn",
        (
            'self.conv2(seen["pool1"])',
            (
                '(functional.unfold(seen["pool1"], 3, padding=1).transpose(1, 2) @'
                " self.conv2.weight.flatten(1).t() + self.conv2.bias).transpose(1, 2).unflatten(2,"
                ' seen["pool1"].shape[2:])'
            ),
        ),
    ),
    _same(
        "split_product",
        "cnn",
        (
            'self.dense1(seen["flatten"])',
            (
                '(seen["flatten"][:, 100:] @ self.dense1.weight[:, 100:].t() + (seen["flatten"][:,'
                " :100] @ self.dense1.weight[:, :100].t() + self.dense1.bias))"
            ),
        ),
    ),
    _same(
        "cross_entropy_by_hand",
        "cnn",
        (
            'functional.cross_entropy(logits, arrays["y"])',
            '(logits.logsumexp(1) - logits.gather(1, arrays["y"][:, None])[:, 0]).mean()',
        ),
    ),
    _same(
        "split_penalty",
        "cnn",
        (
            "self.model.dense1.weight.square().sum()",
            "sum(row.square().sum() for row in self.model.dense1.weight.unbind(0))",
        ),
    ),
    _same(
        "scaled_mask",
        "cnn",
        ("hidden * keep / (1.0 - self.rate)", "hidden * (keep * (1.0 / (1.0 - self.rate)))"),
    ),
    _same(
        "relu_as_maximum",
        "cnn",
        (
            'functional.relu(self.dense1(seen["flatten"]))',
            'torch.maximum(self.dense1(seen["flatten"]), torch.zeros(()).to(x))',
        ),
    ),
    _same(
        "reversed_features",
        "linear",
        (
            'self.model(arrays["x"])',
            '(arrays["x"].flip(1) @ self.model.weight.flip(1).t() + self.model.bias)',
        ),
    ),
    _same(
        "error_expanded",
        "linear",
        (
            'functional.mse_loss(prediction, arrays["y"])',
            (
                '((prediction - arrays["y"]).t() @ (prediction - arrays["y"]))[0, 0] /'
                " len(prediction)"
            ),
        ),
    ),
    _same(
        "penalty_as_product",
        "linear",
        (
            "self.model.weight.square().sum()",
            "(self.model.weight @ self.model.weight.t())[0, 0]",
        ),
    ),
)
