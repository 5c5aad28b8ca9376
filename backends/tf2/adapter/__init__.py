"""The adapter for Keras models on TensorFlow, Keras 2 and Keras 3: a `Side` of objects that
somebody already has."""

from __future__ import annotations

from backends.tf2.adapter.side import Side

__all__ = ["Side"]
