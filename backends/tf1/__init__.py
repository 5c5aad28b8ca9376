"""The `tf1` backend: graphs and sessions, on TF 1.15 and on `tf.compat.v1` of a TF 2 release
alike."""
