"""The loop of the VAEs over the hours, with its gradient written out.

What the gradient needs of the nonlinearities is computed for all hours at once, and so are the
gradients of the kernels; its loop keeps a third of the operations of the one that TensorFlow would
derive.
"""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

import tensorflow as tf

from backends.ports.tf2.ehr_mgan.lstm import Recurrence, cell, cell_slopes

#: The LSTM cells from the input up; these see both streams as one batch; and all steps of an hour
#: that have weights.
LSTMS = [
    "encoder/layer1",
    "encoder/layer2",
    "encoder/layer3",
    "decoder/layer1",
    "decoder/layer2",
    "decoder/layer3",
]
SHARED = ("encoder/layer3", "decoder/layer1")
STEPS = LSTMS + ["latent", "output"]

Tensors = Dict[str, Any]


class Constants:
    """What the loop reads and nothing is differentiated by.

    Attributes:
        x: [hours, 2, batch, width]. masks: the factors of dropout by layer. e: [2 batch, latent].
        label: [2 batch, 1], or None.
    """

    def __init__(self, x: Any, masks: Tensors, e: Any, label: Any) -> None:
        self.x, self.masks, self.e, self.label = x, masks, e, label


class Loop:
    """Runs over the hours of one batch."""

    def __init__(self, recurrence: Recurrence, constants: Constants) -> None:
        self.recurrence, self.constants = recurrence, constants
        self.hours, _, self.batch, self.width = constants.x.shape

    def run(self, weights: Sequence[Any]) -> Tuple[Any, Any, List[Any]]:
        """Return [mu, s] and what is decoded of all hours, and the LSTMs' h, through which no
        gradient goes.

        Args:
            weights: kernel and bias of each of `STEPS`, one after another; the first layer's bias
                is a series.
        """

        @tf.custom_gradient
        def run(*weights: Any) -> Any:
            steps = paired(weights)
            series = self._forwards(
                {name: (apart(kernel), bias) for name, (kernel, bias) in steps.items()}
            )

            def gradient(*upstream: Any) -> List[Any]:
                return self._gradient(steps, series, *upstream[:2])

            outputs = [series["h/" + name] for name in LSTMS]
            return (series["latent"], series["output"], *outputs), gradient

        latent, decoded, *outputs = run(*weights)
        return latent, decoded, outputs

    def _grouped(self, name: str, value: Any) -> Any:
        """Return rows as a step sees them: both streams as one batch, or side by side."""
        return tf.reshape(value, self._rows(name) + [value.shape[-1]])

    def _rows(self, name: str) -> List[int]:
        return [2 * self.batch] if name in SHARED or name == "latent" else [2, self.batch]

    def _arrays(self, series: Tensors) -> Dict[str, Any]:
        return {
            name: tf.TensorArray(self.recurrence.master, self.hours).unstack(value)
            for name, value in series.items()
        }

    def _empty(self) -> Any:
        return tf.TensorArray(self.recurrence.master, self.hours)

    # -- forwards ----------------------------------------------------------------------------------

    def _forwards(self, weights: Dict[str, Tuple[Any, Any]]) -> Tensors:
        """Return the series of `latent` and `output`, and `gates/`, `c/` and `h/` of each LSTM."""
        arrays = self._arrays(
            dict(self.constants.masks, x=self.constants.x, first=weights[LSTMS[0]][1])
        )
        zero = {}
        for name in LSTMS:
            units = weights[name][1].shape[-1] // 4
            zero[name] = tf.zeros(self._rows(name) + [units], self.recurrence.master)
        kept = ["latent", "output"]
        for name in LSTMS:
            kept += ["gates/" + name, "c/" + name]

        def body(hour: Any, previous: Any, states: Tensors, series: Tensors) -> Tuple[Any, ...]:
            read = {name: array.read(hour) for name, array in arrays.items()}
            values, states = self._hour(weights, read, previous, states)
            following = hour + 1
            written = {name: series[name].write(hour, values[name]) for name in kept}
            return following, values["output"], states, written

        previous = tf.zeros([2, self.batch, self.width], self.recurrence.master)
        first = (
            tf.constant(0),
            previous,
            {name: (value, value) for name, value in zero.items()},
            {name: self._empty() for name in kept},
        )
        _, _, _, written = tf.while_loop(
            lambda hour, *_: hour < self.hours, body, first, maximum_iterations=self.hours
        )
        series = {name: array.stack() for name, array in written.items()}
        for name in LSTMS:
            top = tf.sigmoid(tf.split(series["gates/" + name], 4, axis=-1)[3])
            series["h/" + name] = top * tf.tanh(series["c/" + name])
        return series

    def _hour(self, weights: Any, read: Tensors, previous: Any, states: Any) -> Tuple[Tensors, Any]:
        """Return what one hour computes, and the new (c, h) of each LSTM."""
        product, label = self.recurrence.product, self.constants.label
        values: Tensors = {}
        after: Dict[str, Tuple[Any, Any]] = {}
        # The previous output is a sigmoid already, and goes through another one, as in the
        # original.
        top = read["x"] - tf.sigmoid(previous)
        for name in LSTMS:
            if name == "decoder/layer1":
                kernel, bias = weights["latent"]
                values["latent"] = product(self._grouped("latent", top), kernel) + bias
                mu, log_sigma = tf.split(values["latent"], 2, axis=1)
                top = mu + tf.exp(log_sigma) * self.constants.e
                if label is not None:
                    top = tf.concat([top, label], axis=1)
            kernel, bias = weights[name]
            c, h = states[name]
            entering = tf.concat([self._grouped(name, top), h], axis=-1)
            gates = product(entering, kernel) + (read["first"] if name == LSTMS[0] else bias)
            c, h = after[name] = cell(gates, c)
            values["gates/" + name], values["c/" + name], top = gates, c, h * read[name]
        kernel, bias = weights["output"]
        values["output"] = tf.sigmoid(product(top, kernel) + bias)
        return values, after

    # -- backwards ---------------------------------------------------------------------------------

    def _gradient(self, weights: Any, series: Tensors, latent: Any, output: Any) -> List[Any]:
        """Return the gradients of all kernels and biases.

        Args:
            weights: kernel and bias of each step. series: of `_forwards`.
            latent, output: the gradients of those series.
        """
        moves = self._backwards(weights, series, latent, output)
        gradients = []
        for name, inputs in self._inputs(series).items():
            rows = stacked_rows(moves[name])
            shared = rows.shape.rank == 2
            bias = moves[name]
            if name != LSTMS[0]:
                bias = tf.reduce_sum(rows, axis=-2, keepdims=not shared)
            kernel = self.recurrence.product(stacked_rows(inputs, transposed=True), apart(rows))
            gradients += [kernel, bias]
        return gradients

    def _inputs(self, series: Tensors) -> Tensors:
        """Return what each step multiplied with its kernel, for all hours."""
        masks, label = self.constants.masks, self.constants.label
        inputs: Tensors = {}
        top = self.constants.x - tf.sigmoid(earlier(series["output"]))
        for name in LSTMS:
            if name == "decoder/layer1":
                latent = top
                mu, log_sigma = tf.split(series["latent"], 2, axis=2)
                top = mu + tf.exp(log_sigma) * self.constants.e
                if label is not None:
                    top = tf.concat([top, tf.broadcast_to(label, top.shape[:2] + [1])], axis=2)
            h = series["h/" + name]
            entering = tf.reshape(top, h.shape[:-1] + [top.shape[-1]])
            inputs[name] = tf.concat([entering, earlier(h)], axis=-1)
            top = h * masks[name]
        return dict(inputs, latent=latent, output=top)

    def _backwards(self, weights: Any, series: Tensors, latent: Any, output: Any) -> Tensors:
        """Return the gradient of what each step adds its bias to, for all hours."""
        decoded, log_sigma = series["output"], tf.split(series["latent"], 2, axis=2)[1]
        again = tf.sigmoid(earlier(decoded))
        noise = tf.exp(log_sigma) * self.constants.e
        factors = dict(
            self.constants.masks,
            above_latent=latent,
            above_output=output,
            to_output=decoded * (1.0 - decoded),
            to_latent=tf.concat([tf.ones_like(noise), noise], axis=2),
            to_previous=-again * (1.0 - again),
        )
        for name in LSTMS:
            gates, c = series["gates/" + name], series["c/" + name]
            slopes, to_cell, kept = cell_slopes(gates, earlier(c), c)
            factors["slopes/" + name] = slopes
            factors["to_cell/" + name] = to_cell
            factors["kept/" + name] = kept
        arrays = self._arrays(factors)
        across = {name: apart(tf.linalg.matrix_transpose(weights[name][0])) for name in STEPS}

        def body(hour: Any, previous: Any, states: Any, moves: Tensors) -> Tuple[Any, ...]:
            read = {name: array.read(hour) for name, array in arrays.items()}
            values, previous, states = self._hour_back(across, read, previous, states)
            before = hour - 1
            written = {name: moves[name].write(hour, values[name]) for name in STEPS}
            return before, previous, states, written

        zero = {name: tf.zeros_like(series["c/" + name][0]) for name in LSTMS}
        first = (
            tf.constant(self.hours - 1),
            tf.zeros_like(decoded[0]),
            {name: (value, value) for name, value in zero.items()},
            {name: self._empty() for name in STEPS},
        )
        _, _, _, moves = tf.while_loop(
            lambda hour, *_: hour >= 0, body, first, maximum_iterations=self.hours
        )
        return {name: array.stack() for name, array in moves.items()}

    def _hour_back(
        self, across: Tensors, read: Tensors, previous: Any, states: Any
    ) -> Tuple[Tensors, Any, Any]:
        """Return the gradients of one hour: of each step's sums, of the hour before's output, of
        the states before."""
        product, moves, after = self.recurrence.product, {}, {}
        moves["output"] = (read["above_output"] + previous) * read["to_output"]
        down = product(moves["output"], across["output"])
        for name in reversed(LSTMS):
            dc, dh = states[name]
            dh += self._grouped(name, down) * read[name]
            dc += dh * read["to_cell/" + name]
            moves[name] = tf.concat([dc, dc, dc, dh], axis=-1) * read["slopes/" + name]
            below = product(moves[name], across[name])
            units = dc.shape[-1]
            down = below[..., :-units]
            after[name] = dc * read["kept/" + name], below[..., -units:]
            if name == "decoder/layer1":
                down = down[:, : self.constants.e.shape[1]]  # without the label
                moves["latent"] = (
                    read["above_latent"] + tf.concat([down, down], axis=1) * read["to_latent"]
                )
                down = product(moves["latent"], across["latent"])
        return moves, down * read["to_previous"], after


def paired(weights: Sequence[Any]) -> Dict[str, Tuple[Any, Any]]:
    """Return kernel and bias of each step by name."""
    return dict(zip(STEPS, zip(weights[::2], weights[1::2])))


def apart(kernel: Any) -> Any:
    """Return the streams' matrices as a tuple, one that they share as it is."""
    return tuple(tf.unstack(kernel)) if kernel.shape.rank == 3 else kernel


def earlier(series: Any) -> Any:
    """Return a series one hour later: zeros first, and without its end."""
    return tf.concat([tf.zeros_like(series[:1]), series[:-1]], axis=0)


def stacked_rows(series: Any, transposed: bool = False) -> Any:
    """Return the rows of all hours as one matrix, or one for each stream; `transposed` if need
    be."""
    if series.shape.rank == 3:
        rows = tf.reshape(series, [-1, series.shape[-1]])
    else:
        rows = tf.reshape(tf.transpose(series, [1, 0, 2, 3]), [2, -1, series.shape[-1]])
    return tf.linalg.matrix_transpose(rows) if transposed else rows
