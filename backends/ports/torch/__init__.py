"""Shipped ports to PyTorch."""
