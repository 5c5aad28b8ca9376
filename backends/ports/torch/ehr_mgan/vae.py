"""The two VAEs: what goes into the loop over the hours, and what comes out of it."""

from __future__ import annotations

from typing import List, Sequence, Tuple

import torch
from torch.nn import functional

from backends.ports.torch.ehr_mgan import vae_loop
from backends.ports.torch.ehr_mgan.networks import (
    LAYERS,
    STREAMS,
    Networks,
    Tensors,
    sigmoids_first,
)


class Vaes:
    """Encoders and decoders of both streams."""

    def __init__(self, networks: Networks, loop: vae_loop.Loop) -> None:
        self.networks, self.loop = networks, loop
        self.weights, self.config = networks.weights, networks.config

    def run(
        self, arrays: Tensors, noise: Tensors
    ) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return decoded, mu and the logarithm of sigma together, and z without the label, each [2,
        hours, batch, ...]."""
        kernels, biases = self._weights(arrays)
        outputs: Tuple[torch.Tensor, torch.Tensor, torch.Tensor] = vae_loop.Hours.apply(
            self.loop, self._constants(arrays, noise), *kernels, *biases
        )
        return outputs

    def activations(self, arrays: Tensors, noise: Tensors) -> Tensors:
        """Return every layer's dropped output and the latents, by stream and then from below."""
        kernels, biases = self._weights(arrays)
        inputs, saved = self.loop.run(self._constants(arrays, noise), kernels, biases)
        # A cell's dropped output is what enters the next contraction, less the state beside it.
        above = (1, 2, vae_loop.LATENT, 4, 5, vae_loop.OUTPUT)
        units = [self.config["encoder_units"]] * 3 + [self.config["decoder_units"]] * 3
        cells = []
        for contraction, count in zip(above, units):
            dropped = [hour[contraction][..., :count] for hour in inputs]
            cells.append(torch.stack(dropped, 2))
        sampled = [hour[4] for hour in saved]
        latent = [torch.stack(series, 2) for series in zip(*sampled)]
        decoded = torch.stack([hour[3] for hour in saved], 2)
        encoder = [f"encoder/layer{layer}" for layer in LAYERS]
        decoder = [f"decoder/layer{layer}" for layer in LAYERS]
        names = [*encoder, "mu", "log_sigma", "z", *decoder]
        record: Tensors = {}
        for index, stream in enumerate(STREAMS):
            for name, value in zip(names, cells[:3] + latent + cells[3:]):
                own = value[index]
                record[f"{stream}/{name}"] = (
                    self.networks.labelled(own, arrays) if name == "z" else own
                )
            record[f"{stream}/decoded"] = decoded[index, ..., : self.config["channels"][stream]]
        return record

    def _constants(self, arrays: Tensors, noise: Tensors) -> vae_loop.Constants:
        widest = max(self.config["channels"].values())
        x = []
        for stream in STREAMS:
            padded = functional.pad(arrays[stream], (0, widest - arrays[stream].shape[2]))
            x.append(padded.transpose(0, 1))
        keeps = []
        for network in ("encoder", "decoder"):
            for layer in LAYERS:
                masks = [noise[f"{network}/{stream}/layer{layer}"] for stream in STREAMS]
                keeps.append(torch.stack([mask.transpose(0, 1) for mask in masks]))
        torch._foreach_mul_(keeps, 1.0 / self.config["keep"])
        e = torch.stack([noise["e/" + stream] for stream in STREAMS])
        return vae_loop.Constants(torch.stack(x), e, keeps)

    def _weights(self, arrays: Tensors) -> Tuple[List[torch.Tensor], List[torch.Tensor]]:
        """Return the kernels and biases of all contractions, as `vae_loop.Loop.run` wants them."""
        names = ["vae/%s/encoder/layer1", "vae/%s/encoder/layer2", "vae/shared/encoder/layer3"]
        names += ["vae/shared/decoder/layer1", "vae/%s/decoder/layer2", "vae/%s/decoder/layer3"]
        first_kernel, first_bias = self._first(arrays)
        kernels, biases = [first_kernel], [first_bias]
        for name in names[1:]:
            if "%s" in name:
                kernel, bias = self._stacked([self._cell(name % stream) for stream in STREAMS])
            else:
                kernel, bias = self._cell(name)
            if name == names[vae_loop.ENCODERS] and self.config["conditional"]:
                kernel, bias = self._without_label(kernel, bias, arrays)
            kernels.append(kernel if kernel.dim() == 3 else self._shared(kernel))
            biases.append(bias[..., None, :] if bias.dim() < 3 else bias)
        latent = [self.weights[f"vae/shared/{name}/kernel"] for name in ("mu", "sigma")]
        kernels.append(self._shared(torch.cat(latent)))
        latent = [self.weights[f"vae/shared/{name}/bias"] for name in ("mu", "sigma")]
        biases.append(torch.cat(latent)[None, None])
        widest = max(self.config["channels"].values())
        output = []
        for stream in STREAMS:
            kernel = self.weights[f"vae/{stream}/output/kernel"]
            bias = self.weights[f"vae/{stream}/output/bias"]
            missing = widest - len(bias)
            output.append(
                (functional.pad(kernel, (0, 0, 0, missing)), functional.pad(bias, (0, missing)))
            )
        kernel, bias = self._stacked(output)
        kernels.append(kernel)
        biases.append(bias[:, None])
        return [kernel.transpose(1, 2) for kernel in kernels], biases

    @staticmethod
    def _stacked(
        owned: Sequence[Tuple[torch.Tensor, torch.Tensor]],
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """Return the kernels of both streams in one tensor, and their biases, [2, ...]."""
        kernels, biases = zip(*owned)
        return torch.stack(kernels), torch.stack(biases)

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
            kernel, bias = self._cell(f"vae/{stream}/encoder/layer1")
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
