"""The original: a convolution and an LSTM over signals of unequal lengths, in TensorFlow 1."""

import tensorflow as tf


def build():
    x = tf.placeholder(tf.float32, [None, 24, 6], name="x")
    lengths = tf.placeholder(tf.int32, [None], name="lengths")
    y = tf.placeholder(tf.int64, [None], name="y")
    keep_prob = tf.placeholder_with_default(1.0, [], name="keep_prob")
    is_training = tf.placeholder_with_default(False, [], name="is_training")

    maps = tf.layers.conv2d(x[..., None], 8, 3, padding="same", name="conv")
    maps = tf.layers.batch_normalization(maps, momentum=0.9, training=is_training, name="norm")
    maps = tf.layers.max_pooling2d(tf.nn.relu(maps), (1, 2), (1, 2))
    maps = tf.reshape(maps, [-1, 24, 3 * 8])
    cell = tf.nn.rnn_cell.LSTMCell(16)
    cell = tf.nn.rnn_cell.DropoutWrapper(cell, output_keep_prob=keep_prob)
    outputs, _ = tf.nn.dynamic_rnn(cell, maps, sequence_length=lengths, dtype=tf.float32)
    mean = tf.reduce_sum(outputs, 1) / tf.cast(lengths, tf.float32)[:, None]
    logits = tf.layers.dense(mean, 4, name="logits")

    cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    loss = tf.reduce_mean(cross_entropy, name="loss")
    right = tf.equal(tf.argmax(logits, 1), y)
    accuracy = tf.reduce_mean(tf.cast(right, tf.float32), name="accuracy")

    step = tf.train.get_or_create_global_step()
    rate = tf.train.exponential_decay(0.1, step, 16, 0.9, staircase=True)
    optimizer = tf.train.MomentumOptimizer(rate, 0.9)
    gradients, variables = zip(*optimizer.compute_gradients(loss))
    gradients, _ = tf.clip_by_global_norm(gradients, 5.0)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train = optimizer.apply_gradients(zip(gradients, variables), step)
    return {"logits": logits, "loss": loss, "accuracy": accuracy, "train": train}
