"""`cnn` that reads the kernels of its first convolution as [width, height, in, out]."""

from typing import ClassVar

from backends.torch.cnn import Port as Shipped


class Port(Shipped):
    """The planted fault."""

    LAYOUT: ClassVar = {**Shipped.LAYOUT, "conv1/kernel": ("conv1.weight", (3, 2, 1, 0))}
