"""`ehr_mgan` on TF1: one graph for all phases; see `harness/workloads/ehr_mgan` for the
specification.

Sites of noise are tensors of the graph that phases share, so every network is built once: a phase's
call computes the part that it needs, on the noise that it is fed or that it draws.
"""

from __future__ import annotations

import collections
from typing import Any, Dict, Mapping, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from backends.ports.tf1.ehr_mgan import losses, vae
from backends.ports.tf1.ehr_mgan.networks import STREAMS, Networks, Product, transposed
from backends.tf1.core import Tf1Port
from backends.tf1.native import GENERATE


class Port(Tf1Port):
    """Two VAEs that share their latents, two coupled generators, two discriminators."""

    PRODUCT = "generated/continuous/decoded"
    #: Grappler made no step faster and each phase's first one five times as slow (0.5 s on all
    #: without it, 2.5 to 3 s with it).
    REWRITE = False

    def inputs(self) -> Dict[str, Any]:
        batch, hours = self.config["batch"], self.config["hours"]
        channels = self.config["channels"]
        inputs: Dict[str, Any] = {
            stream: (self.dtype, [batch, hours, channels[stream]]) for stream in STREAMS
        }
        if self.config["conditional"]:
            inputs["label"] = (tf.int64, [batch, 1])
        return inputs

    def kind(self, phase: str) -> str:
        """The rounds of a network differ in their noise alone, pre-training and joint training of a
        VAE in the optimizer."""
        return "/".join(self._parts(phase))

    @staticmethod
    def _parts(phase: str) -> Tuple[str, str]:
        """Return the network and the stream that a phase is about."""
        network, stream = phase.split("/")[-2:]
        network = network.partition(" ")[0]
        return "vae" if network == "pretrain" else network, stream

    def activations(
        self, arrays: Mapping[str, Any], noise: Mapping[str, Any], training: bool
    ) -> Dict[str, Any]:
        """Build all networks; dropout is on whatever `training` says, as in the original."""
        # Read once: several reads of one variable are several tensors to TF.
        weights = {name: tf.convert_to_tensor(self.variable(name)) for name in self.shapes}
        product = Product(self.low_dtype)
        self.networks = networks = Networks(
            self.config, weights.__getitem__, dict(arrays), dict(noise), product
        )
        vae.run(networks)
        networks.latents()
        for stream in STREAMS:
            networks.decode(stream)
        for stream in STREAMS:
            networks.discriminate(stream, ("real", "fake"))
        self.observed_dtypes["contractions"] = product.observed
        record: Dict[str, Any] = collections.OrderedDict()
        for name, tensor in networks.record.items():
            record[name] = tensor if name.endswith("logit") else transposed(tensor)
        return record

    def loss_terms(
        self, phase: str, arrays: Mapping[str, Any], noise: Mapping[str, Any]
    ) -> Dict[str, Any]:
        network, stream = self._parts(phase)
        if network == "vae":
            return losses.vae(self.networks, stream)
        if network == "generator":
            return losses.generator(self.networks, stream)
        return losses.discriminator(self.networks, stream, noise)

    def generate(self, source: Any, count: int) -> np.ndarray:
        """Return floor(count / batch) batches of series, as the original does; continuous channels
        in their own units."""
        size = self.config["batch"]
        if count < size:
            workload = self.config["workload"]
            raise ValueError(
                f"{workload} generates whole batches of {size} rows; {count} were asked for"
            )
        inputs = source.generation(count)
        product = [self.training[f"generated/{stream}/decoded"] for stream in STREAMS]
        parts = []
        for chunk in range(count // size):
            rows = slice(chunk * size, (chunk + 1) * size)
            feed = {
                self.rows.entries[name]: array[rows]
                for name, array in inputs.arrays.items()
                if name in self.arrays
            }
            if inputs.noise is None:
                feed[self.noise.key] = self._key(GENERATE, source.seed, chunk)
            else:
                for site, array in inputs.noise.items():
                    feed[self.noise.entries[GENERATE][site]] = array[rows]
            continuous, discrete = self._run(product, feed)
            scale = np.array(self.config["range"], continuous.dtype)
            units = continuous * scale + np.array(self.config["minimum"], continuous.dtype)
            parts.append(np.concatenate([units, np.rint(discrete)], axis=2))
        return np.concatenate(parts)
