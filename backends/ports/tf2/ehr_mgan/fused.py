"""LSTM layers for float32 on the CPU.

Narrow ones are TensorFlow's `BlockLSTM`, whose gradient multiplies the kernel's once an hour: most
of the time of a wide layer. That one has its hours written out, for a loop's bookkeeping costs as
much as they do: forwards in small operations, which run on one thread, where the fused op wakes the
others for each of its sums (the generators' phases take a fifth longer with it); backwards one
`LSTMBlockCellGrad` and one product an hour. Kernels have their gradient in one product.
"""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

import tensorflow as tf

Tensors = Dict[str, Any]


def narrow(x: Any, kernel: Any, bias: Any, state: Tuple[Any, Any], forget_bias: float) -> Any:
    """Return h of all hours [hours, batch, units] by TensorFlow's own layer; the peepholes are
    off."""
    none = tf.zeros([bias.shape[0] // 4], x.dtype)
    return tf.raw_ops.BlockLSTM(
        seq_len_max=tf.constant(x.shape[0], tf.int64),
        x=x,
        cs_prev=state[0],
        h_prev=state[1],
        w=kernel,
        wci=none,
        wcf=none,
        wco=none,
        b=bias,
        forget_bias=forget_bias,
        cell_clip=-1.0,
        use_peephole=False,
    ).h


def block(inputs: Sequence[Any], columns: Sequence[Any]) -> Any:
    """Return the kernel of one layer that stands for several side by side, each with an input of
    its own that the others do not see.

    `inputs` and `columns` as `wide` has them; the layer's input is theirs in a row.
    """
    before, rows, units = 0, [], columns[0].shape[0]
    for matrix in inputs:
        own = matrix.shape[2]
        rows.append(tf.pad(matrix, [[0, 0], [0, 0], [before, units - before - own]]))
        before += own
    return flat(tf.concat([*rows, tf.concat(columns, axis=2)], axis=0))


def wide(
    xs: Sequence[Any],
    inputs: Sequence[Any],
    columns: Sequence[Any],
    bias: Any,
    state: Tuple[Any, Any],
) -> Any:
    """Return h of all hours of one layer, or of several side by side that see each other's h.

    Args:
        xs: each layer's input, [hours, batch, in].
        inputs: its matrix [in, gate, units].
        columns: its recurrent matrix [all units, gate, units]; it sees the h of all.
        bias: of all, [4 all units], the forget gate's constant in it.
        state: the first (c, h).
    """
    count = len(xs)

    @tf.custom_gradient
    def compute(bias: Any, c: Any, h: Any, *rest: Any) -> Any:
        xs, inputs, columns = rest[:count], rest[count : 2 * count], rest[2 * count :]
        recurrent = flat(tf.concat(columns, axis=2))
        kept, series = forwards(projected(xs, inputs) + bias, recurrent, c, h)

        def gradient(upstream: Any) -> Tuple[Any, ...]:
            moves, dc, dh = backwards(upstream, kept, (bias, c, h), recurrent)
            before = tf.reshape(tf.concat([h[tf.newaxis], series[:-1]], axis=0), [-1, h.shape[1]])
            rows = tf.reshape(moves, [before.shape[0], 4, -1])
            of_layers = tf.split(rows, [column.shape[2] for column in columns], axis=2)
            d_xs: List[Any] = []
            d_inputs: List[Any] = []
            d_columns: List[Any] = []
            for x, matrix, own in zip(xs, inputs, of_layers):
                part = flat(own)
                d_xs.append(tf.reshape(tf.matmul(part, flat(matrix), transpose_b=True), x.shape))
                d_inputs.append(product(tf.reshape(x, [part.shape[0], -1]), part, matrix.shape))
                d_columns.append(product(before, part, [h.shape[1]] + matrix.shape[1:]))
            return (tf.reduce_sum(moves, axis=[0, 1]), dc, dh, *d_xs, *d_inputs, *d_columns)

        return series, gradient

    return compute(bias, state[0], state[1], *xs, *inputs, *columns)


def projected(xs: Sequence[Any], inputs: Sequence[Any]) -> Any:
    """Return the inputs' share of the gates of all hours, the layers side by side for each gate:
    [hours, batch, 4 all units]."""
    shape = xs[0].shape[:2].as_list()
    products = [
        tf.matmul(tf.reshape(x, [-1, x.shape[2]]), flat(matrix)) for x, matrix in zip(xs, inputs)
    ]
    gates = [tf.reshape(value, shape + [4, value.shape[1] // 4]) for value in products]
    return tf.reshape(tf.concat(gates, axis=3), shape + [-1])


def forwards(gates: Any, recurrent: Any, c: Any, h: Any) -> Tuple[List[Tensors], Any]:
    """Return for each hour what `backwards` needs, and h of all hours.

    Args:
        gates: before their nonlinearities, but for the state's share.
        recurrent: the recurrent matrix [units, 4 units], gates i, candidate, f, o.
    """
    kept, outputs = [], []
    for hour in tf.unstack(gates):
        i, ci, f, o = tf.split(hour + tf.matmul(h, recurrent), 4, axis=1)
        i, ci, f, o = tf.sigmoid(i), tf.tanh(ci), tf.sigmoid(f), tf.sigmoid(o)
        c = f * c + i * ci
        co = tf.tanh(c)
        h = o * co
        kept.append({"i": i, "cs": c, "f": f, "o": o, "ci": ci, "co": co})
        outputs.append(h)
    return kept, tf.stack(outputs)


def backwards(
    upstream: Any, kept: Sequence[Tensors], first: Sequence[Any], recurrent: Any
) -> Tuple[Any, Any, Any]:
    """Return the gradients of the gates of all hours, and of the first c and h.

    Args:
        upstream: the gradient of h. kept: by `forwards`.
        first: bias, and c and h before the first hour.
    """
    bias, c, h = first
    across, none = tf.transpose(recurrent), tf.zeros_like(c[0])
    # Of x, h and the kernel the operation looks at the shapes alone.
    x, kernel = tf.zeros_like(h), tf.concat([recurrent, recurrent], axis=0)
    above = tf.unstack(upstream)
    dc, dh = tf.zeros_like(c), tf.zeros_like(h)
    moves: List[Any] = []
    for hour in reversed(range(len(kept))):
        dc, move = tf.raw_ops.LSTMBlockCellGrad(
            x=x,
            cs_prev=kept[hour - 1]["cs"] if hour else c,
            h_prev=h,
            w=kernel,
            wci=none,
            wcf=none,
            wco=none,
            b=bias,
            cs_grad=dc,
            h_grad=dh + above[hour],
            use_peephole=False,
            **kept[hour],
        )[:2]
        dh = tf.matmul(move, across)
        moves.insert(0, move)
    return tf.stack(moves), dc, dh


def flat(matrix: Any) -> Any:
    """Return a matrix [rows, gate, units] as [rows, 4 units]."""
    return tf.reshape(matrix, [matrix.shape[0], -1])


def product(rows: Any, moves: Any, shape: Any) -> Any:
    """Return the gradient of a matrix of some shape, from what it was multiplied with and the
    gradient of what it gave."""
    return tf.reshape(tf.matmul(rows, moves, transpose_a=True), shape)
