"""LSTM layers for float32.

Narrow ones are TF's `BlockLSTM`, whose gradient multiplies the kernel's once an hour: most of the
time of a wide layer. That one has its hours written out, for a loop's bookkeeping costs as much as
they do: forwards in small operations, which run on one thread, where the fused op wakes the others
for each of its sums; backwards one `LSTMBlockCellGrad` and one product an hour. Kernels have their
gradient in one product.
"""

from __future__ import annotations

from typing import Any, List, Sequence, Tuple

import tensorflow.compat.v1 as tf

#: The name of `wide`'s gradient in TF's registry.
GRADIENT = "ParityHarnessWideLayer"
#: What each hour keeps for the gradient, by the names that `LSTMBlockCellGrad` has for it.
KEPT = ("i", "cs", "f", "o", "ci", "co")


def narrow(x: Any, kernel: Any, bias: Any, state: Tuple[Any, Any], forget_bias: float) -> Any:
    """Return h of all hours [hours, batch, units] by TF's own layer; the peepholes are off."""
    none = tf.zeros([bias.shape.as_list()[0] // 4], x.dtype)
    return tf.raw_ops.BlockLSTM(
        seq_len_max=tf.constant(x.shape.as_list()[0], tf.int64),
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
    )[6]


def block(inputs: Sequence[Any], columns: Sequence[Any]) -> Any:
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
        inputs: its matrix [in, 4, units].
        columns: its recurrent matrix [all units, 4, units]; it sees the h of all.
        bias: of all, [4 all units], the forget gate's 1 in it.
        state: the first (c, h).
    """
    kept, outputs = _forwards(
        _projected(xs, inputs) + bias, _flat(tf.concat(columns, axis=2)), state
    )
    with tf.get_default_graph().gradient_override_map({"IdentityN": GRADIENT}):
        return tf.identity_n(
            [outputs, bias] + list(state) + list(xs) + list(inputs) + list(columns) + kept
        )[0]


@tf.RegisterGradient(GRADIENT)
def _wide_gradient(op: Any, given: Any, *_: Any) -> List[Any]:
    """Return the gradients of what `wide` was given; none flows into its hours."""
    outputs, bias, c, h = op.inputs[:4]
    own = len(op.inputs) - len(KEPT) * outputs.shape.as_list()[0]
    rest, kept = list(op.inputs[4:own]), list(op.inputs[own:])
    count = len(rest) // 3
    xs, inputs, columns = rest[:count], rest[count : 2 * count], rest[2 * count :]
    moves, dc, dh = _backwards(given, kept, (bias, c, h), _flat(tf.concat(columns, axis=2)))
    units = h.shape.as_list()[1]
    before = tf.reshape(tf.concat([h[None], outputs[:-1]], axis=0), [-1, units])
    parts = tf.split(
        tf.reshape(moves, [-1, 4, units]), [column.shape.as_list()[2] for column in columns], axis=2
    )
    found: List[List[Any]] = [[], [], []]
    for x, matrix, own_moves in zip(xs, inputs, parts):
        rows, gates, width = matrix.shape.as_list()
        part = tf.reshape(own_moves, [-1, gates * width])
        found[0].append(tf.reshape(tf.matmul(part, _flat(matrix), transpose_b=True), x.shape))
        found[1].append(
            tf.reshape(tf.matmul(tf.reshape(x, [-1, rows]), part, transpose_a=True), matrix.shape)
        )
        found[2].append(
            tf.reshape(tf.matmul(before, part, transpose_a=True), [units, gates, width])
        )
    return (
        [None, tf.reduce_sum(moves, axis=[0, 1]), dc, dh]
        + found[0]
        + found[1]
        + found[2]
        + [None] * len(kept)
    )


def _projected(xs: Sequence[Any], inputs: Sequence[Any]) -> Any:
    """Return the inputs' share of the gates of all hours, the layers side by side for each gate:
    [hours, batch, 4 all units]."""
    found = []
    for x, matrix in zip(xs, inputs):
        rows, gates, width = matrix.shape.as_list()
        product = tf.matmul(tf.reshape(x, [-1, rows]), _flat(matrix))
        found.append(tf.reshape(product, x.shape.as_list()[:2] + [gates, width]))
    return tf.reshape(tf.concat(found, axis=3), xs[0].shape.as_list()[:2] + [-1])


def _forwards(given: Any, recurrent: Any, state: Tuple[Any, Any]) -> Tuple[List[Any], Any]:
    """Return all of `KEPT` of the first hour, then of the next, and h of all hours.

    Args: given: the gates before their nonlinearities, but for the state's share. recurrent:
    [units, 4 units], gates i, candidate, f, o.
    """
    (c, h), kept, outputs = state, [], []  # type: Any, List[Any], List[Any]
    for hour in tf.unstack(given):
        i, ci, f, o = tf.split(hour + tf.matmul(h, recurrent), 4, axis=1)
        i, ci, f, o = tf.sigmoid(i), tf.tanh(ci), tf.sigmoid(f), tf.sigmoid(o)
        c = f * c + i * ci
        co = tf.tanh(c)
        h = o * co
        kept += [i, c, f, o, ci, co]
        outputs.append(h)
    return kept, tf.stack(outputs)


def _backwards(
    given: Any, kept: Sequence[Any], first: Sequence[Any], recurrent: Any
) -> Tuple[Any, Any, Any]:
    """Return the gradients of the gates of all hours, and of the first c and h.

    Args: given: the gradient of h. kept: by `_forwards`. first: bias, and c and h before the first
    hour.
    """
    bias, c, h = first
    across, none = tf.transpose(recurrent), tf.zeros_like(c[0])
    # Of x, h and the kernel the operation looks at the shapes alone.
    nothing, kernel = tf.zeros_like(h), tf.concat([recurrent, recurrent], axis=0)
    above = tf.unstack(given)
    hours = [
        dict(zip(KEPT, kept[start : start + len(KEPT)])) for start in range(0, len(kept), len(KEPT))
    ]
    dc, dh, moves = tf.zeros_like(c), tf.zeros_like(h), []  # type: Any, Any, List[Any]
    for t in reversed(range(len(hours))):
        dc, move = tf.raw_ops.LSTMBlockCellGrad(
            x=nothing,
            cs_prev=hours[t - 1]["cs"] if t else c,
            h_prev=h,
            w=kernel,
            wci=none,
            wcf=none,
            wco=none,
            b=bias,
            cs_grad=dc,
            h_grad=dh + above[t],
            use_peephole=False,
            **hours[t],
        )[:2]
        dh = tf.matmul(move, across)
        moves.insert(0, move)
    return tf.stack(moves), dc, dh


def _flat(matrix: Any) -> Any:
    """Return a matrix [rows, 4, units] as [rows, 4 units]."""
    return tf.reshape(matrix, [matrix.shape.as_list()[0], -1])
