"""The networks of EHR-M-GAN, time first: series are [hours, batch, channels] here and [batch,
hours, channels] outside."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

import tensorflow.compat.v1 as tf

from backends.ports.tf1.ehr_mgan import fused, lstm

STREAMS = ("continuous", "discrete")
LAYERS = (1, 2, 3)

Tensors = Dict[str, Any]


class Product:
    """Matrix products in the dtype of contractions; operands and results are in the master dtype.

    Attributes:
        observed: the dtype of the last product by the framework's account.
    """

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        self.observed = ""

    def __call__(self, a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
        found = tf.matmul(
            tf.cast(a, self.dtype),
            tf.cast(b, self.dtype),
            transpose_a=transpose_a,
            transpose_b=transpose_b,
        )
        self.observed = found.dtype.name
        return tf.cast(found, a.dtype)

    def rounded(self, kernel: Any) -> Any:
        """Return a kernel rounded to the low dtype, for the products of a loop: what is rounded
        before it has its gradient rounded after it. The sum over the hours then overflows where one
        product over all hours does, and the same updates are skipped.
        """
        return (
            kernel
            if kernel.dtype.base_dtype == self.dtype
            else tf.cast(tf.cast(kernel, self.dtype), kernel.dtype)
        )


def swapped(series: Any) -> Any:
    """Return a series with its first two axes, hours and batch, exchanged."""
    return tf.transpose(series, [1, 0, 2])


class Networks:
    """All networks on one batch.

    Attributes:
        series: the data by stream, time first. label: float [1, batch, 1] in the conditional
            variant, else None.
        record: what was computed, by name, time first.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        weight: Callable[[str], Any],
        arrays: Tensors,
        noise: Tensors,
        product: Product,
    ) -> None:
        self.config, self.weight, self.noise, self.product = config, weight, noise, product
        self.record: Tensors = {}
        self._judged: Dict[Tuple[str, Sequence[str]], List[Tuple[Any, Any]]] = {}
        self.hours, self.batch = config["hours"], config["batch"]
        self.series = {stream: swapped(arrays[stream]) for stream in STREAMS}
        self.dtype = self.series[STREAMS[0]].dtype
        self.label = tf.cast(arrays["label"], self.dtype)[None] if config["conditional"] else None

    def dense(self, name: str, x: Any) -> Any:
        """Return x [..., inputs] times a layer's kernel plus its bias."""
        shape = x.shape.as_list()
        found = self.product(
            tf.reshape(x, [-1, shape[-1]]), self.weight(name + "/kernel")
        ) + self.weight(name + "/bias")
        return tf.reshape(found, shape[:-1] + found.shape.as_list()[-1:])

    def mask(self, site: str) -> Any:
        """Return the factors of one layer's output dropout, [hours, batch, units]."""
        return swapped(self.noise[site]) / self.config["keep"]

    def labelled(self, x: Any) -> Any:
        """Return a series with the label appended at every hour, where there is one."""
        if self.label is None:
            return x
        return tf.concat([x, tf.tile(self.label, [self.hours, 1, 1])], axis=2)

    # -- VAE ---------------------------------------------------------------------------------------

    def vae(self) -> None:
        """Run both VAEs hour by hour: what was decoded an hour ago is part of the encoder's input.

        The streams go side by side, [2, batch, ...]; the layers that they share see them as 2 batch
        rows.
        """
        config, batch = self.config, self.batch
        cells = VaeCells(self)
        names = ["encoder/layer1", "encoder/layer2", "encoder/layer3", "mu", "log_sigma", "z"]
        names += ["decoder/layer1", "decoder/layer2", "decoder/layer3", "decoded"]
        widths = (
            3 * [config["encoder_units"]]
            + 2 * [config["latent"]]
            + [config["latent"] + (self.label is not None)]
        )
        widths += 3 * [config["decoder_units"]] + [cells.channels]
        kept = [
            tf.TensorArray(self.dtype, self.hours, element_shape=[2 * batch, width])
            for width in widths
        ]
        given = [lstm.unstack(series) for series in cells.series()]
        start = [
            tf.constant(0),
            tf.zeros([2, batch, cells.channels], self.dtype),
        ] + cells.zero_states()

        def hour(t: Any, previous: Any, *rest: Any) -> Tuple[Any, ...]:
            states, kept = list(rest[:12]), rest[12:]
            values = cells.hour([array.read(t) for array in given], previous, states)
            flat = [tf.reshape(value, [2 * batch, -1]) for value in values]
            written = [array.write(t, value) for array, value in zip(kept, flat)]
            return tuple([t + 1, values[-1]] + states + written)

        found = tf.while_loop(
            lambda t, *_: t < self.hours, hour, start + kept, parallel_iterations=1
        )[14:]
        halves = [tf.split(lstm.stack(array, self.hours), 2, axis=1) for array in found]
        for place, stream in enumerate(STREAMS):
            for name, half in zip(names, halves):
                value = half[place]
                self.record[f"{stream}/{name}"] = (
                    value[:, :, : config["channels"][stream]] if name == "decoded" else value
                )

    # -- generators --------------------------------------------------------------------------------

    def latents(self) -> None:
        """Run the two coupled generators layer by layer; there is no way back from a layer to the
        one below.

        Both streams are one recurrent layer of twice the units: [h_C, h_D] times [[U_C, V_D], [V_C,
        U_D]] is what each gate gets from its own stream and from the other's hour before. No biases
        and no forget bias, as in the original.
        """
        units = self.config["generator_units"]
        x = {
            stream: self.labelled(swapped(self.noise["generator/" + stream])) for stream in STREAMS
        }
        for number in LAYERS:
            w, u, v = [
                [self._gates(f"generator/{stream}/layer{number}/{matrix}") for stream in STREAMS]
                for matrix in "WUV"
            ]
            columns = [tf.concat([u[0], v[0]], axis=0), tf.concat([v[1], u[1]], axis=0)]
            zero = tf.zeros([self.batch, 2 * units], self.dtype)
            sides = [x[stream] for stream in STREAMS]
            bias = tf.zeros([8 * units], self.dtype)
            if lstm.single(self.product, zero) and 2 * units <= lstm.NARROW:
                found = fused.narrow(
                    tf.concat(sides, axis=2), fused.block(w, columns), bias, (zero, zero), 0.0
                )
            elif lstm.single(self.product, zero):
                found = fused.wide(sides, w, columns, bias, (zero, zero))
            else:
                kernel = tf.cast(
                    tf.reshape(tf.concat(columns, axis=2), [2 * units, 8 * units]),
                    self.product.dtype,
                )
                found = lstm.scan(self._projected(sides, w), kernel, (zero, zero))
            x = dict(zip(STREAMS, tf.split(found, 2, axis=2)))
            for stream in reversed(STREAMS):
                self.record[f"generator/{stream}/layer{number}"] = x[stream]
        for stream in reversed(STREAMS):
            self.record[f"generator/{stream}/latent"] = tf.sigmoid(
                self.dense(f"generator/{stream}/output", x[stream])
            )

    def _projected(self, sides: Sequence[Any], matrices: Sequence[Any]) -> Any:
        """Return both streams' inputs times their matrices [inputs, 4, units], side by side for
        each gate."""
        found = []
        for x, matrix in zip(sides, matrices):
            inputs, gates, units = matrix.shape.as_list()
            product = self.product(
                tf.reshape(x, [-1, inputs]), tf.reshape(matrix, [inputs, gates * units])
            )
            found.append(tf.reshape(product, [self.hours, self.batch, gates, units]))
        return tf.reshape(tf.concat(found, axis=3), [self.hours, self.batch, -1])

    def _gates(self, name: str) -> Any:
        """Return a bilateral cell's matrix [inputs, 4 units] as [inputs, 4, units], gates i, f, o,
        c put in the order of `lstm`."""
        matrix = self.weight(name)
        rows, columns = matrix.shape.as_list()
        i, f, o, candidate = tf.split(matrix, 4, axis=1)
        return tf.reshape(tf.concat([i, candidate, f, o], axis=1), [rows, 4, columns // 4])

    def decode(self, stream: str) -> None:
        """Decode one stream's generated latents; dropout is on in generation too, as in the
        original."""
        x = self.labelled(self.record[f"generator/{stream}/latent"])
        zero = tf.zeros([self.batch, self.config["decoder_units"]], self.dtype)
        for number, owner in zip(LAYERS, ("shared", stream, stream)):
            name = f"vae/{owner}/decoder/layer{number}"
            x = lstm.layer(
                x,
                self.weight(name + "/kernel"),
                self.weight(name + "/bias"),
                (zero, zero),
                self.product,
            )
            x = x * self.mask(f"generated/{stream}/layer{number}")
            self.record[f"generated/{stream}/layer{number}"] = x
        self.record[f"generated/{stream}/decoded"] = tf.sigmoid(
            self.dense(f"vae/{stream}/output", x)
        )

    # -- discriminators ----------------------------------------------------------------------------

    def discriminate(self, stream: str, sides: Sequence[str]) -> List[Tuple[Any, Any]]:
        """Return for each side, `real` or `fake`, the logit [batch, 1] and the last layer's dropped
        outputs; the sides are one batch.

        The initial states are weights, as in the original.
        """
        if (stream, sides) in self._judged:
            return self._judged[stream, sides]
        series = {"real": self.series[stream], "fake": self.record[f"generated/{stream}/decoded"]}
        x, outputs = tf.concat([series[side] for side in sides], axis=1), []
        for number in LAYERS:
            name = f"discriminator/{stream}/layer{number}"
            c, h = [
                tf.tile(self.weight(f"{name}/initial_{state}"), [len(sides) * self.batch, 1])
                for state in "ch"
            ]
            x = lstm.layer(
                x, self.weight(name + "/kernel"), self.weight(name + "/bias"), (c, h), self.product
            )
            x = x * tf.concat(
                [self.mask(f"{side}/{stream}/layer{number}") for side in sides], axis=1
            )
            outputs.append(tf.split(x, len(sides), axis=1))
        flat = tf.reshape(swapped(x), [len(sides) * self.batch, -1])
        logits = tf.split(self.dense(f"discriminator/{stream}/logit", flat), len(sides))
        for place, side in enumerate(sides):
            for number, values in zip(LAYERS, outputs):
                self.record[f"discriminator/{stream}/{side}/layer{number}"] = values[place]
            self.record[f"discriminator/{stream}/{side}/logit"] = logits[place]
        self._judged[stream, sides] = list(zip(logits, outputs[-1]))
        return self._judged[stream, sides]


class VaeCells:
    """One hour of both VAEs: everything that the loop needs, prepared before it."""

    def __init__(self, networks: Networks) -> None:
        self.networks, self.product, self.dtype = networks, networks.product, networks.dtype
        config, weight = networks.config, networks.weight
        self.batch, self.units = networks.batch, (config["encoder_units"], config["decoder_units"])
        self.widths = [config["channels"][stream] for stream in STREAMS]
        self.channels = max(self.widths)
        self.rows = [width + (networks.label is not None) for width in self.widths]

        def own(name: str) -> Tuple[Any, Any]:
            kernels = [weight(f"vae/{stream}/{name}/kernel") for stream in STREAMS]
            if (
                name == "encoder/layer1"
            ):  # its input is in two parts: the data's is projected for all hours at once
                kernels = [
                    tf.concat(
                        [
                            tf.pad(
                                kernel[rows : rows + width], [[0, self.channels - width], [0, 0]]
                            ),
                            kernel[rows + width :],
                        ],
                        axis=0,
                    )
                    for kernel, rows, width in zip(kernels, self.rows, self.widths)
                ]
            biases = [lstm.forget_bias(weight(f"vae/{stream}/{name}/bias")) for stream in STREAMS]
            return [self.product.rounded(kernel) for kernel in kernels], tf.stack(biases)[:, None]

        def shared(name: str) -> Tuple[Any, Any]:
            return self.product.rounded(weight(f"vae/shared/{name}/kernel")), lstm.forget_bias(
                weight(f"vae/shared/{name}/bias")
            )

        self.layers = [
            own("encoder/layer1"),
            own("encoder/layer2"),
            shared("encoder/layer3"),
            shared("decoder/layer1"),
            own("decoder/layer2"),
            own("decoder/layer3"),
        ]
        self.sampling = [
            tf.concat([weight(f"vae/shared/{name}/{part}") for name in ("mu", "sigma")], axis=-1)
            for part in ("kernel", "bias")
        ]
        self.sampling[0] = self.product.rounded(self.sampling[0])
        padding = [[0, self.channels - width] for width in self.widths]
        self.output = [
            [
                self.product.rounded(tf.pad(weight(f"vae/{stream}/output/kernel"), [[0, 0], pad]))
                for stream, pad in zip(STREAMS, padding)
            ],
            tf.stack(
                [
                    tf.pad(weight(f"vae/{stream}/output/bias"), [pad])
                    for stream, pad in zip(STREAMS, padding)
                ]
            )[:, None],
        ]
        self.e = tf.concat([networks.noise["e/" + stream] for stream in STREAMS], axis=0)
        self.label = None if networks.label is None else tf.tile(networks.label[0], [2, 1])

    def series(self) -> List[Any]:
        """Return what each hour reads: the data, the projection of it, and the six layers'
        dropout."""
        networks, found = self.networks, []
        padded = [
            tf.pad(networks.series[stream], [[0, 0], [0, 0], [0, self.channels - width]])
            for stream, width in zip(STREAMS, self.widths)
        ]
        found.append(tf.stack(padded, axis=1))
        projected = []
        for stream, rows in zip(STREAMS, self.rows):
            kernel = networks.weight(f"vae/{stream}/encoder/layer1/kernel")[:rows]
            x = tf.reshape(networks.labelled(networks.series[stream]), [-1, rows])
            projected.append(tf.reshape(self.product(x, kernel), [networks.hours, self.batch, -1]))
        found.append(tf.stack(projected, axis=1) + self.layers[0][1])
        for network, together in (("encoder", (3,)), ("decoder", (1,))):
            for number in LAYERS:
                masks = [networks.mask(f"{network}/{stream}/layer{number}") for stream in STREAMS]
                found.append(
                    tf.concat(masks, axis=1) if number in together else tf.stack(masks, axis=1)
                )
        return found

    def zero_states(self) -> List[Any]:
        """Return c and h of the six layers at the first hour."""
        shapes = []
        for index in range(6):
            units = self.units[index // 3]
            shapes += 2 * [[2 * self.batch, units] if index in (2, 3) else [2, self.batch, units]]
        return [tf.zeros(shape, self.dtype) for shape in shapes]

    def _times(self, x: Any, kernel: Any) -> Any:
        """Return x times a shared layer's kernel, or each stream times its own. Two products: with
        one product of batches a phase of the VAEs took 30 ms, not 24 (TF 1.15), and 30 ms, not 21
        (2.21), at `small`."""
        if not isinstance(kernel, list):
            return self.product(x, kernel)
        return tf.stack([self.product(one, own) for one, own in zip(tf.unstack(x), kernel)])

    def hour(self, given: Sequence[Any], previous: Any, states: List[Any]) -> List[Any]:
        """Return all values of one hour in the order in which they are computed, and put the new
        states into `states`."""
        x, projected, masks = given[0], given[1], given[2:]

        def step(index: int, x: Any, added: Any = None) -> Any:
            kernel, bias = self.layers[index]
            c, h = states[2 * index : 2 * index + 2]
            gates = self._times(tf.concat([x, h], axis=-1), kernel) + (
                bias if added is None else added
            )
            states[2 * index : 2 * index + 2] = lstm.cell(gates, c)
            return (
                states[2 * index + 1] * masks[index]
            )  # dropout of the output; the state is not dropped

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
