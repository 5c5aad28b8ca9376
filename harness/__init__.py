"""Tells whether a model moved between TensorFlow 1, TensorFlow 2 and PyTorch is still the same
model, and what the move cost.

The orchestrator: it imports no framework, ever.
"""

__version__ = "0.1.0"
