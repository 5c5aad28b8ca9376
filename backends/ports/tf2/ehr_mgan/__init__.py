"""`ehr_mgan` on TF2; see `harness/workloads/ehr_mgan/` for the specification.

`lstm.py` and `fused.py` have the LSTMs, `networks.py`, `vae.py` and `vae_loop.py` the model,
`losses.py` what is minimised.
Six functions are traced: VAE, discriminator and generator, each for a stream. Pre-training and
joint training share the VAEs', all rounds the generators'.
"""

from __future__ import annotations

import collections
from typing import Any, Dict, Mapping

import numpy as np
import tensorflow as tf

from backends.contract import PRECISION_TABLE, Setting
from backends.ports.tf2.ehr_mgan.losses import LOSSES
from backends.ports.tf2.ehr_mgan.lstm import Recurrence
from backends.ports.tf2.ehr_mgan.networks import LAYERS, STREAMS, Networks, transposed
from backends.ports.tf2.ehr_mgan.vae import ALL, Vaes
from backends.tf2 import runtime
from backends.tf2.core import Tf2Port

GENERATE = "generate"


class Port(Tf2Port):
    """Two recurrent VAEs, two coupled generators, two discriminators, eight optimizers."""

    #: The loops are TensorFlow's own, and the conversion takes longer than tracing.
    AUTOGRAPH = False

    def __init__(self, config: Mapping[str, Any], setting: Setting) -> None:
        Tf2Port.__init__(self, config, setting)
        self._chunk = self.trainer.compiled(self._generated)
        streams = self.noise.streams_of(GENERATE)
        self._draw = self.trainer.compiled(
            lambda clock: self.noise.draw(GENERATE, tf.constant(streams, tf.int64), clock)
        )

    def build(self) -> Dict[str, Any]:
        table = PRECISION_TABLE[self.setting.precision]
        low = tf.as_dtype(table["contraction"])
        # XLA has no fused LSTM, neither have float64 and mixed precision.
        fused = (
            low == self.dtype == tf.float32
            and self.setting.device == "cpu"
            and self.setting.execution != "compiled"
        )
        weights = {}
        for item in self.config["parameters"]:
            name = item["name"]
            zeros = tf.zeros(item["shape"], self.dtype)
            weights[name] = tf.Variable(zeros, name=name.replace("/", "_"))
        recurrence = Recurrence(self.dtype, low, fused, self.observed_dtypes)
        self.networks = Networks(self.config, weights, recurrence)
        return {}

    def create(self) -> Dict[str, Any]:
        return dict(self.networks.weights)

    def inputs(self) -> Dict[str, Any]:
        hours, channels = self.config["hours"], self.config["channels"]
        inputs: Dict[str, Any] = {
            stream: (self.dtype, [None, hours, channels[stream]]) for stream in STREAMS
        }
        if self.config["conditional"]:
            inputs["label"] = (tf.int64, [None, 1])
        return inputs

    def kind(self, phase: str) -> str:
        network, stream = phase.split("/")[-2:]
        network = "vae" if network == "pretrain" else network.split(" ")[0]
        return f"{network}/{stream}"

    def consumes(self, phase: str, site: str) -> bool:
        # The generators' noise is drawn once for all updates of a joint step, of which the VAEs' do
        # not use it.
        return "/" not in phase or not (
            self.kind(phase).startswith("vae/") and site.startswith("generator/")
        )

    def loss_terms(self, phase: str, arrays: Dict[str, Any], noise: Any) -> Dict[str, Any]:
        network, stream = self.kind(phase).split("/")
        return LOSSES[network](self.networks, stream, arrays, noise)

    def activations(self, arrays: Dict[str, Any], noise: Any, training: bool) -> Dict[str, Any]:
        networks = self.networks
        record: Dict[str, Any] = collections.OrderedDict()
        for stream, series in Vaes(networks, arrays, noise).run().items():
            for name in ALL:
                record[f"{stream}/{name}"] = series[name]
        layers, latents = networks.latents(arrays, noise)
        both = list(zip(STREAMS, layers, latents))
        for layer in LAYERS:
            for stream, own, _ in reversed(both):
                record[f"generator/{stream}/layer{layer}"] = transposed(own[layer - 1])
        for stream, _, latent in reversed(both):
            record[f"generator/{stream}/latent"] = transposed(latent)
        generated = {
            stream: networks.decode(stream, latent, arrays, noise) for stream, _, latent in both
        }
        for stream, decoding in generated.items():
            for name, value in zip(["layer1", "layer2", "layer3", "decoded"], decoding):
                record[f"generated/{stream}/{name}"] = transposed(value)
        for stream in STREAMS:
            sides: Dict[str, Any] = collections.OrderedDict()
            sides["real"] = transposed(arrays[stream])
            sides["fake"] = generated[stream][-1]
            for side, (outputs, logit) in networks.discriminate(stream, sides, noise).items():
                prefix = f"discriminator/{stream}/{side}/"
                for layer, output in zip(LAYERS, outputs):
                    record[f"{prefix}layer{layer}"] = transposed(output)
                record[prefix + "logit"] = logit
        return record

    def _generated(self, arrays: Dict[str, Any], noise: Any) -> Any:
        """Return one batch of series: vital signs in their own units, then interventions rounded
        half to even."""
        _, latents = self.networks.latents(arrays, noise)
        vital, interventions = [
            transposed(self.networks.decode(stream, latent, arrays, noise)[-1])
            for stream, latent in zip(STREAMS, latents)
        ]
        minimum, spread = [
            tf.constant(self.config[name], self.dtype) for name in ("minimum", "range")
        ]
        return tf.concat([vital * spread + minimum, tf.round(interventions)], axis=2)

    def generate(self, source: Any, count: int) -> np.ndarray:
        size = self.config["batch"]
        if count < size:
            raise ValueError(
                f"generate makes whole batches of {size} rows, as the original does; {count} rows"
                " were asked for"
            )
        whole = source.generation(count // size * size)
        parts = []
        with runtime.refusals():
            for chunk in range(count // size):
                rows = slice(chunk * size, (chunk + 1) * size)
                arrays = self._tensors({name: array[rows] for name, array in whole.arrays.items()})
                noise = self._generation_noise(source, chunk, whole.noise, rows)
                parts.append(self._chunk(arrays, noise))
            self.observed_dtypes["output"] = parts[-1].dtype.name
            return np.concatenate([part.numpy() for part in parts])

    def _generation_noise(self, source: Any, chunk: int, tape: Any, rows: slice) -> Dict[str, Any]:
        if tape is None:
            drawn: Dict[str, Any] = self._draw(tf.constant([source.seed, chunk], tf.int64))
            return drawn
        return {
            site: tf.constant(tape[site][rows], self.dtype) for site in self.noise.names(GENERATE)
        }

    def dtype_policy(self) -> str:
        recurrence = self.networks.recurrence
        return f"{recurrence.low.name}: contractions; {recurrence.master.name}: all the rest"
