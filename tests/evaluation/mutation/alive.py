"""Mutants of the torch ports that run and are not killed: the same functions, and those that the
judge misses, each with the reason.

A stale entry fails the run.
"""

from __future__ import annotations

from tests.evaluation.mutation.explained import Equivalent, Missed

COMMUTES = "the factors of a product may stand either way round"
SYMMETRIC = "a distance of two tensors is the same from either side"
ONE_SHAPE = "both have the same shape, and that is all that is taken from them"

LINEAR = (
    Equivalent(
        "linear.py", SYMMETRIC, (('(prediction, arrays["y"])', '(arrays["y"], prediction)'),)
    ),
)
CNN = (
    Equivalent(
        "cnn.py",
        "the layout in memory decides how fast the kernels are, not what they compute",
        (("self.to(memory_format=torch.channels_last)", "self.to()"),),
    ),
    Equivalent(
        "cnn.py",
        "a mask is given in training and in nothing else",
        (("keep is not None and self.training", "keep is not None or self.training"),),
    ),
    Equivalent(
        "cnn.py",
        "of a matrix torch takes the last axis by itself, and warns that it will not for ever",
        (('(seen["logits"], dim=1)', '(seen["logits"])'),),
    ),
)
PORT = (
    Equivalent(
        "ehr_mgan/__init__.py",
        "whole or in pieces, what is compiled computes the same; read in compiled execution alone",
        (("COMPILED_WHOLE = False", "COMPILED_WHOLE = True"),),
    ),
    Equivalent(
        "ehr_mgan/__init__.py",
        SYMMETRIC,
        (
            ("mse_loss(a, b)", "mse_loss(b, a)"),
            ("stream, logit, fake, real,", "stream, logit, real, fake,"),
        ),
    ),
    Equivalent(
        "ehr_mgan/__init__.py",
        "no module of this port looks at the mode, and none has running statistics",
        (
            ("self.mode(False, tracking=False)", "self.mode(True, tracking=False)"),
            ("self.mode(False, tracking=False)", "self.mode(False, tracking=True)"),
        ),
    ),
)
VAE = (
    Equivalent(
        "ehr_mgan/vae.py",
        "`zip` ends with the six places; further units are never asked for",
        (
            ('[self.config["decoder_units"]] * 3', '[self.config["decoder_units"]] * 4'),
            ('[self.config["decoder_units"]] * 3', '[self.config["decoder_units"]] * 6'),
        ),
    ),
    Equivalent(
        "ehr_mgan/vae.py",
        "the one product of a kernel rounds it anyway; three axes expand to themselves",
        (
            ("kernel.dim() == 3 else", "kernel.dim() == 0 else"),
            ("kernel.dim() == 3 else", "kernel.dim() == 4 else"),
            ("kernel.dim() == 3 else", "kernel.dim() == 6 else"),
        ),
    ),
)
VAE_LOOP = (
    Equivalent(
        "ehr_mgan/vae_loop.py",
        COMMUTES,
        (
            ("addcmul(mu, sigma, e)", "addcmul(mu, e, sigma)"),
            ("below, keeps[cell])", "keeps[cell], below)"),
        ),
    ),
    Equivalent(
        "ehr_mgan/vae_loop.py",
        "all hours have one shape, and zeros of it are made",
        (
            ("torch.zeros_like(keep[:, 0])", "torch.zeros_like(keep[:, 1])"),
            ("torch.zeros_like(self.x[:, 0])", "torch.zeros_like(self.x[:, 1])"),
        ),
    ),
    Equivalent(
        "ehr_mgan/vae_loop.py",
        "kernels are taken by their indices; one more behind them is never asked for",
        (
            (
                "weights[: OUTPUT + 1], weights[OUTPUT + 1 :]\n        inputs",
                "weights[: OUTPUT + 2], weights[OUTPUT + 1 :]\n        inputs",
            ),
            (
                "weights[: OUTPUT + 1], weights[OUTPUT + 1 :]\n        turned",
                "weights[: OUTPUT + 2], weights[OUTPUT + 1 :]\n        turned",
            ),
        ),
    ),
)
LAYOUTS = (
    Equivalent(
        "ehr_mgan/layouts.py",
        "of a vector the first axis is the last",
        (
            (
                "lambda tensor: tensor.unflatten(0, (4, -1))",
                "lambda tensor: tensor.unflatten(-1, (4, -1))",
            ),
        ),
    ),
    Equivalent(
        "ehr_mgan/layouts.py",
        "initial values do not matter: weights are loaded before anything is computed",
        (('torch.zeros(item["shape"])', 'torch.ones(item["shape"])'),),
    ),
    Equivalent(
        "ehr_mgan/layouts.py",
        "a layout is two functions or two numbers, never one of each",
        (("callable(axes[0])", "callable(axes[1])"),),
    ),
)
LOSSES = (
    Equivalent(
        "ehr_mgan/losses.py", SYMMETRIC, (("mse_loss(decoded, data)", "mse_loss(data, decoded)"),)
    ),
    Equivalent(
        "ehr_mgan/losses.py",
        "the exponential of minus a billion is 0, of minus two billion too, and float32 holds 1e9"
        " exactly",
        (
            ("1e9, dtype", "1000000001.0, dtype"),
            ("1e9, dtype", "2000000000.0, dtype"),
            ("1e9, dtype=across.dtype", "1e9"),
        ),
    ),
)
NETWORKS = (
    Equivalent(
        "ehr_mgan/networks.py",
        "which warnings are shown",
        (
            (
                (
                    '"ignore", message="RNN module weights are not part of single contiguous chunk'
                    ' of memory"'
                ),
                '"ignore"',
            ),
        ),
    ),
    Equivalent(
        "ehr_mgan/networks.py",
        COMMUTES,
        (
            ("addcmul(f * c, i, candidate)", "addcmul(f * c, candidate, i)"),
            (
                'dropped(h, noise[f"generated/{stream}/layer{layer}"])',
                'dropped(noise[f"generated/{stream}/layer{layer}"], h)',
            ),
            (
                "self.dropped(self.lstm(name, x, state), keep)",
                "self.dropped(keep, self.lstm(name, x, state))",
            ),
        ),
    ),
    Equivalent(
        "ehr_mgan/networks.py",
        "torch drops between the layers of one call; there is one layer",
        (("dropout=0.0,", "dropout=1.0,"),),
    ),
    Equivalent(
        "ehr_mgan/networks.py", "a label is one channel", (("x.shape[1], -1)", "x.shape[1], 1)"),)
    ),
    Equivalent(
        "ehr_mgan/networks.py",
        ONE_SHAPE,
        (
            ("units = torch.cat(list(x), dim=2), u[0]", "units = torch.cat(list(x), dim=2), u[1]"),
            ("u[0].shape[1]", "u[0].shape[2]"),
        ),
    ),
    Equivalent(
        "ehr_mgan/networks.py",
        "each layer is recorded under its own name; the order is that of the report",
        (
            (
                "for stream, h in reversed(list(zip(STREAMS, x))):\n                record",
                "for stream, h in list(list(zip(STREAMS, x))):\n                record",
            ),
            (
                "for stream, h in reversed(list(zip(STREAMS, x))):\n            if",
                "for stream, h in list(list(zip(STREAMS, x))):\n            if",
            ),
        ),
    ),
)
MISSED = (
    Missed(
        "ehr_mgan/networks.py",
        "a dense layer in float32 under the name of bfloat16. The bounds of a precision are those"
        " of whole activations, and what enters this layer has bfloat16's errors already",
        (
            (
                "if self.low is self.dtype:\n            return functional.linear(x, kernel, bias)",
                (
                    "if self.low is not self.dtype:\n"
                    "            return functional.linear(x, kernel, bias)"
                ),
            ),
        ),
    ),
    Missed(
        "ehr_mgan/networks.py",
        "the products outside the hourly loop in float32 under the name of bfloat16: what is added"
        " to them, and what they enter, is bfloat16's",
        (
            (
                "if self.low is self.dtype:\n            return functional.linear(x, kernel)\n",
                "if self.low is not self.dtype:\n            return functional.linear(x, kernel)\n",
            ),
        ),
    ),
)
ALIVE: tuple[Equivalent, ...] = (
    *LINEAR,
    *CNN,
    *PORT,
    *VAE,
    *VAE_LOOP,
    *LAYOUTS,
    *LOSSES,
    *NETWORKS,
    *MISSED,
)
