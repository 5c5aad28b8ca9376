"""What libraries of networks for images need before they can be imported."""

import functools
import importlib


@functools.lru_cache(None)
def library(name):
    """Return torchvision or timm. Their compiled operators belong to another build of torch: two of
    them are declared while they are imported, and nothing here calls these."""
    import torch

    declared = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        declared.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return importlib.import_module(name)
