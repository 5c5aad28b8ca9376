"""What the pairs of networks for images share: importing the libraries, and a training step."""

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


def classifier(net, optimizer, logits):
    """Return the side of a net that gives chances, as keras.applications do; its loss is taken from
    the logits, as Keras takes it from what is behind a softmax, too."""
    from torch.nn import functional

    from backends import pair

    def step(batch):
        optimizer.zero_grad()
        loss = functional.cross_entropy(logits(batch), batch["y"])
        loss.backward()
        optimizer.step()
        return loss

    forward = lambda batch: logits(batch).softmax(-1)
    return pair.torch(net, optimizer, step=step, forward=forward)
