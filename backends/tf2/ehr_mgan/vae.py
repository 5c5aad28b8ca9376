"""The two VAEs, hour by hour: what is decoded at one hour enters the encoder at the next.

Both streams advance in one loop, stacked along a first axis [2, batch, ...]; the shared layers (third of the encoder, mu and
sigma, first of the decoder) see them as one batch of twice the rows. Channels are padded to the wider stream's, with zeros in
the kernels, so that nothing of the padding is felt.
"""

from __future__ import annotations

import collections
from typing import Any, Dict, List, Tuple

import tensorflow as tf

from backends.tf2.ehr_mgan.networks import LAYERS, STREAMS, Networks, transposed
from backends.tf2.ehr_mgan.recurrence import biased, cell

Tensors = Dict[str, Any]
#: What the losses need of it, and what the forward stage shows besides.
LATENT = ("mu", "log_sigma", "z", "decoded")
ENCODER, DECODER = ["encoder/layer%d" % layer for layer in LAYERS], ["decoder/layer%d" % layer for layer in LAYERS]
ALL = ENCODER + ["mu", "log_sigma", "z"] + DECODER + ["decoded"]


class Vaes(object):
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
        self.first = self._first(arrays)
        self.label = tf.tile(tf.cast(arrays["label"], self.recurrence.master), [2, 1]) if config["conditional"] else None
        self.e = tf.concat([noise["e/" + stream] for stream in STREAMS], axis=0)
        self.masks = {}
        for layer in LAYERS:
            for network in ("encoder", "decoder"):
                sites = ["%s/%s/layer%d" % (network, stream, layer) for stream in STREAMS]
                self.masks["%s/layer%d" % (network, layer)] = tf.stack([networks.mask(noise, site) for site in sites], axis=1)
        self.kernels = self._kernels()

    def lstm(self, name: str) -> Tuple[Any, Any]:
        """Return kernel and bias of a cell, the forget gate's constant in the bias."""
        kernel, bias = self.networks.pair(name)
        return tf.convert_to_tensor(kernel), biased(bias)

    def _stacked(self, series: Any) -> Any:
        """Return both streams' series as [hours, 2, batch, width]."""
        return tf.stack([widened(x, self.width, 2) for x in series], axis=1)

    def _first(self, arrays: Tensors) -> Any:
        """Return what the known part of the input [x, label] gives to the gates of the encoder's first layer, for all hours."""
        found = []
        for stream in STREAMS:
            kernel, bias = self.lstm("vae/%s/encoder/layer1" % stream)
            x = self.networks.labelled(transposed(arrays[stream]), arrays)
            found.append(self.recurrence.projection(x, kernel[: x.shape[2]]) + bias)
        return tf.stack(found, axis=1)

    def _kernels(self) -> Dict[str, Tuple[Any, Any]]:
        """Return kernel and bias of each step of the loop, the streams' own stacked."""
        pairs, lstm, found = self.networks.pair, self.lstm, {}
        recurrent = []
        for stream in STREAMS:
            kernel, _ = lstm("vae/%s/encoder/layer1" % stream)
            channels, known = self.config["channels"][stream], self.config["channels"][stream] + int(self.config["conditional"])
            recurrent.append(tf.concat([widened(kernel[known:known + channels], self.width, 0), kernel[known + channels:]], axis=0))
        found["encoder/layer1"] = tf.stack(recurrent), 0.0
        for layer in ("encoder/layer2", "decoder/layer2", "decoder/layer3"):
            kernels, biases = zip(*[lstm("vae/%s/%s" % (stream, layer)) for stream in STREAMS])
            found[layer] = tf.stack(kernels), tf.stack(biases)[:, tf.newaxis]
        for layer in ("encoder/layer3", "decoder/layer1"):
            found[layer] = lstm("vae/shared/" + layer)
        found["latent"] = tuple(tf.concat(both, axis=-1) for both in zip(pairs("vae/shared/mu"), pairs("vae/shared/sigma")))
        kernels, biases = zip(*[pairs("vae/%s/output" % stream) for stream in STREAMS])
        found["output"] = (
            tf.stack([widened(kernel, self.width, 1) for kernel in kernels]),
            tf.stack([widened(bias, self.width, 0) for bias in biases])[:, tf.newaxis])
        return found

    def run(self, wanted: Any = LATENT) -> Dict[str, Tensors]:
        """Return the wanted series by stream and name, batch-major."""
        master, units = self.recurrence.master, {"encoder": self.config["encoder_units"], "decoder": self.config["decoder_units"]}
        states = []
        for name in ENCODER + DECODER:
            shape = [2 * self.batch] if name in ("encoder/layer3", "decoder/layer1") else [2, self.batch]
            zero = tf.zeros(shape + [units[name.split("/")[0]]], master)
            states += [zero, zero]
        given = {"x": self.x, "first": self.first}
        given.update(self.masks)
        reading = {name: tf.TensorArray(master, self.hours).unstack(value) for name, value in given.items()}

        def body(hour: Any, previous: Any, states: Tuple[Any, ...], series: Any) -> Tuple[Any, ...]:
            read = {name: array.read(hour) for name, array in reading.items()}
            found, states = self._hour(read, previous, list(states))
            return hour + 1, found["decoded"], tuple(states), {name: series[name].write(hour, found[name]) for name in series}

        first = (
            tf.constant(0), tf.zeros([2, self.batch, self.width], master), tuple(states),
            collections.OrderedDict((name, tf.TensorArray(master, self.hours)) for name in wanted))
        series = tf.while_loop(lambda hour, *_: hour < self.hours, body, first, maximum_iterations=self.hours)[3]
        return self._by_stream({name: array.stack() for name, array in series.items()})

    def _hour(self, read: Tensors, previous: Any, states: List[Any]) -> Tuple[Tensors, List[Any]]:
        """Return everything that one hour computes, [2, batch, ...], and the new states, (c, h) layer after layer."""
        found = {}

        def layer(name: str, x: Any, extra: Any = 0.0) -> Any:
            place = 2 * (ENCODER + DECODER).index(name)
            c, h = states[place:place + 2]
            kernel, bias = self.kernels[name]
            x = tf.reshape(x, h.shape[:-1] + [x.shape[-1]])  # a shared layer sees one batch
            gates = self.recurrence.product(tf.concat([x, h], axis=-1), kernel) + bias + extra
            states[place:place + 2] = cell(gates, c)
            out = tf.reshape(states[place + 1], [2, self.batch, -1])
            found[name] = out * read[name]
            return found[name]

        # The previous output is a sigmoid already, and goes through another one, as in the original.
        top = layer("encoder/layer1", read["x"] - tf.sigmoid(previous), read["first"])
        for name in ENCODER[1:]:
            top = layer(name, top)
        kernel, bias = self.kernels["latent"]
        latent = self.recurrence.product(tf.reshape(top, [2 * self.batch, -1]), kernel) + bias
        mu, log_sigma = tf.split(latent, 2, axis=1)
        z = mu + tf.exp(log_sigma) * self.e  # one draw for all hours
        top = z = z if self.label is None else tf.concat([z, self.label], axis=1)
        for name in DECODER:
            top = layer(name, top)
        kernel, bias = self.kernels["output"]
        found["decoded"] = tf.sigmoid(self.recurrence.product(top, kernel) + bias)
        for name, value in (("mu", mu), ("log_sigma", log_sigma), ("z", z)):
            found[name] = tf.reshape(value, [2, self.batch, -1])
        return found, states

    def _by_stream(self, series: Tensors) -> Dict[str, Tensors]:
        result = {}  # type: Dict[str, Tensors]
        for index, stream in enumerate(STREAMS):
            result[stream] = collections.OrderedDict((name, transposed(value[:, index])) for name, value in series.items())
            result[stream]["decoded"] = result[stream]["decoded"][:, :, : self.config["channels"][stream]]
        return result


def widened(value: Any, width: int, axis: int) -> Any:
    """Return a tensor with zeros added behind along one axis."""
    padding = [[0, 0] for _ in value.shape]
    padding[axis][1] = width - value.shape[axis]
    return tf.pad(value, padding)
