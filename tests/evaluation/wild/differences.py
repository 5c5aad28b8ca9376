"""What is known to differ between the libraries, each with the place in their source that says so.
The names are those of the harness where it has one (`harness list differences`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Difference:
    """One difference between two libraries.

    Attributes:
        between: the libraries. what: differs, in words. source: files of the libraries, where it
            stands.
    """

    between: str
    what: str
    source: str


KERAS_TORCH = "Keras, PyTorch"
HUGGING_FACE = "transformers 4.46 on TensorFlow, on PyTorch"
TORCHVISION = "keras.applications, torchvision and timm"

DIFFERENCES: Mapping[str, Difference] = {
    "bn-unbiased-variance": Difference(
        KERAS_TORCH,
        "the running variance of a batch norm: divided by n, and by n - 1",
        "keras `layers/normalization/batch_normalization.py`; torch `nn.BatchNorm2d`",
    ),
    "bn-momentum": Difference(
        KERAS_TORCH,
        "what a step keeps of running statistics: 0.99, and 0.9",
        "keras `BatchNormalization(momentum=0.99)`; torch `BatchNorm2d(momentum=0.1)`",
    ),
    "keras2-batch-norm-float32": Difference(
        "Keras 2, Keras 3",
        "Keras 2 moves the statistics of a batch norm by 1 - momentum in float32, whatever is set",
        "tf-keras `layers/normalization/batch_normalization.py`, `_assign_moving_average`",
    ),
    "numbers-in-float32": Difference(
        HUGGING_FACE,
        "TensorFlow makes a Python number float32 before it is cast: √d of the scores, √2, π and"
        " 0.044715 of the gelu",
        "transformers `activations_tf.py`, `models/bert/modeling_tf_bert.py`",
    ),
    "gelu-in-float32": Difference(
        "Keras 3 on TensorFlow, PyTorch",
        "TensorFlow's gelu makes its number float32 before it is cast: 0.044715, or 1/√2",
        "tensorflow `python/ops/nn_ops.py`, `gelu`",
    ),
    "llama-in-float32": Difference(
        "keras-hub, transformers 5",
        "both normalise and turn positions in float32 inside a float64 model, keras-hub also its"
        " softmax and SiLU, and not at the same places",
        "keras-hub `models/llama/llama_layernorm.py`, `llama_decoder.py`; transformers"
        " `models/llama/modeling_llama.py`",
    ),
    "padding-row-gradient": Difference(
        HUGGING_FACE,
        "token 0 pads: torch's class gives its row of the table no gradient, TensorFlow's does",
        "transformers `modeling_bert.py`: `nn.Embedding(padding_idx=...)`",
    ),
    "adam-epsilon-place": Difference(
        KERAS_TORCH,
        "Adam's ε: beside √v before the correction of the bias, and beside √v̂",
        "keras `optimizers/adam.py`; torch `optim/adam.py`",
    ),
    "adamw-defaults": Difference(
        KERAS_TORCH,
        "AdamW as it comes: ε of 1e-7 and a decay of 0.004, and 1e-8 and 0.01",
        "keras `optimizers/adamw.py`; torch `optim/adamw.py`",
    ),
    "stride-place": Difference(
        TORCHVISION,
        "the stride of a ResNet's block: in its first 1x1 convolution, and in its 3x3 one",
        "keras `applications/resnet.py`, `residual_block_v1`; torchvision `models/resnet.py`,"
        " `Bottleneck`; timm `models/resnet.py`",
    ),
    "bn-epsilon": Difference(
        KERAS_TORCH,
        "ε of batch norms: 1e-3, in `keras.applications`' ResNet 1.001e-5, and 1e-5",
        "keras `BatchNormalization(epsilon=1e-3)`, `applications/resnet.py`; torch"
        " `BatchNorm2d(eps=1e-5)`",
    ),
    "convolution-biases": Difference(
        TORCHVISION,
        "ResNet's convolutions have biases, and none: batch norms behind them take these away",
        "keras `applications/resnet.py`, `use_bias`; torchvision `models/resnet.py`, `conv3x3`",
    ),
    "padding-of-strides": Difference(
        "keras.applications, torchvision",
        "EfficientNet pads a convolution of stride 2 by one more behind than before, and by as much"
        " on both sides",
        "keras `applications/imagenet_utils.py`, `correct_pad`; torchvision `ops/misc.py`,"
        " `Conv2dNormActivation`",
    ),
    "rescaling-in-float32": Difference(
        TORCHVISION,
        "`Rescaling` holds 1/255 in float32 inside a float64 model",
        "keras `layers/preprocessing/rescaling.py`: `backend.cast(self.scale, dtype)`",
    ),
    "frozen-body-trains": Difference(
        KERAS_TORCH,
        "a body that a functional model calls with `training=False` drops paths all the same when"
        " the model is trained: the call's argument is replaced; `eval()` stops it in torch",
        "keras `models/functional.py`, `operation_fn`",
    ),
}
