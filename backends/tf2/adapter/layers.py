"""What each class of Keras' layers is in the shared vocabulary: one rule a class.

A rule says the kind, which of the layer's attributes are told under which words, where its weights
are, and whether what is inside counts as one layer. A class without a rule of its own takes that of
the nearest class that it extends; with none it is `container` where it holds layers, else `other`,
and its weights are pieces as they are.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from backends.tf2.adapter import vocabulary, weights
from backends.tf2.adapter.weights import Weight


class Fixed(NamedTuple):
    """An attribute that every layer of a class has alike."""

    value: Any


class Rule(NamedTuple):
    """What a class of layers is.

    Attributes:
        kind: of `backends.survey.LAYER_KINDS`.
        words: word -> the layer's attribute, the first of several that it has, a `Fixed`, or a
            function of the layer.
        weights: returns the weights of a layer. whole: what is inside it is part of it.
    """

    kind: str
    words: Mapping[str, Any] = {}
    weights: Callable[[Any], List[Weight]] = weights.own
    whole: bool = False


def axis(layer: Any) -> Any:
    """Return the axis of a normalisation counted from the end, which Keras 3 keeps and Keras 2
    counts from the start once it knows the rank."""
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    rank = getattr(getattr(layer, "input_spec", None), "ndim", None)
    if rank is None and hasattr(layer, "_build_input_shape") and layer._build_input_shape:
        rank = len(layer._build_input_shape)
    counted = [int(item) - rank if rank and item >= 0 else int(item) for item in axes]
    return counted[0] if len(counted) == 1 else counted


def _fused(layer: Any) -> bool:
    """Return whether the running variance is the unbiased one: that of TensorFlow's fused
    kernel, which Keras 2 uses on images below float64."""
    return bool(getattr(layer, "fused", False)) and str(layer.dtype) != "float64"


def _relu(layer: Any) -> str:
    return "relu6" if layer.max_value == 6 else "relu"


def _space_padding(layer: Any) -> Any:
    """Return [before, after] of each axis."""
    padding = vocabulary.plain(layer.padding)
    return [padding] if padding and not isinstance(padding[0], list) else padding


def _inner_words(layer: Any) -> Dict[str, Any]:
    """Return the attributes of the layer that a bidirectional one runs forth and back."""
    part = layer.forward_layer
    return {"merge": layer.merge_mode, "inner": rule(part).kind, **attributes(part)}


UNITS = {"units": "units", "bias": "use_bias", "activation": "activation"}
CONV = {
    "filters": "filters",
    "kernel_size": "kernel_size",
    "stride": "strides",
    "padding": "padding",
    "dilation": "dilation_rate",
    "bias": "use_bias",
    "activation": "activation",
}
POOL = {"kernel_size": "pool_size", "stride": "strides", "padding": "padding"}
RECURRENT = {
    **UNITS,
    "rate": "dropout",
    "recurrent_rate": "recurrent_dropout",
    "return_sequences": "return_sequences",
    "reverse": "go_backwards",
    "stateful": "stateful",
}
GATED = {**RECURRENT, "recurrent_activation": "recurrent_activation"}
#: A cell that the user's own code calls, hour by hour; the cell of a layer is a part of that.
CELL = {
    **UNITS,
    "rate": "dropout",
    "recurrent_rate": "recurrent_dropout",
    "return_sequences": Fixed(False),
    "cell": Fixed(True),
}
GATED_CELL = {**CELL, "recurrent_activation": "recurrent_activation"}
NORM = {"epsilon": "epsilon", "axis": axis, "scale": "scale", "bias": "center"}
ATTENTION = {
    "heads": ("num_heads", "_num_heads", "num_query_heads"),
    "head_size": ("key_dim", "_key_dim", "head_dim"),
    "rate": ("dropout", "_dropout"),
    "bias": ("use_bias", "_use_bias"),
}
EMBEDDING = {"embeddings": "input_dim", "units": "output_dim"}
RATE = {"rate": "rate"}
SLOPE = {"activation": Fixed("leaky_relu"), "slope": ("negative_slope", "alpha")}

#: By the name of a class of Keras'.
RULES: Dict[str, Rule] = {
    "Dense": Rule("dense", UNITS),
    "EinsumDense": Rule(
        "dense", {"equation": "equation", "activation": "activation"}, weights.einsum
    ),
    "Embedding": Rule("embedding", EMBEDDING),
    "ReversibleEmbedding": Rule("embedding", EMBEDDING, weights.reversible),
    "BatchNormalization": Rule(
        "batch_norm", {**NORM, "keep": "momentum", "unbiased_variance": _fused}
    ),
    "LayerNormalization": Rule("layer_norm", NORM),
    "GroupNormalization": Rule("group_norm", {**NORM, "groups": "groups"}),
    "RMSNormalization": Rule("rms_norm", {"epsilon": "epsilon", "axis": axis}),
    "LSTM": Rule(
        "lstm", {**GATED, "unit_forget_bias": "unit_forget_bias"}, weights.recurrent, whole=True
    ),
    "GRU": Rule("gru", {**GATED, "reset_after": "reset_after"}, weights.recurrent, whole=True),
    "SimpleRNN": Rule("rnn", RECURRENT, weights.recurrent, whole=True),
    "LSTMCell": Rule(
        "lstm", {**GATED_CELL, "unit_forget_bias": "unit_forget_bias"}, weights.cell, whole=True
    ),
    "GRUCell": Rule("gru", {**GATED_CELL, "reset_after": "reset_after"}, weights.cell, whole=True),
    "SimpleRNNCell": Rule("rnn", CELL, weights.cell, whole=True),
    "RNN": Rule(
        "rnn",
        {"return_sequences": "return_sequences", "reverse": "go_backwards"},
        weights.recurrent,
        whole=True,
    ),
    "ConvRNN2D": Rule("rnn", {}, weights.recurrent, whole=True),
    "Bidirectional": Rule("bidirectional", {}, weights.bidirectional, whole=True),
    "MultiHeadAttention": Rule("attention", ATTENTION, weights.attention, whole=True),
    "GroupedQueryAttention": Rule("attention", ATTENTION, weights.attention, whole=True),
    "BaseDenseAttention": Rule("attention", {"rate": "dropout"}),
    "Attention": Rule("attention", {"rate": "dropout"}),
    "Dropout": Rule("dropout", RATE),
    "BaseSpatialDropout": Rule("dropout", RATE),
    "AlphaDropout": Rule("dropout", RATE),
    "GaussianDropout": Rule("other", RATE),
    "GaussianNoise": Rule("other", {"deviation": "stddev"}),
    "Activation": Rule("activation", {"activation": "activation"}),
    "ReLU": Rule("activation", {"activation": _relu, "slope": "negative_slope"}),
    "LeakyReLU": Rule("activation", SLOPE),
    "ELU": Rule("activation", {"activation": Fixed("elu"), "alpha": "alpha"}),
    "PReLU": Rule("activation", {"activation": Fixed("prelu")}),
    "Softmax": Rule("activation", {"activation": Fixed("softmax"), "axis": axis}),
    "Flatten": Rule("flatten"),
    "Reshape": Rule("reshape", {"shape": "target_shape"}),
    "Permute": Rule("reshape", {"order": "dims"}),
    "RepeatVector": Rule("reshape", {"count": "n"}),
}
for _space in ("1D", "2D", "3D"):
    RULES[f"Conv{_space}"] = Rule("conv", {**CONV, "groups": "groups"})
    RULES[f"DepthwiseConv{_space}"] = Rule(
        "depthwise_conv",
        {
            **{word: name for word, name in CONV.items() if word != "filters"},
            "multiplier": "depth_multiplier",
        },
    )
    RULES[f"SeparableConv{_space}"] = Rule("conv", {**CONV, "multiplier": "depth_multiplier"})
    RULES[f"Conv{_space}Transpose"] = Rule("conv_transpose", CONV, weights.transposed_convolution)
    RULES[f"MaxPooling{_space}"] = Rule("max_pool", POOL)
    RULES[f"AveragePooling{_space}"] = Rule("average_pool", POOL)
    for _pool in ("Max", "Average"):
        RULES[f"Global{_pool}Pooling{_space}"] = Rule("global_pool", {"pool": Fixed(_pool.lower())})
    RULES[f"ZeroPadding{_space}"] = Rule("pad", {"padding": _space_padding})
    RULES[f"UpSampling{_space}"] = Rule("other", {"size": "size"})
for _merge in (
    "Add",
    "Subtract",
    "Multiply",
    "Average",
    "Maximum",
    "Minimum",
    "Concatenate",
    "Dot",
):
    RULES[_merge] = Rule("merge", {"merge": Fixed(_merge.lower())})
#: Functional operations by (a part of) their name: what `x + y` or `ops.relu(x)` is among layers.
OPERATIONS = {
    "merge": ("add", "subtract", "multiply", "divide", "concat", "maximum", "minimum", "stack"),
    "activation": ("relu", "gelu", "tanh", "sigmoid", "softmax", "silu", "swish", "elu"),
    "reshape": ("reshape", "transpose", "expand_dims", "squeeze"),
}
#: What Keras 2 makes of such functions.
LAMBDAS = ("TFOpLambda", "SlicingOpLambda")
CONTAINER = Rule("container")
OTHER = Rule("other")


def meant(layer: Any) -> Any:
    """Return the layer that is run at every place of a series, for one around it: the two count as
    one layer, since Keras 3 runs the inner one where nobody sees it."""
    is_around = any(kind.__name__ == "TimeDistributed" for kind in type(layer).__mro__)
    inside = getattr(layer, "layer", None) if is_around else None
    return layer if inside is None or weights.children(inside) else meant(inside)


def rule(layer: Any) -> Rule:
    """Return the rule of a layer."""
    inside = meant(layer)
    if inside is not layer:
        held = rule(inside)
        return held._replace(weights=lambda _: held.weights(inside), whole=True)
    if is_operation(layer):
        return _operation(layer)
    for kind in type(layer).__mro__:
        if kind.__name__ in RULES and "keras" in kind.__module__:
            return RULES[kind.__name__]
    if weights.children(layer):
        return CONTAINER
    return OTHER


def is_operation(layer: Any) -> bool:
    """Return whether it is a function in a functional model, and no layer: `x + y`."""
    return type(layer).__name__ in LAMBDAS or not hasattr(layer, "add_weight")


def _operation(layer: Any) -> Rule:
    name = layer.name if type(layer).__name__ in LAMBDAS else type(layer).__name__
    words = vocabulary.snake(name.split(".")[-1]).rstrip("_0123456789")
    for kind, parts in OPERATIONS.items():
        if any(part in words for part in parts):
            word = {"activation": kind, "merge": kind}.get(kind, "operation")
            return Rule(kind, {word: Fixed(words)})
    return Rule("other", {"operation": Fixed(words)})


def attributes(layer: Any) -> Dict[str, Any]:
    """Return what a layer says of itself, in the shared words."""
    layer = meant(layer)
    words: Dict[str, Any] = {}
    for word, source in rule(layer).words.items():
        if isinstance(source, Fixed):
            words[word] = source.value
        elif callable(source):
            words[word] = source(layer)
        else:
            names = (source,) if isinstance(source, str) else source
            present = [name for name in names if hasattr(layer, name)]
            if present:
                value = getattr(layer, present[0])
                is_activation = word.endswith("activation")
                words[word] = (
                    vocabulary.activation(value) if is_activation else vocabulary.plain(value)
                )
    if rule(layer).kind == "bidirectional":
        words.update(_inner_words(layer))
    if hasattr(layer, "trainable"):
        words["trainable"] = bool(layer.trainable)
    return words


def counted_from_end(words: Dict[str, Any], shapes: Sequence[Sequence[int]]) -> Dict[str, Any]:
    """Return a layer's attributes with its axes counted from the end, where the layer itself does
    not know of how many: one whose `build` the user's code calls.

    Args:
        words: of `attributes`. shapes: of what a call returned.
    """
    held = words.get("axis")
    axes = held if isinstance(held, list) else [held]
    known = [axis for axis in axes if isinstance(axis, int)]
    if not shapes or len(known) < len(axes):
        return words
    rank = len(shapes[0])
    counted = [axis - rank if axis >= 0 else axis for axis in known]
    return dict(words, axis=counted if isinstance(held, list) else counted[0])


def initializers(layer: Any) -> Dict[str, str]:
    """Return by role how a layer's weights begin."""
    words: Dict[str, str] = {}
    for weight in rule(layer).weights(layer):
        name = weight.role.split("/")[-1]
        for attribute in (name, name.replace("_kernel", "")):
            value = getattr(weight.owner, attribute + "_initializer", None)
            if value is not None:
                forget = name == "bias" and getattr(weight.owner, "unit_forget_bias", False)
                added = ", forget gate 1" if forget else ""
                for role, _ in weight.pieces():
                    words[role] = vocabulary.initializer(value) + added
                break
    return words


def output_axes(layer: Any, rank: int) -> Optional[Tuple[int, ...]]:
    """Return the order in which the axes of a layer's output are canonical; None: as they are.

    Args:
        layer: of Keras'. rank: of its output.
    """
    if getattr(layer, "data_format", None) != "channels_first" or rank < 3:
        return None
    return (0, *range(2, rank), 1)
