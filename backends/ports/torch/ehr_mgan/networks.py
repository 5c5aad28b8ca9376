"""The networks of EHR-M-GAN that have no feedback, run layer by layer over all hours at once.

An LSTM layer is one call of torch's fused LSTM. So is a pair of bilateral layers: with the streams'
states side by side, [h_C, h_D], it is an LSTM of twice the units whose recurrent kernel is the
block matrix [[U_C, V_D], [V_C, U_D]] and whose input kernel is block diagonal. Where contractions
run in a lower dtype there is a loop instead, for the fused kernels would take the states and the
gates' nonlinearities down with them.

Series are [batch, hours, ...]. `STREAMS` are in the order in which activations are recorded.
"""

from __future__ import annotations

import warnings
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import torch
from torch.nn import functional

STREAMS = ("continuous", "discrete")
LAYERS = (1, 2, 3)

Tensors = Dict[str, torch.Tensor]
#: cuDNN wants all kernels of a layer in one piece of memory; here they are parts of trained
#: matrices, so every call gathers them.
warnings.filterwarnings(
    "ignore", message="RNN module weights are not part of single contiguous chunk of memory"
)


def advance(
    gates: torch.Tensor, c: torch.Tensor
) -> Tuple[torch.Tensor, torch.Tensor, Tuple[torch.Tensor, ...]]:
    """Return h and c after one hour of an LSTM, and what its derivative needs.

    Args:
        gates: [..., 4 units] before their nonlinearities, in the order i, f, o, g, the constant
            forget bias included.
        c: [..., units].
    """
    units = c.shape[-1]
    opened, candidate = torch.sigmoid(gates[..., : 3 * units]), torch.tanh(gates[..., 3 * units :])
    i, f, o = opened.chunk(3, -1)
    c = torch.addcmul(f * c, i, candidate)
    squashed = torch.tanh(c)
    return o * squashed, c, (opened, candidate, squashed)


def sigmoids_first(kernel: torch.Tensor) -> torch.Tensor:
    """Return [4 units, ...] in the order i, f, o, g that `advance` wants, from a weight [4, units,
    ...] in the order i, f, g, o."""
    return torch.cat([kernel[:2], kernel[3:], kernel[2:3]]).flatten(0, 1)


class Networks:
    """Generators, decoders of generated latents, and discriminators.

    Args:
        config: the workload's configuration.
        weights: every parameter by canonical name, in the layouts of `layouts`.
        low: dtype of contractions.
    """

    def __init__(
        self, config: Mapping[str, Any], weights: Mapping[str, torch.Tensor], low: torch.dtype
    ) -> None:
        self.config, self.weights, self.low = config, weights, low
        weight = next(iter(weights.values()))
        self.device, self.dtype = weight.device, weight.dtype
        #: dtype of the last contraction's result, as torch named it.
        self.contracted: Optional[torch.dtype] = None
        self.constants: Dict[Tuple[int, float], torch.Tensor] = {}

    def product(self, x: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
        """Return x [..., in] times a kernel [out, in] transposed, contracted in the low dtype."""
        if self.low is self.dtype:
            return functional.linear(x, kernel)
        result = functional.linear(x.to(self.low), kernel.to(self.low))
        self.contracted = result.dtype
        return result.to(self.dtype)

    def rounded(self, kernel: torch.Tensor) -> torch.Tensor:
        """Return a kernel rounded to the low dtype, for more than one product: what is rounded
        before them has its gradient rounded after them. Their sum then overflows where one product
        over all of it does, and the same updates are skipped.
        """
        return kernel.to(self.low).to(self.dtype)

    def dense(self, name: str, x: torch.Tensor) -> torch.Tensor:
        """Return a dense layer's output before its nonlinearity."""
        kernel, bias = self.weights[name + "/kernel"], self.weights[name + "/bias"]
        if self.low is self.dtype:
            return functional.linear(x, kernel, bias)
        return self.product(x, kernel) + bias

    def dropped(self, x: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
        """Return the dropout of a layer's output by a mask of 0 and 1. As in the original it is
        always on, in generation too."""
        return x * (keep * (1.0 / self.config["keep"]))

    def constant_bias(self, units: int, forget: float = 1.0) -> torch.Tensor:
        """Return the frozen bias [4, units] that adds a constant to the forget gate: torch's second
        bias, or both."""
        if (units, forget) not in self.constants:
            bias = torch.zeros(4, units, dtype=self.dtype, device=self.device)
            bias[1] = forget
            self.constants[units, forget] = bias
        return self.constants[units, forget]

    # -- recurrent layers --------------------------------------------------------------------------

    def recurrent(
        self,
        x: torch.Tensor,
        kernels: Sequence[torch.Tensor],
        biases: Sequence[torch.Tensor],
        state: Any,
    ) -> torch.Tensor:
        """Return h at all hours of an LSTM.

        Args:
            x: [batch, hours, in].
            kernels: of the input [4, units, in] and of h [4, units, units].
            biases: two [4, units].
            state: initial (c, h), [batch, units] each.
        """
        c, h = state
        if self.low is self.dtype:
            # cuDNN refuses what is not contiguous; oneDNN would copy by itself.
            flat = [value.flatten(0, 1).contiguous() for value in (*kernels, *biases)]
            states = (h[None].contiguous(), c[None].contiguous())
            series, _, _ = torch.lstm(
                x,
                states,
                flat,
                has_biases=True,
                num_layers=1,
                dropout=0.0,
                train=torch.is_grad_enabled(),
                bidirectional=False,
                batch_first=True,
            )
            return series
        gates = self.product(x, sigmoids_first(kernels[0])) + sigmoids_first(biases[0] + biases[1])
        kernel, hidden = self.rounded(sigmoids_first(kernels[1])), []
        for hour in gates.unbind(1):
            h, c, _ = advance(hour + self.product(h, kernel), c)
            hidden.append(h)
        return torch.stack(hidden, dim=1)

    def lstm(self, name: str, x: torch.Tensor, state: Any) -> torch.Tensor:
        """Return h at all hours of TF1's LSTM cell: one trained bias, and 1 added to the forget
        gate."""
        kernel, bias = self.weights[name + "/kernel"], self.weights[name + "/bias"]
        units = bias.shape[1]
        return self.recurrent(
            x, kernel.split([x.shape[2], units], dim=2), (bias, self.constant_bias(units)), state
        )

    def zeros(self, rows: int, units: int) -> Tuple[torch.Tensor, torch.Tensor]:
        """Return the zero state (c, h)."""
        zero = torch.zeros(rows, units, dtype=self.dtype, device=self.device)
        return zero, zero

    def labelled(self, x: torch.Tensor, arrays: Tensors) -> torch.Tensor:
        """Return x with the label as a further channel of every hour, in the conditional
        variant."""
        if not self.config["conditional"]:
            return x
        label = arrays["label"].to(x.dtype)[:, None].expand(-1, x.shape[1], -1)
        return torch.cat([x, label], dim=2)

    # -- networks ----------------------------------------------------------------------------------

    def bilateral(self, layer: int, x: Sequence[torch.Tensor]) -> List[torch.Tensor]:
        """Return h of both streams at all hours; x are their inputs. No biases and no forget bias,
        as in the original."""
        w, u, v = (self._bilateral_kernels(layer, matrix) for matrix in "WUV")
        inputs = [
            functional.pad(w[0], (0, w[1].shape[2])),
            functional.pad(w[1], (w[0].shape[2], 0)),
        ]
        # The h that a gate sees: the stream's own times U, the other's times V.
        states = [torch.cat([u[0], v[0]], dim=2), torch.cat([v[1], u[1]], dim=2)]
        kernels = [torch.cat(inputs, dim=1), torch.cat(states, dim=1)]
        together, units = torch.cat(list(x), dim=2), u[0].shape[1]
        none = self.constant_bias(2 * units, forget=0.0)
        h = self.recurrent(together, kernels, (none, none), self.zeros(len(together), 2 * units))
        return list(h.split(units, dim=2))

    def _bilateral_kernels(self, layer: int, matrix: str) -> List[torch.Tensor]:
        """Return the matrix `W`, `U` or `V` of both streams."""
        return [self.weights[f"generator/{stream}/layer{layer}/{matrix}"] for stream in STREAMS]

    def latents(
        self, arrays: Tensors, noise: Tensors, record: Tensors, streams: Sequence[str] = STREAMS
    ) -> Tensors:
        """Return the generated latents of some streams; the layers of both have to run."""
        x = [self.labelled(noise["generator/" + stream], arrays) for stream in STREAMS]
        for layer in LAYERS:
            x = self.bilateral(layer, x)
            for stream, h in reversed(list(zip(STREAMS, x))):
                record[f"generator/{stream}/layer{layer}"] = h
        latents = {}
        for stream, h in reversed(list(zip(STREAMS, x))):
            if stream in streams:
                latent = torch.sigmoid(self.dense(f"generator/{stream}/output", h))
                latents[stream] = record[f"generator/{stream}/latent"] = latent
        return latents

    def decode(
        self, stream: str, latent: torch.Tensor, arrays: Tensors, noise: Tensors, record: Tensors
    ) -> torch.Tensor:
        """Return the decoded series of generated latents; the decoder starts from zero states."""
        x = self.labelled(latent, arrays)
        state = self.zeros(len(x), self.config["decoder_units"])
        for layer, owner in zip(LAYERS, ("shared", stream, stream)):
            h = self.lstm(f"vae/{owner}/decoder/layer{layer}", x, state)
            x = self.dropped(h, noise[f"generated/{stream}/layer{layer}"])
            record[f"generated/{stream}/layer{layer}"] = x
        record[f"generated/{stream}/decoded"] = torch.sigmoid(self.dense(f"vae/{stream}/output", x))
        return record[f"generated/{stream}/decoded"]

    def generated(self, stream: str, arrays: Tensors, noise: Tensors) -> torch.Tensor:
        """Return a generated series of one stream."""
        record: Tensors = {}
        latent = self.latents(arrays, noise, record, (stream,))[stream]
        return self.decode(stream, latent, arrays, noise, record)

    def discriminate(
        self, stream: str, sides: Mapping[str, torch.Tensor], noise: Tensors, record: Tensors
    ) -> Tuple[Tuple[torch.Tensor, ...], Tuple[torch.Tensor, ...]]:
        """Return logits [batch, 1] and the last layer's dropped outputs for series by side, `real`
        or `fake`; all run as one batch."""
        x, rows = torch.cat(list(sides.values())), len(next(iter(sides.values())))
        for layer in LAYERS:
            name = f"discriminator/{stream}/layer{layer}"
            state = [self.weights[f"{name}/initial_{part}"].expand(len(x), -1) for part in "ch"]
            keep = torch.cat([noise[f"{side}/{stream}/layer{layer}"] for side in sides])
            x = self.dropped(self.lstm(name, x, state), keep)
            for side, part in zip(sides, x.split(rows)):
                record[f"discriminator/{stream}/{side}/layer{layer}"] = part
        logits = self.dense(f"discriminator/{stream}/logit", x.flatten(1)).split(rows)
        for side, logit in zip(sides, logits):
            record[f"discriminator/{stream}/{side}/logit"] = logit
        return logits, x.split(rows)
