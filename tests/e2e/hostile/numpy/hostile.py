"""The honest port: what the others are before their fault."""

from __future__ import annotations

from backends.ports.numpy.linear import Port

__all__ = ["Port"]
