"""The version of the harness: of the distribution, and in every report."""

from __future__ import annotations

VERSION = "0.1.0"
