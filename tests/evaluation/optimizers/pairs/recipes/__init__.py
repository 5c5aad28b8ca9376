"""One small net for each combination of an optimizer's kind, decay, clipping and schedule, as plain
Keras, PyTorch and TensorFlow 1 code."""
