"""The original: a TensorFlow 1 graph."""

import tensorflow as tf


def build():
    x = tf.placeholder(tf.float32, [None, 7, 5], "x")
    lengths = tf.placeholder(tf.int32, [None], "lengths")
    y = tf.placeholder(tf.int64, [None], "y")
    training = tf.placeholder(tf.bool, [], "training")
    keep = tf.placeholder(tf.float32, [], "keep")
    cell = tf.nn.rnn_cell.LSTMCell(8, forget_bias=1.0)
    cell = tf.nn.rnn_cell.DropoutWrapper(cell, output_keep_prob=keep)
    states, _ = tf.nn.dynamic_rnn(cell, x, lengths, dtype=tf.float32)
    mean = tf.reduce_mean(states, 1)
    hidden = tf.layers.dense(mean, 12, name="hidden")
    hidden = tf.layers.batch_normalization(
        hidden, momentum=0.875, epsilon=2**-10, training=training, name="norm"
    )
    logits = tf.layers.dense(tf.nn.elu(hidden), 3, name="classes")
    loss = tf.losses.sparse_softmax_cross_entropy(y, logits)
    rate = tf.train.piecewise_constant(tf.train.get_or_create_global_step(), [5], [0.25, 0.125])
    optimizer = tf.train.MomentumOptimizer(rate, 0.5)
    pairs = optimizer.compute_gradients(loss)
    gradients, _ = tf.clip_by_global_norm([gradient for gradient, _ in pairs], 0.5)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train = optimizer.apply_gradients(
            zip(gradients, [variable for _, variable in pairs]), tf.train.get_global_step()
        )
    return {"logits": logits, "loss": loss, "train": train}
