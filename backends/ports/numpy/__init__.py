"""Shipped ports to NumPy."""
