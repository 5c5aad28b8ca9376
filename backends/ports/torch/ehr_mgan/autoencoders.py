"""The two VAEs: what goes into the loop over the hours, and what comes out of it."""

from __future__ import annotations

from typing import List, Tuple

import torch
from torch.nn import functional

from backends.ports.torch.ehr_mgan import hours
from backends.ports.torch.ehr_mgan.networks import (
    LAYERS,
    STREAMS,
    Networks,
    Tensors,
    sigmoids_first,
)


class Autoencoders(object):
    """Encoders and decoders of both streams."""

    def __init__(self, networks: Networks, loop: hours.Loop) -> None:
        self.networks, self.loop = networks, loop
        self.weights, self.config = networks.weights, networks.config

    def run(
        self, arrays: Tensors, noise: Tensors
    ) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return decoded, mu and the logarithm of sigma together, and z without the label, each [2,
        hours, batch, ...]."""
        kernels, biases = self._weights(arrays)
        return hours.Hours.apply(self.loop, self._given(arrays, noise), *kernels, *biases)

    def activations(self, arrays: Tensors, noise: Tensors) -> Tensors:
        """Return every layer's dropped output and the latents, by stream and then from below."""
        kernels, biases = self._weights(arrays)
        inputs, saved = self.loop.run(self._given(arrays, noise), kernels, biases)
        # A cell's dropped output is what enters the next contraction, less the state beside it.
        above = (1, 2, hours.LATENT, 4, 5, hours.OUTPUT)
        units = [self.config["encoder_units"]] * 3 + [self.config["decoder_units"]] * 3
        cells = [
            torch.stack([hour[place][..., :count] for hour in inputs], 2)
            for place, count in zip(above, units)
        ]
        latent = [torch.stack([hour[4][place] for hour in saved], 2) for place in range(3)]
        decoded = torch.stack([hour[3] for hour in saved], 2)
        names = (
            ["encoder/layer%d" % layer for layer in LAYERS]
            + ["mu", "log_sigma", "z"]
            + ["decoder/layer%d" % layer for layer in LAYERS]
        )
        record: Tensors = {}
        for index, stream in enumerate(STREAMS):
            for name, value in zip(names, cells[:3] + latent + cells[3:]):
                found = value[index]
                record["%s/%s" % (stream, name)] = (
                    self.networks.labelled(found, arrays) if name == "z" else found
                )
            record["%s/decoded" % stream] = decoded[index, ..., : self.config["channels"][stream]]
        return record

    def _given(self, arrays: Tensors, noise: Tensors) -> hours.Given:
        widest = max(self.config["channels"].values())
        x = torch.stack(
            [
                functional.pad(arrays[stream], (0, widest - arrays[stream].shape[2])).transpose(
                    0, 1
                )
                for stream in STREAMS
            ]
        )
        sites = [
            "%s/%%s/layer%d" % (network, layer)
            for network in ("encoder", "decoder")
            for layer in LAYERS
        ]
        keeps = [
            torch.stack([noise[site % stream].transpose(0, 1) for stream in STREAMS])
            for site in sites
        ]
        torch._foreach_mul_(keeps, 1.0 / self.config["keep"])
        return hours.Given(x, torch.stack([noise["e/" + stream] for stream in STREAMS]), keeps)

    def _weights(self, arrays: Tensors) -> Tuple[List[torch.Tensor], List[torch.Tensor]]:
        """Return the kernels and biases of all contractions, as `hours.Loop.run` wants them."""
        names = ["vae/%s/encoder/layer1", "vae/%s/encoder/layer2", "vae/shared/encoder/layer3"]
        names += ["vae/shared/decoder/layer1", "vae/%s/decoder/layer2", "vae/%s/decoder/layer3"]
        first_kernel, first_bias = self._first(arrays)
        kernels, biases = [first_kernel], [first_bias]
        for name in names[1:]:
            owned = (
                [self._cell(name % stream) for stream in STREAMS]
                if "%s" in name
                else [self._cell(name)] * 2
            )
            kernel, bias = (
                owned[0] if owned[0] is owned[1] else [torch.stack(pair) for pair in zip(*owned)]
            )
            if name == names[hours.ENCODERS] and self.config["conditional"]:
                kernel, bias = self._without_label(kernel, bias, arrays)
            kernels.append(kernel if kernel.dim() == 3 else self._shared(kernel))
            biases.append(bias[..., None, :] if bias.dim() < 3 else bias)
        latent = [
            torch.cat([self.weights["vae/shared/%s/%s" % (name, part)] for name in ("mu", "sigma")])
            for part in ("kernel", "bias")
        ]
        kernels.append(self._shared(latent[0]))
        biases.append(latent[1][None, None])
        widest = max(self.config["channels"].values())
        output = [
            [self.weights["vae/%s/output/%s" % (stream, part)] for stream in STREAMS]
            for part in ("kernel", "bias")
        ]
        kernels.append(
            torch.stack(
                [functional.pad(value, (0, 0, 0, widest - len(value))) for value in output[0]]
            )
        )
        biases.append(
            torch.stack([functional.pad(value, (0, widest - len(value))) for value in output[1]])[
                :, None
            ]
        )
        return [kernel.transpose(1, 2) for kernel in kernels], biases

    def _shared(self, kernel: torch.Tensor) -> torch.Tensor:
        """Return a kernel that the streams share as one for each, [2, ...]."""
        return self.networks.rounded(kernel).expand(2, -1, -1)

    def _cell(self, name: str) -> Tuple[torch.Tensor, torch.Tensor]:
        """Return an LSTM's kernel [4 units, in] and bias [4 units] with the constant forget bias,
        gates in the loop's order."""
        bias = self.weights[name + "/bias"]
        return sigmoids_first(self.weights[name + "/kernel"]), sigmoids_first(
            bias + self.networks.constant_bias(bias.shape[1])
        )

    def _first(self, arrays: Tensors) -> Tuple[torch.Tensor, torch.Tensor]:
        """Return the first cells' kernel of what is fed back and of h, and for each hour the share
        of the data and the bias."""
        widest, kernels, biases = max(self.config["channels"].values()), [], []
        for stream in STREAMS:
            kernel, bias = self._cell("vae/%s/encoder/layer1" % stream)
            x, channels = self.networks.labelled(arrays[stream], arrays), arrays[stream].shape[2]
            data, fed, h = kernel.split([x.shape[2], channels, self.config["encoder_units"]], dim=1)
            kernels.append(torch.cat([functional.pad(fed, (0, widest - channels)), h], dim=1))
            biases.append((self.networks.product(x, data) + bias).transpose(0, 1))
        return torch.stack(kernels), torch.stack(biases)

    def _without_label(
        self, kernel: torch.Tensor, bias: torch.Tensor, arrays: Tensors
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """Return the shared decoder's kernel of z and h, and the bias with the label's share, [2,
        batch, 4 units]."""
        z, label, h = kernel.split([self.config["latent"], 1, self.config["decoder_units"]], dim=1)
        share = self.networks.product(arrays["label"].to(bias.dtype), label)
        return torch.cat([z, h], dim=1), (share + bias).expand(2, -1, -1)
