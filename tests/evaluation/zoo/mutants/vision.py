"""Bugs of convolution, pooling, resizing and layout: in `cnn`, and in `zoo_vision` what its two
convolutions cannot show."""

from __future__ import annotations

from tests.evaluation.zoo.mutant import Mutant

CNN, VISION = "cnn", "zoo_vision"
FORWARD = "forward"
PAD = 'functional.pad(seen["stem"], (0, 1, 0, 1), value=-torch.inf)'

MUTANTS = (
    Mutant(
        41,
        "same_padding_symmetric",
        VISION,
        (
            ("nn.Conv2d(1, filters, 3, stride=2)", "nn.Conv2d(1, filters, 3, stride=2, padding=1)"),
            (
                'self.stem(functional.pad(seen["enlarged"], (0, 1, 0, 1)))',
                'self.stem(seen["enlarged"])',
            ),
        ),
        FORWARD,
        "training/stem",
    ),
    Mutant(
        42,
        "transposed_padding_crops",
        VISION,
        (
            (
                "3, stride=2)\n        self.head",
                "3, stride=2, padding=1, output_padding=1)\n        self.head",
            ),
            (
                'self.transposed(seen["depthwise"])[:, :, :-1, :-1]',
                'self.transposed(seen["depthwise"])',
            ),
        ),
        FORWARD,
        "training/transposed",
    ),
    Mutant(
        43,
        "max_pool_pads_zeros",
        VISION,
        ((PAD, 'functional.pad(seen["stem"], (0, 1, 0, 1))'),),
        FORWARD,
        "training/max_pool",
    ),
    Mutant(
        44,
        "average_counts_padding",
        VISION,
        ((", count_include_pad=False", ""),),
        FORWARD,
        "training/average_pool",
    ),
    Mutant(
        45,
        "flatten_channels_first",
        CNN,
        (('seen["pool2"].permute(0, 2, 3, 1).flatten(1)', 'seen["pool2"].flatten(1)'),),
        FORWARD,
        "training/flatten",
    ),
    Mutant(
        45,
        "joined_channels_first",
        VISION,
        (("1).permute(0, 2, 3, 1).flatten(1)", "1).flatten(1)"),),
        FORWARD,
        "training/flatten",
    ),
    Mutant(
        46,
        "align_corners",
        VISION,
        (
            (
                'size=(large, large), mode="bilinear")',
                'size=(large, large), mode="bilinear", align_corners=True)',
            ),
        ),
        FORWARD,
        "training/enlarged",
    ),
    Mutant(
        47,
        "nearest_rounds_down",
        VISION,
        (('mode="nearest-exact"', 'mode="nearest"'),),
        FORWARD,
        "training/nearest",
    ),
    Mutant(
        48,
        "antialias",
        VISION,
        (("antialias=False", "antialias=True"),),
        FORWARD,
        "training/thumbnail",
    ),
    Mutant(
        50,
        "leaky_relu_slope",
        VISION,
        (
            (
                'functional.leaky_relu(seen["max_pool"], slope)',
                'functional.leaky_relu(seen["max_pool"])',
            ),
        ),
        FORWARD,
        "training/leaky",
    ),
    Mutant(
        78,
        "kernel_width_first",
        CNN,
        (('("conv1.weight", CONV2D)', '("conv1.weight", (3, 2, 1, 0))'),),
        FORWARD,
        "training/conv1",
    ),
    # The permutation of an ordinary convolution: [h, w, in, multiplier] becomes [multiplier, in, h,
    # w].
    Mutant(
        78,
        "depthwise_multiplier_first",
        VISION,
        (
            (
                "(-1, MULTIPLIER)).squeeze(2).permute(2, 3, 0, 1)",
                "(MULTIPLIER, -1)).squeeze(2).permute(2, 3, 1, 0)",
            ),
            ("kernel.permute(2, 3, 0, 1)", "kernel.permute(3, 2, 0, 1)"),
        ),
        FORWARD,
        "training/depthwise",
    ),
    # TensorFlow's [h, w, out, in] taken for [h, w, in, out].
    Mutant(
        78,
        "transposed_in_and_out",
        VISION,
        (("TRANSPOSED = (2, 3, 1, 0)", "TRANSPOSED = (2, 3, 0, 1)"),),
        FORWARD,
        "training/transposed",
    ),
)
