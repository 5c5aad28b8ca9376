"""Both VAEs hour by hour: what was decoded an hour ago is part of the encoder's input.

The streams go side by side, [2, batch, ...]; the layers that they share see them as 2 batch rows.
"""

from __future__ import annotations

from typing import Any, List, Sequence, Tuple

import tensorflow.compat.v1 as tf

from backends.ports.tf1.ehr_mgan import lstm
from backends.ports.tf1.ehr_mgan.networks import LAYERS, STREAMS, Networks

#: What an hour computes, in this order.
VALUES = (
    "encoder/layer1",
    "encoder/layer2",
    "encoder/layer3",
    "mu",
    "log_sigma",
    "z",
    "decoder/layer1",
    "decoder/layer2",
    "decoder/layer3",
    "decoded",
)
#: Tensors of the states of an hour: c and h of six layers.
STATES = 12


def run(networks: Networks) -> None:
    """Run both VAEs over all hours, and record their values."""
    config, batch = networks.config, networks.batch
    cells = Cells(networks)
    widths = 3 * [config["encoder_units"]] + 2 * [config["latent"]]
    widths += [config["latent"] + (networks.label is not None)]
    widths += 3 * [config["decoder_units"]] + [cells.channels]
    kept = [
        tf.TensorArray(networks.dtype, networks.hours, element_shape=[2 * batch, width])
        for width in widths
    ]
    inputs = [lstm.unstack(series) for series in cells.series()]
    start = [tf.constant(0), tf.zeros([2, batch, cells.channels], networks.dtype)]
    start += cells.zero_states()

    def hour(t: Any, previous: Any, *rest: Any) -> Tuple[Any, ...]:
        states, kept = list(rest[:STATES]), rest[STATES:]
        values = cells.hour([array.read(t) for array in inputs], previous, states)
        flat = [tf.reshape(value, [2 * batch, -1]) for value in values]
        written = [array.write(t, value) for array, value in zip(kept, flat)]
        return (t + 1, values[-1], *states, *written)

    result = tf.while_loop(
        lambda t, *_: t < networks.hours, hour, start + kept, parallel_iterations=1
    )
    written = result[2 + STATES :]
    halves = [tf.split(lstm.stack(array, networks.hours), 2, axis=1) for array in written]
    for index, stream in enumerate(STREAMS):
        for name, half in zip(VALUES, halves):
            value = half[index]
            if name == "decoded":
                value = value[:, :, : config["channels"][stream]]
            networks.record[f"{stream}/{name}"] = value


class Cells:
    """One hour of both VAEs: everything that the loop needs, prepared before it."""

    def __init__(self, networks: Networks) -> None:
        self.networks, self.product, self.dtype = networks, networks.product, networks.dtype
        config, weight = networks.config, networks.weight
        self.batch, self.units = networks.batch, (config["encoder_units"], config["decoder_units"])
        self.widths = [config["channels"][stream] for stream in STREAMS]
        self.channels = max(self.widths)
        self.rows = [width + (networks.label is not None) for width in self.widths]
        self.weight = weight
        self.layers = [
            self._own("encoder/layer1"),
            self._own("encoder/layer2"),
            self._shared("encoder/layer3"),
            self._shared("decoder/layer1"),
            self._own("decoder/layer2"),
            self._own("decoder/layer3"),
        ]
        kernel = tf.concat([weight(f"vae/shared/{name}/kernel") for name in ("mu", "sigma")], -1)
        bias = tf.concat([weight(f"vae/shared/{name}/bias") for name in ("mu", "sigma")], -1)
        self.sampling = self.product.rounded(kernel), bias
        self.output = self._output()
        self.e = tf.concat([networks.noise["e/" + stream] for stream in STREAMS], axis=0)
        self.label = None if networks.label is None else tf.tile(networks.label[0], [2, 1])

    def _own(self, name: str) -> Tuple[List[Any], Any]:
        """Return the kernels and biases of a layer that each stream has for itself."""
        kernels = [self.weight(f"vae/{stream}/{name}/kernel") for stream in STREAMS]
        if name == "encoder/layer1":
            kernels = [
                self._fed_back(kernel, rows, width)
                for kernel, rows, width in zip(kernels, self.rows, self.widths)
            ]
        biases = [lstm.forget_bias(self.weight(f"vae/{stream}/{name}/bias")) for stream in STREAMS]
        return [self.product.rounded(kernel) for kernel in kernels], tf.stack(biases)[:, None]

    def _fed_back(self, kernel: Any, rows: int, width: int) -> Any:
        """Return the first layer's kernel without the data's part, which is projected for all hours
        at once."""
        padded = tf.pad(kernel[rows : rows + width], [[0, self.channels - width], [0, 0]])
        return tf.concat([padded, kernel[rows + width :]], axis=0)

    def _shared(self, name: str) -> Tuple[Any, Any]:
        """Return the kernel and the bias of a layer that the streams share."""
        kernel = self.product.rounded(self.weight(f"vae/shared/{name}/kernel"))
        return kernel, lstm.forget_bias(self.weight(f"vae/shared/{name}/bias"))

    def _output(self) -> Tuple[List[Any], Any]:
        """Return the kernels and biases of the output layers."""
        kernels, biases = [], []
        padding = [[0, self.channels - width] for width in self.widths]
        for stream, pad in zip(STREAMS, padding):
            kernel = tf.pad(self.weight(f"vae/{stream}/output/kernel"), [[0, 0], pad])
            kernels.append(self.product.rounded(kernel))
        for stream, pad in zip(STREAMS, padding):
            biases.append(tf.pad(self.weight(f"vae/{stream}/output/bias"), [pad]))
        return kernels, tf.stack(biases)[:, None]

    def series(self) -> List[Any]:
        """Return what each hour reads: the data, the projection of it, and the six layers'
        dropout."""
        networks, projected = self.networks, []
        padded = [
            tf.pad(networks.series[stream], [[0, 0], [0, 0], [0, self.channels - width]])
            for stream, width in zip(STREAMS, self.widths)
        ]
        series = [tf.stack(padded, axis=1)]
        for stream, rows in zip(STREAMS, self.rows):
            kernel = networks.weight(f"vae/{stream}/encoder/layer1/kernel")[:rows]
            x = tf.reshape(networks.labelled(networks.series[stream]), [-1, rows])
            projected.append(tf.reshape(self.product(x, kernel), [networks.hours, self.batch, -1]))
        series.append(tf.stack(projected, axis=1) + self.layers[0][1])
        for network, shared in (("encoder", 3), ("decoder", 1)):
            for number in LAYERS:
                masks = [networks.mask(f"{network}/{stream}/layer{number}") for stream in STREAMS]
                join = tf.concat if number == shared else tf.stack
                series.append(join(masks, axis=1))
        return series

    def zero_states(self) -> List[Any]:
        """Return c and h of the six layers at the first hour."""
        shapes = []
        for index in range(6):
            units = self.units[index // 3]
            rows = [2 * self.batch] if index in (2, 3) else [2, self.batch]
            shapes += 2 * [rows + [units]]
        return [tf.zeros(shape, self.dtype) for shape in shapes]

    def _times(self, x: Any, kernel: Any) -> Any:
        """Return x times a shared layer's kernel, or each stream times its own. Two products: with
        one product of batches a phase of the VAEs took 30 ms, not 24 (TF 1.15), and 30 ms, not 21
        (2.21), at `small`."""
        if not isinstance(kernel, list):
            return self.product(x, kernel)
        return tf.stack([self.product(rows, own) for rows, own in zip(tf.unstack(x), kernel)])

    def hour(self, inputs: Sequence[Any], previous: Any, states: List[Any]) -> List[Any]:
        """Return the `VALUES` of one hour, and put the new states into `states`.

        Args:
            inputs: one hour of each of `series`. previous: what was decoded an hour ago.
            states: c and h of the six layers.
        """
        x, projected, masks = inputs[0], inputs[1], inputs[2:]

        def step(index: int, x: Any, added: Any = None) -> Any:
            kernel, bias = self.layers[index]
            c, h = states[2 * index : 2 * index + 2]
            product = self._times(tf.concat([x, h], axis=-1), kernel)
            c, h = lstm.cell(product + (bias if added is None else added), c)
            states[2 * index : 2 * index + 2] = c, h
            return h * masks[index]  # dropout of the output; the state is not dropped

        # `previous` is a sigmoid already: a double sigmoid, as in the original.
        first = step(0, x - tf.sigmoid(previous), projected)
        second = step(1, first)
        third = step(2, tf.reshape(second, [2 * self.batch, -1]))
        mu, s = tf.split(self.product(third, self.sampling[0]) + self.sampling[1], 2, axis=1)
        z = mu + tf.exp(s) * self.e  # one e for all hours, as in the original
        if self.label is not None:
            z = tf.concat([z, self.label], axis=1)
        fourth = step(3, z)
        fifth = step(4, tf.reshape(fourth, [2, self.batch, -1]))
        sixth = step(5, fifth)
        decoded = tf.sigmoid(self._times(sixth, self.output[0]) + self.output[1])
        return [first, second, third, mu, s, z, fourth, fifth, sixth, decoded]
