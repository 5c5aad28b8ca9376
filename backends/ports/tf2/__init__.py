"""Shipped ports to TensorFlow 2: Keras layers and `tf.function`."""
