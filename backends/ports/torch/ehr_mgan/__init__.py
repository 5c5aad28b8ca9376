"""`ehr_mgan` on torch; see `harness/workloads/ehr_mgan/` for the specification.

- `layouts`: how the weights are kept
- `networks`: generators, decoders of generated latents, discriminators: fused LSTMs over whole
  series
- `vae`: what enters and leaves the loop over the hours of the VAEs
- `vae_loop`: that loop, with its derivative
- `losses`: the terms of each phase
"""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np
import torch
from torch.nn import functional

from backends.contract import Setting
from backends.ports.torch.ehr_mgan import losses
from backends.ports.torch.ehr_mgan.layouts import Weights, layouts
from backends.ports.torch.ehr_mgan.networks import STREAMS, Networks
from backends.ports.torch.ehr_mgan.vae import Vaes
from backends.ports.torch.ehr_mgan.vae_loop import Loop
from backends.torch.core import TorchPort
from backends.torch.native import GENERATION
from backends.torch.state import Tensors, dtype_label


class Port(TorchPort):
    """EHR-M-GAN."""

    # Unrolled, the whole would be thousands of operations; the hour of the VAEs is what has no
    # fused kernel.
    COMPILED_WHOLE = False

    def __init__(self, config: Mapping[str, Any], setting: Setting) -> None:
        self.LAYOUT = layouts(config)
        TorchPort.__init__(self, config, setting)
        self.networks = Networks(config, self.weights, self.low_dtype)
        self.vaes = Vaes(self.networks, Loop(self.low_dtype, self.compiled))
        self.minimum, self.range = [
            torch.tensor(config[name], dtype=self.dtype, device=self.device)
            for name in ("minimum", "range")
        ]

    def build(self) -> torch.nn.Module:
        return Weights(self.config, self.LAYOUT)

    # -- losses ------------------------------------------------------------------------------------

    def loss_terms(self, phase: str, arrays: Tensors, noise: Tensors) -> Tensors:
        network, stream = phase.split("/")[-2:]
        if network in ("pretrain", "vae"):
            terms = self._vae
        elif network == "discriminator":
            terms = self._discriminator
        else:
            terms = self._generator
        return terms(stream, arrays, noise)

    def _vae(self, stream: str, arrays: Tensors, noise: Tensors) -> Tensors:
        decoded, latent, z = self.vaes.run(arrays, noise)
        index, product = STREAMS.index(stream), self.networks.product
        data = arrays[stream].transpose(0, 1)
        own = decoded[index, ..., : data.shape[2]]
        terms = {
            "reconstruction": losses.reconstruction(stream, data, own),
            "kl": losses.kl(*latent[index].chunk(2, -1)),
        }
        if stream == "discrete":
            terms["kl"] = self.config["discrete_kl"] * terms["kl"]
        z = z.transpose(1, 2)
        a, b = labelled = [self.networks.labelled(value, arrays) for value in z]
        terms["matching"] = functional.mse_loss(a, b)  # of the samples, not of their means
        a, b = [value.flatten(1) for value in labelled]
        terms["contrastive"] = losses.contrastive([product(a, b), product(a, a), product(b, b)])
        if self.config["conditional"]:
            terms["semantic"] = self._semantic(z, arrays)
        return losses.weighted(terms, self.config["vae_weights"])

    def _semantic(self, z: torch.Tensor, arrays: Tensors) -> torch.Tensor:
        """Return the cross-entropy of the classes from the latents [2, batch, hours, latent]; as in
        the original tanh bounds the logits."""
        latents = torch.cat(list(z), dim=2).flatten(1)
        hidden = functional.relu(self.networks.dense("vae/shared/semantic/hidden", latents))
        logits = torch.tanh(self.networks.dense("vae/shared/semantic/logits", hidden))
        return functional.cross_entropy(logits, arrays["label"][:, 0])

    def _discriminator(self, stream: str, arrays: Tensors, noise: Tensors) -> Tensors:
        with torch.no_grad():
            fake = self.networks.generated(stream, arrays, noise)
        (real_logit, fake_logit), _ = self.networks.discriminate(
            stream, {"real": arrays[stream], "fake": fake}, noise, {}
        )
        # The discrete stream's label is not noisy, as in the original.
        constant = torch.full_like(fake_logit, self.config["discrete_fake_label"])
        return losses.discriminator(
            real_logit, fake_logit, noise["label/real"], noise.get("label/fake", constant)
        )

    def _generator(self, stream: str, arrays: Tensors, noise: Tensors) -> Tensors:
        fake, real = self.networks.generated(stream, arrays, noise), arrays[stream]
        (logit,), (features,) = self.networks.discriminate(stream, {"fake": fake}, noise, {})
        # The continuous stream matches the moments of the discriminator's outputs, the discrete
        # stream those of the data.
        if stream == "continuous":
            with torch.no_grad():
                _, (real,) = self.networks.discriminate(stream, {"real": real}, noise, {})
            fake = features
        return losses.generator(stream, logit, fake, real, self.config["generator_weights"])

    # -- looking and generating --------------------------------------------------------------------

    def activations(self, arrays: Tensors, noise: Tensors) -> Tensors:
        record = self.vaes.activations(arrays, noise)
        latents = self.networks.latents(arrays, noise, record)
        decoded = {
            stream: self.networks.decode(stream, latents[stream], arrays, noise, record)
            for stream in STREAMS
        }
        for stream in STREAMS:
            for side, series in (("real", arrays[stream]), ("fake", decoded[stream])):
                self.networks.discriminate(stream, {side: series}, noise, record)
        contracted = self.networks.contracted
        if contracted is not None:
            self.observed_dtypes["contraction"] = str(contracted).replace("torch.", "")
        return record

    def generate(self, source: Any, count: int) -> np.ndarray:
        """Return floor(count / batch) * batch rows [rows, hours, channels]: the continuous ones in
        their units, then the discrete.

        Raises:
            ValueError: count is less than one batch.
        """
        workload, rows = self.config["workload"], self.config["batch"]
        if count < rows:
            raise ValueError(
                f"{workload} generates whole batches of {rows} rows; {count} were asked for"
            )
        inputs, chunks = source.generation(count), []
        with self.mode(False, tracking=False), torch.no_grad():
            for chunk in range(count // rows):
                part = slice(chunk * rows, (chunk + 1) * rows)
                arrays = self.tensors({name: value[part] for name, value in inputs.arrays.items()})
                if inputs.noise is None:
                    noise = self.noise.draw("generate", source.seed, GENERATION, chunk)
                else:
                    noise = self.noise_tensors(
                        {name: value[part] for name, value in inputs.noise.items()}
                    )
                chunks.append(self._series(arrays, noise))
            series = torch.cat(chunks)
        self.observed_dtypes["output"] = dtype_label(series)
        return self.array(series)

    def _series(self, arrays: Tensors, noise: Tensors) -> torch.Tensor:
        latents = self.networks.latents(arrays, noise, {})
        continuous, discrete = [
            self.networks.decode(stream, latents[stream], arrays, noise, {}) for stream in STREAMS
        ]
        return torch.cat([continuous * self.range + self.minimum, torch.round(discrete)], dim=2)
