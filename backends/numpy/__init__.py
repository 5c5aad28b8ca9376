"""The `numpy` backend: runs in the harness's own interpreter's NumPy, for the smallest workload."""
