"""LSTM cells and layers in the workload's layout (gates i, j, f, o in one kernel), time-major.

Three ways to compute the same layer. Where TensorFlow has its fused op (`BlockLSTM`: float32 on the CPU, not under XLA), a
layer is one op and its gradient another: two times as fast as a loop. Else the projection of all hours is one product and a
`tf.while_loop` runs the recurrent part. In low precision the operands and results of products are low, states and gates are not.
"""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

import tensorflow as tf

#: Added to the forget gate at run time, as TF1's LSTMCell does; no weight.
FORGET_BIAS = 1.0


class Recurrence(object):
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
        """Return a b, the operands in the low dtype, for 2-D matrices or stacks of them."""
        result = tf.matmul(tf.cast(a, self.low), tf.cast(b, self.low))
        self.observed["contraction"] = result.dtype.name
        return tf.cast(result, self.master)

    def projection(self, x: Any, kernel: Any) -> Any:
        """Return x times a kernel for all hours at once: [hours, batch, in] to [hours, batch, out]."""
        hours, batch, size = x.shape
        return tf.reshape(self.product(tf.reshape(x, [-1, size]), kernel), [hours, batch, kernel.shape[1]])

    def cell(self, gates: Any, c: Any, forget_bias: float = FORGET_BIAS) -> Tuple[Any, Any]:
        """Return the new (c, h), given the gates before their nonlinearities."""
        i, j, f, o = tf.split(gates, 4, axis=-1)
        c = tf.sigmoid(f + forget_bias) * c + tf.sigmoid(i) * tf.tanh(j)
        return c, tf.sigmoid(o) * tf.tanh(c)

    def layer(self, x: Any, kernel: Any, bias: Any, state: Tuple[Any, Any], forget_bias: float = FORGET_BIAS) -> Any:
        """Return h of all hours [hours, batch, units]; `kernel` [in + units, 4 units], `state` the first (c, h)."""
        if self.fused:
            zero = tf.zeros_like(state[0][0])  # peepholes, which are off
            return tf.raw_ops.BlockLSTM(
                seq_len_max=tf.constant(x.shape[0], tf.int64), x=x, cs_prev=state[0], h_prev=state[1], w=kernel, wci=zero, wcf=zero,
                wco=zero, b=bias, forget_bias=forget_bias, cell_clip=-1.0, use_peephole=False).h
        inputs = x.shape[2]
        return self.scan(self.projection(x, kernel[:inputs]) + bias, kernel[inputs:], state, forget_bias)

    def scan(self, projected: Any, recurrent: Any, state: Tuple[Any, Any], forget_bias: float) -> Any:
        """Return h of all hours, given the gates' share of the input."""
        hours = projected.shape[0]
        given = tf.TensorArray(self.master, hours).unstack(projected)

        def body(hour: Any, c: Any, h: Any, series: Any) -> Tuple[Any, ...]:
            c, h = self.cell(given.read(hour) + self.product(h, recurrent), c, forget_bias)
            return hour + 1, c, h, series.write(hour, h)

        first = tf.constant(0), state[0], state[1], tf.TensorArray(self.master, hours)
        return tf.while_loop(lambda hour, *_: hour < hours, body, first, maximum_iterations=hours)[3].stack()

    def bilateral(self, xs: Sequence[Any], weights: Sequence[Sequence[Any]]) -> List[Any]:
        """Return h of all hours of both streams of one coupled layer.

        Each stream reads the other's h of the hour before. Side by side, [h_C, h_D], the two are one LSTM without biases
        whose recurrent matrix is [[U_C, V_D], [V_C, U_D]]: its gates are [C, D] for each of i, j, f, o.

        Args:
            xs: the streams' inputs, [hours, batch, in].
            weights: the streams' (W, U, V), gates in the order i, f, o, candidate.
        """
        units = weights[0][1].shape[0]
        w, u, v = [[gated(matrices[index]) for matrices in weights] for index in range(3)]
        recurrent = joined([[u[0], v[1]], [v[0], u[1]]])
        batch = xs[0].shape[1]
        state = tf.zeros([batch, 2 * units], self.master), tf.zeros([batch, 2 * units], self.master)
        if self.fused:
            inputs = joined([[w[0], tf.zeros_like(w[0])], [tf.zeros_like(w[1]), w[1]]])
            bias = tf.zeros([8 * units], self.master)
            series = self.layer(tf.concat(xs, axis=2), tf.concat([inputs, recurrent], axis=0), bias, state, forget_bias=0.0)
        else:
            sides = [self.projection(x, joined([[matrix]])) for x, matrix in zip(xs, w)]
            shape = [x.shape[0] for x in xs[:1]] + [batch, 4, units]
            projected = tf.concat([tf.reshape(side, shape) for side in sides], axis=3)
            series = self.scan(tf.reshape(projected, shape[:2] + [8 * units]), recurrent, state, forget_bias=0.0)
        return tf.split(series, 2, axis=2)


def gated(matrix: Any) -> Any:
    """Return a bilateral cell's matrix as [rows, gate, units], its gates i, f, o, candidate put in the order i, j, f, o."""
    rows, columns = matrix.shape
    i, f, o, j = tf.unstack(tf.reshape(matrix, [rows, 4, columns // 4]), axis=1)
    return tf.stack([i, j, f, o], axis=1)


def joined(blocks: Sequence[Sequence[Any]]) -> Any:
    """Return blocks [rows, gate, units] as one matrix in which each gate's columns lie side by side."""
    whole = tf.concat([tf.concat(row, axis=2) for row in blocks], axis=0)
    return tf.reshape(whole, [whole.shape[0], -1])
