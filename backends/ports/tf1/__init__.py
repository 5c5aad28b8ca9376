"""Shipped ports to TensorFlow 1: graphs and sessions."""
