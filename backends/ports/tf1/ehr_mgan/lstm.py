"""LSTM layers over a whole series, time first: one matrix product an hour, and a gradient made for
it.

`scan` leaves to the loop what has to be in it: the inputs are projected before it, and its gradient
keeps the gates' inputs, so that weights' gradients are one product after the loop. Differentiated
by TF, the same loop would push every intermediate on a stack and add to a gradient as large as the
weights each hour. In float32 layers are those of `fused`.
"""

from __future__ import annotations

from typing import Any, List, Tuple

import tensorflow.compat.v1 as tf

from backends.ports.tf1.ehr_mgan import fused

#: Up to so many units TF's own gradient of the fused layer is used; it multiplies the kernel's hour
#: by hour.
NARROW = 64
#: The name of `scan`'s gradient in TF's registry.
GRADIENT = "ParityHarnessRecurrentLayer"

#: A function of two matrices that has a `dtype`: `networks.Product`.
Product = Any


def cell(gates: Any, c: Any) -> Tuple[Any, Any]:
    """Return the new (c, h); gates in the order input, candidate, forget, output, the forget gate's
    1 among the biases."""
    i, j, f, o = tf.split(gates, 4, axis=-1)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(j)
    return c, tf.sigmoid(o) * tf.tanh(c)


def forget_bias(bias: Any) -> Any:
    """Return the bias with TF1's 1 for the forget gate."""
    units = bias.shape.as_list()[-1] // 4
    constant = [0.0] * (2 * units) + [1.0] * units + [0.0] * units
    return bias + tf.constant(constant, bias.dtype)


def layer(x: Any, kernel: Any, bias: Any, state: Tuple[Any, Any], product: Product) -> Any:
    """Return the outputs [hours, batch, units] of TF1's LSTMCell on a series, from initial (c,
    h)."""
    hours, batch, inputs = x.shape.as_list()
    units = bias.shape.as_list()[0] // 4
    if single(product, x):
        if units <= NARROW:
            return fused.narrow(x, kernel, bias, state, 1.0)
        parts = [tf.reshape(part, [-1, 4, units]) for part in (kernel[:inputs], kernel[inputs:])]
        return fused.wide([x], [parts[0]], [parts[1]], forget_bias(bias), state)
    projected = product(tf.reshape(x, [-1, inputs]), kernel[:inputs])
    projected = tf.reshape(projected, [hours, batch, 4 * units])
    return scan(projected + forget_bias(bias), tf.cast(kernel[inputs:], product.dtype), state)


def single(product: Product, x: Any) -> bool:
    """Return whether TF has fused operations for these dtypes."""
    return bool(product.dtype == tf.float32 and x.dtype == tf.float32)


def scan(projected: Any, kernel: Any, state: Tuple[Any, Any]) -> Any:
    """Return the outputs [hours, batch, units] of a recurrent layer.

    Args:
        projected: [hours, batch, 4 units], the gates' inputs but for the state's part.
        kernel: [units, 4 units], in the dtype of contractions.
    """
    c, h = state
    gates, cells, outputs = _forward(projected, kernel, c, h)
    # `tf.custom_gradient` would keep every graph alive: it registers a function of its own for each
    # call.
    with tf.get_default_graph().gradient_override_map({"IdentityN": GRADIENT}):
        return tf.identity_n([outputs, projected, kernel, c, h, gates, cells])[0]


@tf.RegisterGradient(GRADIENT)
def _scan_gradient(op: Any, upstream: Any, *_: Any) -> List[Any]:
    """Return the gradients of the arguments of `scan`; none flows into its loop."""
    outputs, _, kernel, c, h, gates, cells = op.inputs
    c_before = tf.concat([c[None], cells[:-1]], axis=0)
    h_before = tf.concat([h[None], outputs[:-1]], axis=0)
    moved, dc, dh = _backward(upstream, gates, c_before, cells, kernel)
    units = kernel.shape.as_list()
    rows = [
        tf.cast(tf.reshape(series, [-1, width]), kernel.dtype)
        for series, width in zip((h_before, moved), units)
    ]
    return [None, moved, tf.matmul(*rows, transpose_a=True), dc, dh, None, None]


def _forward(projected: Any, kernel: Any, c: Any, h: Any) -> List[Any]:
    hours = projected.shape.as_list()[0]
    inputs = unstack(projected)
    kept = [_empty(hours, like) for like in (projected[0], c, h)]

    def hour(t: Any, c: Any, h: Any, *kept: Any) -> Tuple[Any, ...]:
        gates = inputs.read(t) + _product(h, kernel)
        c, h = cell(gates, c)
        following = t + 1
        written = [array.write(t, value) for array, value in zip(kept, (gates, c, h))]
        return (following, c, h, *written)

    _, _, _, *kept = tf.while_loop(
        lambda t, *_: t < hours,
        hour,
        [tf.constant(0), c, h] + kept,
        parallel_iterations=1,
        back_prop=False,
    )
    return [stack(array, hours) for array in kept]


def _backward(
    upstream: Any, gates: Any, before: Any, cells: Any, kernel: Any
) -> Tuple[Any, Any, Any]:
    """Return the gradients of `projected` and of the initial (c, h). Factors that need no
    recurrence are made for all hours at once.

    Args:
        upstream: gradient of the outputs.
        gates, cells: of all hours, by `_forward`; before: c of the hour before.
        kernel: as for `scan`.
    """
    i, j, f, o = tf.split(gates, 4, axis=2)
    i, j, f, o = tf.sigmoid(i), tf.tanh(j), tf.sigmoid(f), tf.sigmoid(o)
    squashed = tf.tanh(cells)
    through = o * (1.0 - tf.square(squashed))
    slopes = tf.concat(
        [
            j * i * (1.0 - i),
            i * (1.0 - tf.square(j)),
            before * f * (1.0 - f),
            squashed * o * (1.0 - o),
        ],
        axis=2,
    )
    arrays = [unstack(series) for series in (upstream, through, slopes, f)]
    hours = gates.shape.as_list()[0]

    def hour(t: Any, dc: Any, dh: Any, kept: Any) -> Tuple[Any, ...]:
        above, through, slopes, f = [array.read(t) for array in arrays]
        dh = dh + above
        dc = dc + dh * through
        moved = tf.concat([dc, dc, dc, dh], axis=1) * slopes
        return t - 1, dc * f, _product(moved, kernel, transpose_b=True), kept.write(t, moved)

    zero = tf.zeros_like(cells[0])
    start = [tf.constant(hours - 1), zero, zero, _empty(hours, gates[0])]
    _, dc, dh, kept = tf.while_loop(
        lambda t, *_: t >= 0, hour, start, parallel_iterations=1, back_prop=False
    )
    return stack(kept, hours), dc, dh


def _product(x: Any, kernel: Any, transpose_b: bool = False) -> Any:
    return tf.cast(tf.matmul(tf.cast(x, kernel.dtype), kernel, transpose_b=transpose_b), x.dtype)


def stack(array: Any, hours: int) -> Any:
    """Return a TensorArray's content as a series whose number of hours the graph knows."""
    series = array.stack()
    series.set_shape([hours] + series.shape.as_list()[1:])
    return series


def unstack(series: Any) -> Any:
    """Return a TensorArray of the series' hours."""
    return _empty(series.shape.as_list()[0], series[0]).unstack(series)


def _empty(hours: int, like: Any) -> Any:
    return tf.TensorArray(like.dtype, hours, element_shape=like.shape)
