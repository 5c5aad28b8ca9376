"""Workloads: what is computed, free of any framework."""
