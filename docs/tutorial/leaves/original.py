"""The program of 2018, in TensorFlow 1: python -m leaves.original trains it."""

import numpy as np
import tensorflow as tf

from leaves.data import load

PENALTY = 0.5**9


def build():
    x = tf.placeholder(tf.float32, [None, 17, 17, 1], name="x")
    y = tf.placeholder(tf.int64, [None], name="y")
    training = tf.placeholder_with_default(False, [], name="training")

    maps = tf.layers.conv2d(x, 8, 3, padding="same", name="edges")
    maps = tf.layers.batch_normalization(
        maps, momentum=0.875, training=training, fused=False, name="norm"
    )
    maps = tf.nn.relu(maps)
    maps = tf.layers.conv2d(
        maps, 12, 4, strides=2, padding="same", activation=tf.nn.relu, name="shapes"
    )
    hidden = tf.layers.flatten(maps)
    hidden = tf.layers.dense(hidden, 16, activation=tf.nn.relu, name="hidden")
    hidden = tf.layers.dropout(hidden, 0.25, training=training, name="dropout")
    logits = tf.layers.dense(hidden, 3, name="species")

    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    kernels = [value for value in tf.trainable_variables() if "kernel" in value.name]
    loss += PENALTY * tf.add_n([tf.nn.l2_loss(value) for value in kernels])

    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    with tf.control_dependencies(updates):
        train = tf.train.MomentumOptimizer(0.0625, 0.875).minimize(loss)
    return {"logits": logits, "loss": loss, "train": train}


def main():
    x, y = load()
    ops = build()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for epoch in range(10):
            for rows in np.array_split(np.random.permutation(len(x)), len(x) // 16):
                batch = {"x:0": x[rows], "y:0": y[rows], "training:0": True}
                _, loss = session.run([ops["train"], ops["loss"]], batch)
            print("epoch", epoch, "loss", loss)


if __name__ == "__main__":
    main()
