"""EHR-M-GAN, three times: in Keras, in PyTorch and as a TensorFlow 1 graph."""
