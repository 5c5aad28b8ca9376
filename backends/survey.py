"""What the adapter of a backend has found out about one side of a pair, before anything is
compared: parameters, layers in order, draws of randomness, losses, optimizers. Plain data in words
that all backends share, so that the harness can lay two of them side by side.

Standard library only: the harness decodes the very same classes.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, Optional, Tuple

#: Kinds of layers, the same words for every framework. What has none of these is `other`.
LAYER_KINDS = (
    *("dense", "conv", "depthwise_conv", "conv_transpose", "embedding"),
    *("batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm"),
    *("lstm", "gru", "rnn", "bidirectional", "attention", "dropout", "activation"),
    *("max_pool", "average_pool", "global_pool", "pad", "flatten", "reshape", "merge"),
    *("container", "other"),
)
#: Under a recurrent layer that returns all its outputs, the last one, as a layer of its own.
LAST = "last"
#: Kinds of draws. A `dropout` keeps where a number drawn uniformly from [0, 1) is below `keep`.
DROPOUT, UNIFORM, NORMAL, OTHER_DRAW = "dropout", "uniform", "normal", "other"
#: The slot that is the average of a weight itself, in the weight's canonical form.
AVERAGE = "average"
#: Calls of one layer in a forward pass that are looked at.
MOST_CALLS = 32


def of_call(name: str, call: int) -> str:
    """Return what a call of a layer is shown by: the first one by the layer's own name.

    Args:
        name: of the layer. call: which, from 0.

    Example:
        >>> of_call("block/mixing", 1)
        'block/mixing/call 2'
    """
    return f"{name}/call {call + 1}" if call else name


@dataclasses.dataclass(frozen=True)
class Piece:
    """One tensor of the canonical form, and how it is cut out of a side's own parameters.

    Kernels are [in, out] or [*space, in, out] (depthwise: [*space, in, multiplier]), embeddings
    [tokens, features], biases and statistics [features]. Recurrent layers have `kernel` [in,
    gates * units], `recurrent_kernel` [units, gates * units], `bias` [gates * units], in Keras'
    order of gates (LSTM i f c o; GRU z r h). Attention has `query/kernel`, `key/kernel`,
    `value/kernel` [in, heads * size] and `output/kernel` [heads * size, out], and their biases.

    Attributes:
        name: unique on its side: `<layer>/<role>`, e.g. `encoder/kernel`.
        layer: path of the layer that owns it. role: its last part, e.g. `kernel`,
            `forward/recurrent_kernel`, `moving_mean`.
        shape: canonical. trainable: False for running statistics and frozen weights.
        sources: the side's own parameters that it is made of: one, or several, whose sum it is.
        steps: how the canonical tensor follows from each of them, see `backends.adapter.pieces`.
        frozen: those of the sources that no step moves, of a piece that steps move.
    """

    name: str
    layer: str
    role: str
    shape: Tuple[int, ...]
    trainable: bool
    sources: Tuple[str, ...]
    steps: Tuple[Tuple[Any, ...], ...] = ()
    frozen: Tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Layer:
    """One layer, in the order in which layers finish in a forward pass.

    Attributes:
        name: its path on its side. kind: of `LAYER_KINDS`. type: the framework's class.
        parent: path of the layer around it; empty at the top.
        calls: how often a forward pass calls it.
        outputs: shapes of what its first call returns, in the side's own layout.
        axes: the order in which the axes of the first output are canonical ([batch, *space,
            features]), where the layer knows: e.g. (0, 2, 3, 1) of a torch convolution; None: as
            they are, or not known.
        attributes: epsilon, keep, rate, slope, stride, padding, dilation, groups, activation,
            units, bias, ..., in the words of `docs/pairs.md`.
        initializers: by role, how its weights begin, e.g. {"kernel": "glorot_uniform"}.
    """

    name: str
    kind: str
    type: str
    parent: str = ""
    calls: int = 1
    outputs: Tuple[Tuple[int, ...], ...] = ()
    axes: Optional[Tuple[int, ...]] = None
    attributes: Dict[str, Any] = dataclasses.field(default_factory=dict)
    initializers: Dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Draw:
    """One draw of randomness, in the order of execution.

    Attributes:
        phase: the training phase that it is made in, or `forward` for a forward pass in training
            mode, `generate` for one in inference mode. index: which of that phase's draws.
        layer: path of the layer that it is made in; empty where it is in none.
        kind: dropout, uniform, normal, other. shape: of the draw, in the side's own layout.
        keep: of a dropout: the share that is kept. low, high: of a uniform draw.
        mean, deviation: of a normal one.
        served: whether the adapter can put the tape's values in its place; if not, `reason`.
    """

    phase: str
    index: int
    layer: str
    kind: str
    shape: Tuple[int, ...]
    keep: float = 1.0
    low: float = 0.0
    high: float = 1.0
    mean: float = 0.0
    deviation: float = 1.0
    served: bool = True
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class OptimizerSurvey:
    """One optimizer.

    Attributes:
        name: its own name on its side, "" for the only one. type: the framework's class.
        kind: sgd, adam, adamw, rmsprop, ..., lower case; `other` where it has no word.
        hyperparameters: learning_rate, beta1, beta2, epsilon, epsilon_place, momentum, nesterov,
            rho, centered, weight_decay, decay (`decoupled` or `l2`), clip_value, clip_norm,
            clip_global_norm, ...: what it has of these; loss_scale (that float16 begins with),
            loss_scale_interval, loss_scale_growth, loss_scale_backoff.
        rates: the learning rate in effect at the updates 0, 1 and 10.
        slots: words of its slots. m: mean of gradients; v: mean of their squares; vhat: the largest
            v so far; u: of Adamax; mean: of gradients, of a centered RMSprop; sum: of squares, of
            Adagrad and Ftrl; delta: mean of squared updates, of Adadelta; momentum: decaying sum of
            gradients; velocity: the same with the learning rate in it, as Keras and TensorFlow's
            RMSProp keep it; linear: of Ftrl; average: of the weight itself.
        pieces: canonical pieces that it updates, in order.
        steps: how many training steps one update takes, of one that gathers gradients first.
        averages: pieces whose averages are among the slots.
    """

    name: str
    type: str
    kind: str
    hyperparameters: Dict[str, Any] = dataclasses.field(default_factory=dict)
    rates: Dict[str, float] = dataclasses.field(default_factory=dict)
    slots: Tuple[str, ...] = ()
    pieces: Tuple[str, ...] = ()
    steps: int = 1
    averages: Tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Phase:
    """One training phase: one of the user's steps.

    Attributes:
        name: `train` where there is one. optimizers: names of those that a step of it calls.
        losses: names of the loss terms that it returns; `total` is what is differentiated.
        gradients: pieces that a step has a gradient for.
    """

    name: str
    optimizers: Tuple[str, ...]
    losses: Tuple[str, ...]
    gradients: Tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Survey:
    """All of one side.

    Attributes:
        framework: with its version, e.g. `keras 3.15.0`.
        pieces, layers, draws, optimizers, phases: see there.
        outputs: shapes of what the model gives in inference, by name: `output`, or `output/<name>`.
        losses: how each loss is reduced, where that is known: {"train": "mean"}.
        remarks: what the adapter could not do, and why, one sentence each.
        begins: whether the user wants the comparison to begin with the values that the side has.
        hidden_averages: what a step was seen to move as an average of weights and that no slot
            shows, one sentence each.
        unseen_averages: what may be an average of weights and was not seen to be, likewise.
    """

    framework: str
    pieces: Tuple[Piece, ...]
    layers: Tuple[Layer, ...]
    draws: Tuple[Draw, ...]
    optimizers: Tuple[OptimizerSurvey, ...]
    phases: Tuple[Phase, ...]
    outputs: Dict[str, Tuple[int, ...]]
    losses: Dict[str, str] = dataclasses.field(default_factory=dict)
    remarks: Tuple[str, ...] = ()
    begins: bool = False
    hidden_averages: Tuple[str, ...] = ()
    unseen_averages: Tuple[str, ...] = ()

    def plain(self) -> Dict[str, Any]:
        """Return it as plain JSON."""
        return dataclasses.asdict(self)
