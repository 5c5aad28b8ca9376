"""`zoo_recurrent` on torch: nn.LSTM on packed sequences, and a cell of our own for a GRU that
nn.GRU does not compute."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from backends.torch.core import DENSE, TorchPort

#: Places of torch's gates among Keras' i, f, c, o.
GATES = (0, 1, 2, 3)


def gates(tensor):
    """Return a weight [4 units, ...] with its gates in the other order; two swaps give the first
    again."""
    return tensor.unflatten(0, (4, -1))[list(GATES)].flatten(0, 1)


KERNEL = (lambda tensor: gates(tensor).t(), lambda tensor: gates(tensor.t()))
BIAS = (gates, gates)


def hard_sigmoid(x):
    """Return Keras 3's piecewise linear sigmoid. The derivative of `functional.hardsigmoid` has
    a float32 1/6 for float64, too."""
    return functional.relu6(x + 3.0) / 6.0


class Gru(nn.Module):
    """Keras 2.2's GRU; weights in Keras' layout, gates z, r, h."""

    def __init__(self, inputs, units):
        super().__init__()
        self.units = units
        self.kernel = nn.Parameter(torch.empty(inputs, 3 * units))
        self.recurrent_kernel = nn.Parameter(torch.empty(units, 3 * units))
        self.bias = nn.Parameter(torch.empty(3 * units))

    def forward(self, x, present):
        """Return h [batch, steps, units] at all steps; where `present` [batch, steps] is False,
        that of the step before."""
        h, series = x.new_zeros(len(x), self.units), []
        given = x @ self.kernel + self.bias
        for step in range(x.shape[1]):
            opened, candidate = given[:, step].split([2 * self.units, self.units], dim=1)
            state, reset = self.recurrent_kernel.split([2 * self.units, self.units], dim=1)
            z, r = hard_sigmoid(opened + h @ state).chunk(2, dim=1)
            new = torch.tanh(candidate + (r * h) @ reset)
            h = torch.where(present[:, step, None], z * h + (1.0 - z) * new, h)
            series.append(h)
        return torch.stack(series, dim=1)


class Port(TorchPort):
    """LSTM, GRU, mean over the steps, ten classes."""

    LAYOUT: ClassVar = {
        "lstm/kernel": ("lstm.weight_ih_l0", KERNEL),
        "lstm/recurrent_kernel": ("lstm.weight_hh_l0", KERNEL),
        "lstm/bias": ("lstm.bias_ih_l0", BIAS),
        "gru/kernel": ("gru.kernel", None),
        "gru/recurrent_kernel": ("gru.recurrent_kernel", None),
        "gru/bias": ("gru.bias", None),
        "dense/kernel": ("dense.weight", DENSE),
        "dense/bias": ("dense.bias", None),
    }

    def build(self):
        """Return the layers."""
        units = self.config["units"]
        lstm = nn.LSTM(self.config["features"], units, batch_first=True)
        # Keras keeps one bias, with the 1 of the forget gate in it. torch's second one is nothing,
        # and stays so.
        lstm.bias_hh_l0.requires_grad_(False).zero_()
        return nn.ModuleDict(
            {
                "lstm": lstm,
                "gru": Gru(units, units),
                "dense": nn.Linear(units, self.config["classes"]),
            }
        )

    def lstm(self, x, lengths):
        """Return h at all steps; past its length a series keeps its last one, as under Keras'
        mask."""
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        output, _ = pad_packed_sequence(
            self.model["lstm"](packed)[0], batch_first=True, total_length=x.shape[1]
        )
        last = torch.minimum(torch.arange(x.shape[1], device=x.device), lengths[:, None] - 1)
        return output.gather(1, last[:, :, None].expand_as(output))

    def dropout(self, x, noise, site):
        """Return a layer's output with the mask of its site."""
        return x * noise[site] / (1.0 - self.config["dropout_rate"]) if self.model.training else x

    def output(self, arrays, noise, record):
        """Return the logits."""
        present = torch.arange(self.config["steps"], device=self.device) < arrays["length"][:, None]
        found = {} if record is None else record
        found["lstm"] = self.lstm(arrays["x"], arrays["length"])
        found["lstm/dropout"] = self.dropout(found["lstm"], noise, "lstm")
        found["gru"] = self.model["gru"](found["lstm/dropout"], present)
        found["gru/dropout"] = self.dropout(found["gru"], noise, "gru")
        found["pooled"] = found["gru/dropout"].mean(1)
        found["logits"] = self.model["dense"](found["pooled"])
        if record is not None:
            record["probabilities"] = self.product(found["logits"])
        return found["logits"]

    def terms(self, output, arrays):
        """Return the cross-entropy."""
        return {"total": functional.cross_entropy(output, arrays["y"])}

    def product(self, output):
        """Return the probabilities."""
        return functional.softmax(output, dim=1)
