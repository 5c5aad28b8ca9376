"""The two VAEs, hour by hour: what is decoded at one hour enters the encoder at the next.

Both streams advance in one loop, stacked along a first axis [2, batch, ...]; the shared layers
(third of the encoder, mu and sigma, first of the decoder) see them as one batch of twice the rows.
Channels are padded to the wider stream's, with zeros in the kernels, so that nothing of the padding
is felt. `vae_loop.py` runs the loop; here its inputs are laid out.
"""

from __future__ import annotations

import collections
from typing import Any, Dict, Tuple

import tensorflow as tf

from backends.ports.tf2.ehr_mgan.lstm import biased
from backends.ports.tf2.ehr_mgan.networks import LAYERS, STREAMS, Networks, transposed
from backends.ports.tf2.ehr_mgan.vae_loop import LSTMS, SHARED, STEPS, Constants, Loop

Tensors = Dict[str, Any]
#: Every series of a stream, in the order in which an hour computes them.
ALL = LSTMS[:3] + ["mu", "log_sigma", "z"] + LSTMS[3:] + ["decoded"]


class Vaes:
    """The loop over one batch.

    Args:
        networks: the model.
        arrays, noise: one batch, batch-major.
    """

    def __init__(self, networks: Networks, arrays: Tensors, noise: Tensors) -> None:
        self.networks, self.recurrence, config = networks, networks.recurrence, networks.config
        self.config, self.batch, self.hours = config, networks.batch, networks.hours
        self.width = max(config["channels"].values())
        self.x = self._stacked(transposed(arrays[stream]) for stream in STREAMS)
        self.label = None
        if config["conditional"]:
            self.label = tf.tile(tf.cast(arrays["label"], self.recurrence.master), [2, 1])
        self.e = tf.concat([noise["e/" + stream] for stream in STREAMS], axis=0)
        self.masks = {}
        for layer in LAYERS:
            for network in ("encoder", "decoder"):
                name = f"{network}/layer{layer}"
                sites = [f"{network}/{stream}/layer{layer}" for stream in STREAMS]
                masks = [networks.mask(noise, site) for site in sites]
                join = tf.concat if name in SHARED else tf.stack
                self.masks[name] = join(masks, axis=1)
        self.kernels = self._kernels(arrays)

    def lstm(self, name: str) -> Tuple[Any, Any]:
        """Return kernel and bias of a cell, the forget gate's constant in the bias."""
        kernel, bias = self.networks.pair(name)
        return tf.convert_to_tensor(kernel), biased(bias)

    def _stacked(self, series: Any) -> Any:
        """Return both streams' series as [hours, 2, batch, width]."""
        return tf.stack([widened(x, self.width, 2) for x in series], axis=1)

    def _first(self, arrays: Tensors) -> Any:
        """Return what the known part of the input [x, label] gives to the gates of the encoder's
        first layer, for all hours."""
        gates = []
        for stream in STREAMS:
            kernel, bias = self.lstm(f"vae/{stream}/encoder/layer1")
            x = self.networks.labelled(transposed(arrays[stream]), arrays)
            gates.append(self.recurrence.projection(x, kernel[: x.shape[2]]) + bias)
        return tf.stack(gates, axis=1)

    def _kernels(self, arrays: Tensors) -> Dict[str, Tuple[Any, Any]]:
        """Return kernel and bias of each step of the loop, the streams' own stacked.

        The first layer's kernel is that of [x - sigmoid(previous), h]; what the rest of its input
        gives stands for its bias.
        """
        pairs, lstm = self.networks.pair, self.lstm
        steps: Dict[str, Tuple[Any, Any]] = {}
        recurrent = []
        for stream in STREAMS:
            kernel, _ = lstm(f"vae/{stream}/encoder/layer1")
            channels = self.config["channels"][stream]
            known = channels + int(self.config["conditional"])
            fed_back = widened(kernel[known : known + channels], self.width, 0)
            recurrent.append(tf.concat([fed_back, kernel[known + channels :]], axis=0))
        steps["encoder/layer1"] = tf.stack(recurrent), self._first(arrays)
        for layer in ("encoder/layer2", "decoder/layer2", "decoder/layer3"):
            kernels, biases = zip(*[lstm(f"vae/{stream}/{layer}") for stream in STREAMS])
            steps[layer] = tf.stack(kernels), tf.stack(biases)[:, tf.newaxis]
        for layer in SHARED:
            steps[layer] = lstm("vae/shared/" + layer)
        kernels, biases = zip(pairs("vae/shared/mu"), pairs("vae/shared/sigma"))
        steps["latent"] = tf.concat(kernels, axis=-1), tf.concat(biases, axis=-1)
        kernels, biases = zip(*[pairs(f"vae/{stream}/output") for stream in STREAMS])
        steps["output"] = (
            tf.stack([widened(kernel, self.width, 1) for kernel in kernels]),
            tf.stack([widened(bias, self.width, 0) for bias in biases])[:, tf.newaxis],
        )
        return steps

    def run(self) -> Dict[str, Tensors]:
        """Return every series of `ALL` by stream and name, batch-major."""
        weights = [tensor for name in STEPS for tensor in self.kernels[name]]
        constants = Constants(self.x, self.masks, self.e, self.label)
        latent, decoded, outputs = Loop(self.recurrence, constants).run(weights)
        mu, log_sigma = tf.split(latent, 2, axis=2)
        z = mu + tf.exp(log_sigma) * self.e  # one draw for all hours
        if self.label is not None:
            z = tf.concat([z, tf.broadcast_to(self.label, z.shape[:2] + [1])], axis=2)
        # Nothing is differentiated through the layers' outputs: the loop gives the gradients of mu,
        # sigma and what is decoded.
        series = {
            name: tf.stop_gradient(value * self.masks[name]) for name, value in zip(LSTMS, outputs)
        }
        series.update(mu=mu, log_sigma=log_sigma, z=z, decoded=decoded)
        shape = [self.hours, 2, self.batch, -1]
        return self._by_stream({name: tf.reshape(value, shape) for name, value in series.items()})

    def _by_stream(self, series: Tensors) -> Dict[str, Tensors]:
        by_stream: Dict[str, Tensors] = {}
        for index, stream in enumerate(STREAMS):
            own: Tensors = collections.OrderedDict()
            for name, value in series.items():
                own[name] = transposed(value[:, index])
            own["decoded"] = own["decoded"][:, :, : self.config["channels"][stream]]
            by_stream[stream] = own
        return by_stream


def widened(value: Any, width: int, axis: int) -> Any:
    """Return a tensor with zeros added behind along one axis."""
    padding = [[0, 0] for _ in value.shape]
    padding[axis][1] = width - value.shape[axis]
    return tf.pad(value, padding)
