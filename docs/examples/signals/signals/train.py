"""How the original is trained: python -m signals.train. A comparison needs no line of it."""

import numpy as np
import tensorflow as tf

from signals.data import load
from signals.model import build


def main():
    x, lengths, y = load()
    ops = build()
    saver = tf.train.Saver()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for epoch in range(10):
            for rows in np.array_split(np.random.permutation(len(x)), len(x) // 16):
                batch = {"x:0": x[rows], "lengths:0": lengths[rows], "y:0": y[rows]}
                batch.update({"keep_prob:0": 0.8, "is_training:0": True})
                _, loss = session.run([ops["train"], ops["loss"]], batch)
            everything = {"x:0": x, "lengths:0": lengths, "y:0": y}
            accuracy = session.run(ops["accuracy"], everything)
            print("epoch", epoch, "loss", loss, "accuracy", accuracy)
        saver.save(session, "signals.ckpt")


if __name__ == "__main__":
    main()
