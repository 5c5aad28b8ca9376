"""Rules of recurrent layers and of attention.

torch keeps two biases where one would do, for LSTMs and plain recurrent layers: they are one piece,
their sum. A GRU needs both: inside the reset gate's product stands `recurrent_bias`. Its gates are
r z n in torch and z r h in the canonical form; those of an LSTM are i f g o, which is i f c o.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, Tuple

from backends.torch.adapter.layers import BIAS
from backends.torch.adapter.rules import Description, Weight, rule

TRANSPOSED = ("transpose", (1, 0))
#: torch's gates in canonical order, where that is another one.
GRU_GATES = (1, 0, 2)


def _kernels(kind: str, prefix: str, suffix: str, bias: bool) -> Iterator[Weight]:
    """Yield the weights of one direction of one layer."""
    order: Tuple[Any, ...] = (("blocks", 0, GRU_GATES),) if kind == "gru" else ()
    yield Weight(f"{prefix}kernel", (f"weight_ih{suffix}",), (*order, TRANSPOSED))
    yield Weight(f"{prefix}recurrent_kernel", (f"weight_hh{suffix}",), (*order, TRANSPOSED))
    if bias and kind == "gru":
        yield Weight(f"{prefix}bias", (f"bias_ih{suffix}",), order)
        yield Weight(f"{prefix}recurrent_bias", (f"bias_hh{suffix}",), order)
    elif bias:
        yield Weight(f"{prefix}bias", (f"bias_ih{suffix}", f"bias_hh{suffix}"))


def _weights(module: Any, kind: str) -> Iterator[Weight]:
    for layer in range(module.num_layers):
        place = f"layer{layer}/" if module.num_layers > 1 else ""
        directions = [("forward/", ""), ("backward/", "_reverse")]
        for word, ending in directions if module.bidirectional else [("", "")]:
            suffix, prefix = f"_l{layer}{ending}", place + word
            yield from _kernels(kind, prefix, suffix, module.bias)
            if getattr(module, "proj_size", 0):
                sources = (f"weight_hr{suffix}",)
                yield Weight(f"{prefix}projection_kernel", sources, (TRANSPOSED,))


def _functions(module: Any, kind: str) -> Dict[str, Any]:
    if kind == "rnn":
        return {"activation": module.nonlinearity}
    functions: Dict[str, Any] = {"activation": "tanh", "recurrent_activation": "sigmoid"}
    if kind == "gru":
        functions["reset_after"] = True
    return functions


def _recurrent(module: Any, kind: str) -> Description:
    attributes = dict(
        _functions(module, kind),
        units=module.hidden_size,
        bias=module.bias,
        layers=module.num_layers,
    )
    if module.num_layers > 1:
        attributes["rate"] = module.dropout
    if getattr(module, "proj_size", 0):
        attributes["projection"] = module.proj_size
    first = "" if module.batch_first else "time"
    if module.bidirectional:
        attributes["of"] = kind
        return Description(attributes, tuple(_weights(module, kind)), first, "bidirectional")
    return Description(attributes, tuple(_weights(module, kind)), first)


@rule("LSTM", "lstm")
def _lstm(module: Any) -> Description:
    return _recurrent(module, "lstm")


@rule("GRU", "gru")
def _gru(module: Any) -> Description:
    return _recurrent(module, "gru")


@rule("RNN", "rnn")
def _rnn(module: Any) -> Description:
    return _recurrent(module, "rnn")


def _cell(module: Any, kind: str) -> Description:
    attributes = dict(
        _functions(module, kind),
        units=module.hidden_size,
        bias=module.bias,
        return_sequences=False,
        cell=True,
    )
    return Description(attributes, tuple(_kernels(kind, "", "", module.bias)))


@rule("LSTMCell", "lstm")
def _lstm_cell(module: Any) -> Description:
    return _cell(module, "lstm")


@rule("GRUCell", "gru")
def _gru_cell(module: Any) -> Description:
    return _cell(module, "gru")


@rule("RNNCell", "rnn")
def _rnn_cell(module: Any) -> Description:
    return _cell(module, "rnn")


def _attention_weights(module: Any) -> Iterator[Weight]:
    size = module.embed_dim
    for index, word in enumerate(("query", "key", "value")):
        part = ("slice", 0, index * size, (index + 1) * size)
        if module.in_proj_weight is None:
            yield Weight(f"{word}/kernel", (f"{word[0]}_proj_weight",), (TRANSPOSED,))
        else:
            yield Weight(f"{word}/kernel", ("in_proj_weight",), (part, TRANSPOSED))
        yield Weight(f"{word}/bias", ("in_proj_bias",), (part,))
    yield Weight("output/kernel", ("out_proj.weight",), (TRANSPOSED,))
    yield BIAS._replace(role="output/bias", sources=("out_proj.bias",))


@rule("MultiheadAttention", "attention")
def _attention(module: Any) -> Description:
    attributes = {
        "heads": module.num_heads,
        "units": module.embed_dim,
        "rate": module.dropout,
        "bias": module.in_proj_bias is not None,
    }
    first = "" if module.batch_first else "time"
    return Description(attributes, tuple(_attention_weights(module)), first)


def _stack(module: Any) -> bool:
    """Return whether a stack of transformer layers has the batch first."""
    attention = getattr(module, "self_attn", None)
    if attention is None:
        attention = next(part for part in module.modules() if hasattr(part, "num_heads"))
    return bool(attention.batch_first)


@rule(
    "TransformerEncoderLayer TransformerDecoderLayer TransformerEncoder TransformerDecoder"
    " Transformer",
    "container",
)
def _transformer(module: Any) -> Description:
    return Description(first="" if _stack(module) else "time")
