"""LSTM layers for float32.

Narrow ones are TF's `BlockLSTM`, whose gradient multiplies the kernel's once an hour: most of the
time of a wide layer. That one has its hours written out, for a loop's bookkeeping costs as much as
they do: forwards in small operations, which run on one thread, where the fused op wakes the others
for each of its sums; backwards one `LSTMBlockCellGrad` and one product an hour. Kernels have their
gradient in one product.
"""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

import tensorflow.compat.v1 as tf

#: The name of `wide`'s gradient in TF's registry.
GRADIENT = "ParityHarnessWideLayer"
#: What each hour keeps for the gradient, by the names that `LSTMBlockCellGrad` has for it.
KEPT = ("i", "cs", "f", "o", "ci", "co")

Tensors = Sequence[Any]
State = Tuple[Any, Any]


def _without_peepholes(none: Any) -> Dict[str, Any]:
    """Return the arguments of TF's operations that switch the peepholes off; `none` stands for
    their weights."""
    return {"wci": none, "wcf": none, "wco": none, "use_peephole": False}


def narrow(x: Any, kernel: Any, bias: Any, state: State, forget_bias: float) -> Any:
    """Return h of all hours [hours, batch, units] by TF's own layer."""
    none = tf.zeros([bias.shape.as_list()[0] // 4], x.dtype)
    return tf.raw_ops.BlockLSTM(
        seq_len_max=tf.constant(x.shape.as_list()[0], tf.int64),
        x=x,
        cs_prev=state[0],
        h_prev=state[1],
        w=kernel,
        b=bias,
        forget_bias=forget_bias,
        cell_clip=-1.0,
        **_without_peepholes(none),
    )[6]


def block(inputs: Tensors, columns: Tensors) -> Any:
    """Return the kernel of one layer that stands for several side by side, each with an input of
    its own that the others do not see.

    `inputs` and `columns` as `wide` has them; the layer's input is theirs in a row.
    """
    before, rows, units = 0, [], columns[0].shape.as_list()[0]
    for matrix in inputs:
        own = matrix.shape.as_list()[2]
        rows.append(tf.pad(matrix, [[0, 0], [0, 0], [before, units - before - own]]))
        before += own
    return _flat(tf.concat(rows + [tf.concat(columns, axis=2)], axis=0))


def wide(xs: Tensors, inputs: Tensors, columns: Tensors, bias: Any, state: State) -> Any:
    """Return h of all hours of one layer, or of several side by side that see each other's h.

    Args:
        xs: each layer's input, [hours, batch, in].
        inputs: its matrix [in, 4, units].
        columns: its recurrent matrix [all units, 4, units]; it sees the h of all.
        bias: of all, [4 all units], the forget gate's 1 in it.
        state: the first (c, h).
    """
    gates = _projected(xs, inputs) + bias
    kept, outputs = _forwards(gates, _flat(tf.concat(columns, axis=2)), state)
    with tf.get_default_graph().gradient_override_map({"IdentityN": GRADIENT}):
        return tf.identity_n([outputs, bias, *state, *xs, *inputs, *columns, *kept])[0]


@tf.RegisterGradient(GRADIENT)
def _wide_gradient(op: Any, upstream: Any, *_: Any) -> List[Any]:
    """Return the gradients of the arguments of `wide`; none flows into its hours."""
    outputs, bias, c, h = op.inputs[:4]
    own = len(op.inputs) - len(KEPT) * outputs.shape.as_list()[0]
    rest, kept = list(op.inputs[4:own]), list(op.inputs[own:])
    count = len(rest) // 3
    xs, inputs, columns = rest[:count], rest[count : 2 * count], rest[2 * count :]
    moves, dc, dh = _backwards(upstream, kept, (bias, c, h), _flat(tf.concat(columns, axis=2)))
    units = h.shape.as_list()[1]
    before = tf.reshape(tf.concat([h[None], outputs[:-1]], axis=0), [-1, units])
    widths = [column.shape.as_list()[2] for column in columns]
    parts = tf.split(tf.reshape(moves, [-1, 4, units]), widths, axis=2)
    d_xs, d_inputs, d_columns = [], [], []
    for x, matrix, own_moves in zip(xs, inputs, parts):
        rows, gates, width = matrix.shape.as_list()
        part = tf.reshape(own_moves, [-1, gates * width])
        d_xs.append(tf.reshape(tf.matmul(part, _flat(matrix), transpose_b=True), x.shape))
        d_input = tf.matmul(tf.reshape(x, [-1, rows]), part, transpose_a=True)
        d_inputs.append(tf.reshape(d_input, matrix.shape))
        d_column = tf.matmul(before, part, transpose_a=True)
        d_columns.append(tf.reshape(d_column, [units, gates, width]))
    d_bias = tf.reduce_sum(moves, axis=[0, 1])
    return [None, d_bias, dc, dh, *d_xs, *d_inputs, *d_columns, *([None] * len(kept))]


def _projected(xs: Tensors, inputs: Tensors) -> Any:
    """Return the inputs' share of the gates of all hours, the layers side by side for each gate:
    [hours, batch, 4 all units]."""
    products = []
    for x, matrix in zip(xs, inputs):
        rows, gates, width = matrix.shape.as_list()
        product = tf.matmul(tf.reshape(x, [-1, rows]), _flat(matrix))
        products.append(tf.reshape(product, x.shape.as_list()[:2] + [gates, width]))
    return tf.reshape(tf.concat(products, axis=3), xs[0].shape.as_list()[:2] + [-1])


def _forwards(projected: Any, recurrent: Any, state: State) -> Tuple[List[Any], Any]:
    """Return all of `KEPT` of the first hour, then of the next, and h of all hours.

    Args:
        projected: the gates before their nonlinearities, but for the state's share.
        recurrent: [units, 4 units], gates i, candidate, f, o.
        state: the first (c, h).
    """
    c, h = state
    kept: List[Any] = []
    outputs: List[Any] = []
    for hour in tf.unstack(projected):
        i, ci, f, o = tf.split(hour + tf.matmul(h, recurrent), 4, axis=1)
        i, ci, f, o = tf.sigmoid(i), tf.tanh(ci), tf.sigmoid(f), tf.sigmoid(o)
        c = f * c + i * ci
        co = tf.tanh(c)
        h = o * co
        kept += [i, c, f, o, ci, co]
        outputs.append(h)
    return kept, tf.stack(outputs)


def _backwards(
    upstream: Any, kept: Tensors, first: Tensors, recurrent: Any
) -> Tuple[Any, Any, Any]:
    """Return the gradients of the gates of all hours, and of the first c and h.

    Args:
        upstream: the gradient of h.
        kept: by `_forwards`.
        first: bias, and c and h before the first hour.
        recurrent: as for `_forwards`.
    """
    bias, c, h = first
    across, none = tf.transpose(recurrent), tf.zeros_like(c[0])
    # Of x, h and the kernel the operation looks at the shapes alone.
    nothing, kernel = tf.zeros_like(h), tf.concat([recurrent, recurrent], axis=0)
    above = tf.unstack(upstream)
    hours = [
        dict(zip(KEPT, kept[start : start + len(KEPT)])) for start in range(0, len(kept), len(KEPT))
    ]
    dc, dh = tf.zeros_like(c), tf.zeros_like(h)
    moves: List[Any] = []
    for t in reversed(range(len(hours))):
        dc, move = tf.raw_ops.LSTMBlockCellGrad(
            x=nothing,
            cs_prev=hours[t - 1]["cs"] if t else c,
            h_prev=h,
            w=kernel,
            b=bias,
            cs_grad=dc,
            h_grad=dh + above[t],
            **_without_peepholes(none),
            **hours[t],
        )[:2]
        dh = tf.matmul(move, across)
        moves.insert(0, move)
    return tf.stack(moves), dc, dh


def _flat(matrix: Any) -> Any:
    """Return a matrix [rows, 4, units] as [rows, 4 units]."""
    return tf.reshape(matrix, [matrix.shape.as_list()[0], -1])
