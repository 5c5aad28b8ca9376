"""Rules of dense layers, convolutions, embeddings, norms, pooling, padding and dropout.

Layouts, torch's on the left and the canonical one on the right:

    Linear            [out, in]                [in, out]
    ConvNd            [out, in/groups, *space] [*space, in/groups, out]
    depthwise ConvNd  [in·multiplier, 1, *space]   [*space, in, multiplier]
    ConvTransposeNd   [in, out/groups, *space] [*space, in, out/groups]; nothing is mirrored
    Conv1D (transformers)   [in, out]          the same

A padding of as much on both sides as keeps the size is called `same` at a stride of 1; at any other
stride Keras' and TensorFlow's `same` begins elsewhere, so that the numbers stand there.
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple, Union

import torch

from backends.torch.adapter.rules import (
    NORM,
    STATISTICS,
    Description,
    Weight,
    numbers,
    rule,
)

BIAS = Weight("bias", ("bias",))
DENSE = Weight("kernel", ("weight",), (("transpose", (1, 0)),))


@rule("Linear", "dense")
def _linear(module: Any) -> Description:
    attributes = {
        "units": module.out_features,
        "bias": module.bias is not None,
    }
    return Description(attributes, (DENSE, BIAS))


@rule("transformers.Conv1D", "dense")
def _transposed_linear(module: Any) -> Description:
    attributes = {"units": module.nf, "bias": True}
    return Description(attributes, (Weight("kernel", ("weight",)), BIAS))


def _padding(module: Any, count: int) -> Union[str, List[List[int]]]:
    if isinstance(module.padding, str):
        return str(module.padding)
    padding = numbers(module.padding, count)
    if not any(padding):
        return "valid"
    kernel, dilation = numbers(module.kernel_size, count), numbers(module.dilation, count)
    spans = [step * (size - 1) for step, size in zip(dilation, kernel)]
    still = all(step == 1 for step in numbers(module.stride, count))
    if still and spans == [2 * size for size in padding]:
        return "same"
    return [[size, size] for size in padding]


def _window(module: Any, count: int) -> Dict[str, Any]:
    stride = module.kernel_size if module.stride is None else module.stride
    return {
        "kernel_size": numbers(module.kernel_size, count),
        "stride": numbers(stride, count),
        "padding": _padding(module, count),
        "dilation": numbers(module.dilation, count),
    }


def _conv_attributes(module: Any, count: int) -> Dict[str, Any]:
    attributes = dict(
        _window(module, count),
        groups=module.groups,
        filters=module.out_channels,
        bias=module.bias is not None,
    )
    if module.padding_mode != "zeros":
        attributes["padding_mode"] = module.padding_mode
    return attributes


@rule("Conv1d Conv2d Conv3d", "conv")
def _conv(module: Any) -> Description:
    space = module.weight.ndim - 2
    attributes = _conv_attributes(module, space)
    if module.groups == module.in_channels > 1:
        multiplier = module.out_channels // module.groups
        del attributes["groups"]
        attributes["multiplier"] = multiplier
        shape = (module.groups, multiplier, *module.weight.shape[2:])
        steps: Tuple[Tuple[Any, ...], ...] = (
            ("reshape", shape),
            ("transpose", (*range(2, space + 2), 0, 1)),
        )
        weights = (Weight("kernel", ("weight",), steps), BIAS)
        return Description(attributes, weights, "channels", "depthwise_conv")
    steps = (("transpose", (*range(2, space + 2), 1, 0)),)
    return Description(attributes, (Weight("kernel", ("weight",), steps), BIAS), "channels")


@rule("ConvTranspose1d ConvTranspose2d ConvTranspose3d", "conv_transpose")
def _conv_transpose(module: Any) -> Description:
    space = module.weight.ndim - 2
    attributes = _conv_attributes(module, space)
    # Padding of the convolution that this is the transpose of: numbers, whatever the stride.
    padding = numbers(module.padding, space)
    attributes["padding"] = [[size, size] for size in padding] if any(padding) else "valid"
    attributes["output_padding"] = numbers(module.output_padding, space)
    steps = (("transpose", (*range(2, space + 2), 0, 1)),)
    return Description(attributes, (Weight("kernel", ("weight",), steps), BIAS), "channels")


@rule("Embedding EmbeddingBag", "embedding")
def _embedding(module: Any) -> Description:
    attributes = {"embeddings": module.num_embeddings, "units": module.embedding_dim}
    if module.padding_idx is not None:
        attributes["padding_token"] = module.padding_idx
    return Description(attributes, (Weight("embeddings", ("weight",)),))


def _affine(module: Any) -> Dict[str, Any]:
    return {
        "epsilon": module.eps,
        "scale": getattr(module, "weight", None) is not None,
        "center": getattr(module, "bias", None) is not None,
    }


def _keep(module: Any) -> Dict[str, Any]:
    if not module.track_running_stats:
        return {"keep": None}
    # Without a momentum all batches count the same.
    keep = "average" if module.momentum is None else round(1.0 - module.momentum, 15)
    return {"keep": keep, "unbiased_variance": True}


@rule("BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm", "batch_norm")
def _batch_norm(module: Any) -> Description:
    attributes = dict(_affine(module), **_keep(module))
    return Description(attributes, NORM + STATISTICS, "channels")


@rule("InstanceNorm1d InstanceNorm2d InstanceNorm3d", "instance_norm")
def _instance_norm(module: Any) -> Description:
    attributes = dict(_affine(module), **_keep(module))
    return Description(attributes, NORM + STATISTICS, "channels")


@rule("LayerNorm", "layer_norm")
def _layer_norm(module: Any) -> Description:
    axis = [-len(module.normalized_shape) + index for index in range(len(module.normalized_shape))]
    return Description(dict(_affine(module), axis=axis), NORM)


@rule("RMSNorm", "rms_norm")
def _rms_norm(module: Any) -> Description:
    axis = [-len(module.normalized_shape) + index for index in range(len(module.normalized_shape))]
    attributes = dict(_affine(module), axis=axis)
    if module.eps is None:
        dtype = torch.get_default_dtype() if module.weight is None else module.weight.dtype
        attributes["epsilon"] = torch.finfo(dtype).eps
    return Description(attributes, NORM[:1])


@rule("GroupNorm", "group_norm")
def _group_norm(module: Any) -> Description:
    attributes = dict(_affine(module), groups=module.num_groups)
    return Description(attributes, NORM, "channels")


@rule("Dropout AlphaDropout", "dropout")
def _dropout(module: Any) -> Description:
    return Description({"rate": module.p})


@rule("Dropout1d Dropout2d Dropout3d FeatureAlphaDropout", "dropout")
def _channel_dropout(module: Any) -> Description:
    return Description({"rate": module.p, "whole_channels": True}, first="channels")


@rule("torchvision.StochasticDepth", "dropout")
def _stochastic_depth(module: Any) -> Description:
    return Description({"rate": module.p, "whole_rows": module.mode == "row"})


@rule("timm.DropPath", "dropout")
def _drop_path(module: Any) -> Description:
    return Description({"rate": module.drop_prob, "whole_rows": True})


def _axes_of(module: Any) -> int:
    return int(type(module).__name__[-2])


@rule("MaxPool1d MaxPool2d MaxPool3d", "max_pool")
def _max_pool(module: Any) -> Description:
    attributes = _window(module, _axes_of(module))
    return Description(dict(attributes, ceiling=module.ceil_mode), first="channels")


@rule("AvgPool1d AvgPool2d AvgPool3d", "average_pool")
def _average_pool(module: Any) -> Description:
    count = _axes_of(module)
    padding = numbers(module.padding, count)
    attributes = {
        "kernel_size": numbers(module.kernel_size, count),
        "stride": numbers(module.stride, count),
        "padding": [[size, size] for size in padding] if any(padding) else "valid",
        "ceiling": module.ceil_mode,
    }
    if any(padding):
        attributes["counts_padding"] = module.count_include_pad
    return Description(attributes, first="channels")


def _adaptive(module: Any, reduction: str) -> Description:
    size = module.output_size
    sizes = [size] if isinstance(size, int) else list(size)
    if all(item == 1 for item in sizes):
        return Description({"reduction": reduction}, first="channels", kind="global_pool")
    return Description({"output_size": sizes}, first="channels")


@rule("AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d", "average_pool")
def _adaptive_average(module: Any) -> Description:
    return _adaptive(module, "mean")


@rule("AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d", "max_pool")
def _adaptive_max(module: Any) -> Description:
    return _adaptive(module, "max")


PADS = " ".join(
    f"{word}Pad{count}d"
    for word in ("Zero", "Constant", "Reflection", "Replication", "Circular")
    for count in (1, 2, 3)
)


@rule(PADS, "pad")
def _pad(module: Any) -> Description:
    # torch begins with the last axis.
    flat = [int(item) for item in module.padding]
    pairs = [flat[index : index + 2] for index in range(0, len(flat), 2)]
    return Description({"padding": pairs[::-1]}, first="channels")


@rule("Flatten", "flatten")
def _flatten(module: Any) -> Description:
    return Description({"axis": [module.start_dim, module.end_dim]})


@rule("Unflatten", "reshape")
def _unflatten(module: Any) -> Description:
    return Description({"axis": [module.dim]})
