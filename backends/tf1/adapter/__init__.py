"""A TensorFlow 1 graph that somebody already has, with its session, as one side of a pair: on
TF 1.15 and on `tf.compat.v1` of TF 2."""

from backends.tf1.adapter.side import Side

__all__ = ["Side"]
