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
        result = tf.matmul(
            tf.cast(a, self.dtype),
            tf.cast(b, self.dtype),
            transpose_a=transpose_a,
            transpose_b=transpose_b,
        )
        self.observed = result.dtype.name
        return tf.cast(result, a.dtype)

    def rounded(self, kernel: Any) -> Any:
        """Return a kernel rounded to the low dtype, for the products of a loop: what is rounded
        before it has its gradient rounded after it. The sum over the hours then overflows where one
        product over all hours does, and the same updates are skipped.
        """
        if kernel.dtype.base_dtype == self.dtype:
            return kernel
        return tf.cast(tf.cast(kernel, self.dtype), kernel.dtype)


def transposed(series: Any) -> Any:
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
        self.series = {stream: transposed(arrays[stream]) for stream in STREAMS}
        self.dtype = self.series[STREAMS[0]].dtype
        self.label: Any = None
        if config["conditional"]:
            self.label = tf.cast(arrays["label"], self.dtype)[None]

    def dense(self, name: str, x: Any) -> Any:
        """Return x [..., inputs] times a layer's kernel plus its bias."""
        shape = x.shape.as_list()
        product = self.product(tf.reshape(x, [-1, shape[-1]]), self.weight(name + "/kernel"))
        result = product + self.weight(name + "/bias")
        return tf.reshape(result, shape[:-1] + result.shape.as_list()[-1:])

    def mask(self, site: str) -> Any:
        """Return the factors of one layer's output dropout, [hours, batch, units]."""
        return transposed(self.noise[site]) / self.config["keep"]

    def labelled(self, x: Any) -> Any:
        """Return a series with the label appended at every hour, where there is one."""
        if self.label is None:
            return x
        return tf.concat([x, tf.tile(self.label, [self.hours, 1, 1])], axis=2)

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
            stream: self.labelled(transposed(self.noise["generator/" + stream]))
            for stream in STREAMS
        }
        for number in LAYERS:
            w, u, v = [self._bilateral_kernels(number, matrix) for matrix in "WUV"]
            columns = [tf.concat([u[0], v[0]], axis=0), tf.concat([v[1], u[1]], axis=0)]
            zero = tf.zeros([self.batch, 2 * units], self.dtype)
            sides = [x[stream] for stream in STREAMS]
            bias = tf.zeros([8 * units], self.dtype)
            if lstm.single(self.product, zero) and 2 * units <= lstm.NARROW:
                together = tf.concat(sides, axis=2)
                h = fused.narrow(together, fused.block(w, columns), bias, (zero, zero), 0.0)
            elif lstm.single(self.product, zero):
                h = fused.wide(sides, w, columns, bias, (zero, zero))
            else:
                kernel = tf.reshape(tf.concat(columns, axis=2), [2 * units, 8 * units])
                kernel = tf.cast(kernel, self.product.dtype)
                h = lstm.scan(self._projected(sides, w), kernel, (zero, zero))
            x = dict(zip(STREAMS, tf.split(h, 2, axis=2)))
            for stream in reversed(STREAMS):
                self.record[f"generator/{stream}/layer{number}"] = x[stream]
        for stream in reversed(STREAMS):
            latent = self.dense(f"generator/{stream}/output", x[stream])
            self.record[f"generator/{stream}/latent"] = tf.sigmoid(latent)

    def _projected(self, sides: Sequence[Any], matrices: Sequence[Any]) -> Any:
        """Return both streams' inputs times their matrices [inputs, 4, units], side by side for
        each gate."""
        products = []
        for x, matrix in zip(sides, matrices):
            inputs, gates, units = matrix.shape.as_list()
            rows, flat = tf.reshape(x, [-1, inputs]), tf.reshape(matrix, [inputs, gates * units])
            product = self.product(rows, flat)
            products.append(tf.reshape(product, [self.hours, self.batch, gates, units]))
        return tf.reshape(tf.concat(products, axis=3), [self.hours, self.batch, -1])

    def _bilateral_kernels(self, layer: int, matrix: str) -> List[Any]:
        """Return the matrix `W`, `U` or `V` of both streams."""
        return [self._gates(f"generator/{stream}/layer{layer}/{matrix}") for stream in STREAMS]

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
            x = self._lstm(f"vae/{owner}/decoder/layer{number}", x, (zero, zero))
            x = x * self.mask(f"generated/{stream}/layer{number}")
            self.record[f"generated/{stream}/layer{number}"] = x
        decoded = self.dense(f"vae/{stream}/output", x)
        self.record[f"generated/{stream}/decoded"] = tf.sigmoid(decoded)

    def _lstm(self, name: str, x: Any, state: Tuple[Any, Any]) -> Any:
        """Return h at all hours of TF1's LSTM of a name."""
        kernel, bias = self.weight(name + "/kernel"), self.weight(name + "/bias")
        return lstm.layer(x, kernel, bias, state, self.product)

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
        rows = len(sides) * self.batch
        for number in LAYERS:
            name = f"discriminator/{stream}/layer{number}"
            c, h = [tf.tile(self.weight(f"{name}/initial_{state}"), [rows, 1]) for state in "ch"]
            x = self._lstm(name, x, (c, h))
            masks = [self.mask(f"{side}/{stream}/layer{number}") for side in sides]
            x = x * tf.concat(masks, axis=1)
            outputs.append(tf.split(x, len(sides), axis=1))
        flat = tf.reshape(transposed(x), [rows, -1])
        logits = tf.split(self.dense(f"discriminator/{stream}/logit", flat), len(sides))
        for index, side in enumerate(sides):
            for number, values in zip(LAYERS, outputs):
                self.record[f"discriminator/{stream}/{side}/layer{number}"] = values[index]
            self.record[f"discriminator/{stream}/{side}/logit"] = logits[index]
        self._judged[stream, sides] = list(zip(logits, outputs[-1]))
        return self._judged[stream, sides]
