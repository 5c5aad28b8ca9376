"""The `torch` backend."""
