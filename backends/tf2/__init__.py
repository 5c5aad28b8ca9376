"""The `tf2` backend: Keras layers, `tf.function` and `GradientTape`, on Keras 2 (TF 2.10) and Keras
3 alike."""
