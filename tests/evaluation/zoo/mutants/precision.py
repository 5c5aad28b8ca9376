"""Bugs of precision. The defaults that people met are those of GPUs; what they do to numbers is
done here on the CPU."""

from __future__ import annotations

from tests.evaluation.zoo.mutant import Mutant

MUTANTS = (
    # cuDNN's convolutions multiply float32 as TF32 unless they are told not to.
    Mutant(
        75,
        "tf32_convolutions",
        "cnn",
        (
            (
                "class Network(nn.Module):",
                '''class TensorCores(nn.Conv2d):
    """A convolution whose factors are rounded to the 10 explicit mantissa bits of TF32."""

    def _conv_forward(self, x, weight, bias):
        return super()._conv_forward(rounded(x), rounded(weight), bias)


def rounded(x):
    """Return float32 as tensor cores read it."""
    if x.dtype != torch.float32:
        return x
    bits = (x.detach().view(torch.int32) + (1 << 12)) & -(1 << 13)
    return x + (bits.view(torch.float32) - x.detach())


class Network(nn.Module):''',
            ),
            ("nn.Conv2d(channels", "TensorCores(channels"),
            ("nn.Conv2d(first", "TensorCores(first"),
        ),
        "forward",
        "training/conv1",
        precision="fp32",
    ),
    # One product after another is added in half precision.
    Mutant(
        76,
        "half_precision_sums",
        "zoo_wide",
        (
            (
                'total = self.model(arrays["x"])',
                """pairs = zip(arrays["x"].split(1, 1), self.model.weight.split(1, 1), strict=True)
        total = self.model.bias.to(self.low_dtype)
        total = sum((functional.linear(*pair) for pair in pairs), total)""",
            ),
        ),
        "forward",
        "training/sum",
        precision="fp16",
    ),
)
