"""LSTM cells and layers in the workload's layout (gates i, j, f, o in one kernel), time-major.

Two ways to compute the same layer. Where TensorFlow has its fused ops (float32 on the CPU, not
under XLA) it is one of `fused.py`. Else the projection of all hours is one product and a
`tf.while_loop` runs the recurrent part. In low precision the operands and results of products are
low, states and gates are not.
"""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
import tensorflow as tf

from backends.ports.tf2.ehr_mgan import fused

#: Added to the forget gate at run time, as TF1's LSTMCell does; no weight.
FORGET_BIAS = 1.0
#: Up to so many units TensorFlow's own gradient of the fused op is used; it multiplies the kernel's
#: hour by hour.
NARROW = 64


class Recurrence:
    """How layers are computed in one setting.

    Args:
        master: dtype of states and of everything but products.
        low: dtype of the operands and results of products.
        fused: whether the fused op is to be used.
        observed: takes the dtype that products have.
    """

    def __init__(self, master: Any, low: Any, fused: bool, observed: Dict[str, str]) -> None:
        self.master, self.low, self.fused, self.observed = master, low, fused, observed

    def product(self, a: Any, b: Any) -> Any:
        """Return a b, the operands in the low dtype. Of a stack of matrices each is multiplied with
        its own `b` of a tuple: TensorFlow's product of stacks takes three times as long on a CPU
        (46 us for two of 32 x 64 x 128, against 15).
        """
        if isinstance(b, tuple):
            return tf.stack([self.product(left, right) for left, right in zip(tf.unstack(a), b)])
        result = tf.matmul(tf.cast(a, self.low), tf.cast(b, self.low))
        self.observed["contraction"] = result.dtype.name
        return tf.cast(result, self.master)

    def projection(self, x: Any, kernel: Any) -> Any:
        """Return x times a kernel for all hours at once: [hours, batch, in] to [hours, batch,
        out]."""
        hours, batch, size = x.shape
        product = self.product(tf.reshape(x, [-1, size]), kernel)
        return tf.reshape(product, [hours, batch, kernel.shape[1]])

    def layer(self, x: Any, kernel: Any, bias: Any, state: Tuple[Any, Any]) -> Any:
        """Return h of all hours [hours, batch, units]; `kernel` [in + units, 4 units], `state` the
        first (c, h)."""
        units, inputs = bias.shape[0] // 4, x.shape[2]
        if self.fused and units <= NARROW:
            return fused.narrow(x, kernel, bias, state, FORGET_BIAS)
        matrix, recurrent = [
            tf.reshape(part, [-1, 4, units]) for part in (kernel[:inputs], kernel[inputs:])
        ]
        if self.fused:
            return fused.wide([x], [matrix], [recurrent], biased(bias), state)
        return self.scan(self.projection(x, kernel[:inputs]) + biased(bias), [recurrent], state)

    def scan(self, projected: Any, columns: Sequence[Any], state: Tuple[Any, Any]) -> Any:
        """Return h of all hours.

        The gradient is written out. What it needs of the gates' slopes is computed for all hours at
        once, and so is the gradient of the matrix: its loop has seven operations, where the derived
        one has forty and sums up a matrix an hour.

        Args:
            projected: the gates' share of the input, with the forget gate's constant in it.
            columns: blocks [units, gate, part of the units] that make up the recurrent matrix. Each
                has a gradient of its own, and none is computed for a block that stays as it is.
            state: the first (c, h).
        """

        @tf.custom_gradient
        def run(projected: Any, c: Any, h: Any, *columns: Any) -> Any:
            recurrent = joined([columns])
            gates, cs, hs = self._forwards(projected, recurrent, c, h)

            def gradient(upstream: Any) -> Tuple[Any, ...]:
                before = (
                    tf.concat([c[tf.newaxis], cs[:-1]], axis=0),
                    tf.concat([h[tf.newaxis], hs[:-1]], axis=0),
                )
                slopes = cell_slopes(gates, before[0], cs)
                moves, dc, dh = self._backwards(upstream, slopes, recurrent)
                rows = tf.transpose(tf.reshape(before[1], [-1, h.shape[1]]))
                of_gates = tf.reshape(moves, [rows.shape[1], 4, -1])
                parts = tf.split(of_gates, [block.shape[2] for block in columns], axis=2)
                products = [
                    self.product(rows, tf.reshape(part, [rows.shape[1], -1])) for part in parts
                ]
                blocks = [tf.reshape(value, block.shape) for value, block in zip(products, columns)]
                return (moves, dc, dh, *blocks)

            return hs, gradient

        return run(projected, *state, *columns)

    def _forwards(self, projected: Any, recurrent: Any, c: Any, h: Any) -> List[Any]:
        """Return gates before their nonlinearities, c and h of all hours."""
        hours = projected.shape[0]
        inputs = tf.TensorArray(self.master, hours).unstack(projected)

        def body(hour: Any, c: Any, h: Any, series: Any) -> Tuple[Any, ...]:
            gates = inputs.read(hour) + self.product(h, recurrent)
            c, h = cell(gates, c)
            # The next hour's number first: it is an operation of its own.
            following = hour + 1
            written = [array.write(hour, value) for array, value in zip(series, (gates, c, h))]
            return following, c, h, tuple(written)

        empty = tuple(
            tf.TensorArray(self.master, hours, element_shape=shape)
            for shape in (projected.shape[1:], c.shape, h.shape)
        )
        _, _, _, series = tf.while_loop(
            lambda hour, *_: hour < hours,
            body,
            (tf.constant(0), c, h, empty),
            maximum_iterations=hours,
        )
        return [array.stack() for array in series]

    def _backwards(
        self, upstream: Any, slopes: Tuple[Any, Any, Any], recurrent: Any
    ) -> Tuple[Any, ...]:
        """Return the gradients of the gates of all hours, and of the first c and h."""
        hours = upstream.shape[0]
        arrays = [
            tf.TensorArray(self.master, hours).unstack(value) for value in (upstream, *slopes)
        ]
        transposed = tf.transpose(recurrent)

        def body(hour: Any, dc: Any, dh: Any, series: Any) -> Tuple[Any, ...]:
            above, slope, through, forgotten = [array.read(hour) for array in arrays]
            dh += above
            dc += dh * through
            moves = tf.concat([dc, dc, dc, dh], axis=1) * slope
            before, dc = hour - 1, dc * forgotten
            return before, dc, self.product(moves, transposed), series.write(hour, moves)

        zero = tf.zeros(upstream.shape[1:], self.master)
        last = tf.constant(hours - 1)
        empty = tf.TensorArray(self.master, hours, element_shape=slopes[0].shape[1:])
        first = (last, zero, zero, empty)
        _, dc, dh, series = tf.while_loop(
            lambda hour, *_: hour >= 0, body, first, maximum_iterations=hours
        )
        return series.stack(), dc, dh

    def bilateral(self, xs: Sequence[Any], weights: Sequence[Sequence[Any]]) -> Any:
        """Return h of all hours of both streams of one coupled layer.

        Each stream reads the other's h of the hour before. Side by side, [h_C, h_D], the two are
        one LSTM without biases whose recurrent matrix is [[U_C, V_D], [V_C, U_D]]: its gates are
        [C, D] for each of i, j, f, o.

        Args:
            xs: the streams' inputs, [hours, batch, in].
            weights: the streams' (W, U, V), gates in the order i, f, o, candidate.
        """
        units = weights[0][1].shape[0]
        w, u, v = (list(map(gated, matrices)) for matrices in zip(*weights))
        columns = [tf.concat([u[0], v[0]], axis=0), tf.concat([v[1], u[1]], axis=0)]
        batch = xs[0].shape[1]
        state = tf.zeros([batch, 2 * units], self.master), tf.zeros([batch, 2 * units], self.master)
        if self.fused:
            bias = tf.zeros([8 * units], self.master)
            if 2 * units <= NARROW:
                x = tf.concat(xs, axis=2)
                h = fused.narrow(x, fused.block(w, columns), bias, state, 0.0)
            else:
                h = fused.wide(xs, w, columns, bias, state)
            return tf.split(h, 2, axis=2)
        shape = [xs[0].shape[0], batch, 4, units]
        sides = [
            tf.reshape(self.projection(x, joined([[matrix]])), shape) for x, matrix in zip(xs, w)
        ]
        projected = tf.reshape(tf.concat(sides, axis=3), shape[:2] + [8 * units])
        return tf.split(self.scan(projected, columns, state), 2, axis=2)


def biased(bias: Any) -> Any:
    """Return an LSTM's bias with the constant of the forget gate."""
    units = bias.shape[0] // 4
    return bias + tf.constant(np.repeat([0.0, 0.0, FORGET_BIAS, 0.0], units), bias.dtype)


def cell(gates: Any, c: Any) -> Tuple[Any, Any]:
    """Return the new (c, h), given the gates i, j, f, o before their nonlinearities."""
    i, j, f, o = tf.split(gates, 4, axis=-1)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(j)
    return c, tf.sigmoid(o) * tf.tanh(c)


def cell_slopes(gates: Any, before: Any, c: Any) -> Tuple[Any, Any, Any]:
    """Return the derivatives of a cell, for any number of hours at once.

    With dc the gradient of c and dh that of h: dc grows by dh times the second; [dc, dc, dc, dh]
    times the first is the gradient of the gates; dc times the third that of the c before.
    """
    i, j, f, o = tf.split(gates, 4, axis=-1)
    i, j, f, o, top = tf.sigmoid(i), tf.tanh(j), tf.sigmoid(f), tf.sigmoid(o), tf.tanh(c)
    slopes = [j * i * (1.0 - i), i * (1.0 - j * j), before * f * (1.0 - f), top * o * (1.0 - o)]
    return tf.concat(slopes, axis=-1), o * (1.0 - top * top), f


def gated(matrix: Any) -> Any:
    """Return a bilateral cell's matrix as [rows, gate, units], its gates i, f, o, candidate put in
    the order i, j, f, o."""
    rows, columns = matrix.shape
    i, f, o, j = tf.unstack(tf.reshape(matrix, [rows, 4, columns // 4]), axis=1)
    return tf.stack([i, j, f, o], axis=1)


def joined(blocks: Sequence[Sequence[Any]]) -> Any:
    """Return blocks [rows, gate, units] as one matrix in which each gate's columns lie side by
    side."""
    whole = tf.concat([tf.concat(row, axis=2) for row in blocks], axis=0)
    return tf.reshape(whole, [whole.shape[0], -1])
