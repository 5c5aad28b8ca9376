"""Networks for images: keras.applications, torchvision, timm."""

from __future__ import annotations

from collections.abc import Sequence

from tests.evaluation.wild.entry import Entry

ENTRIES: Sequence[Entry] = (
    Entry(
        "resnet50",
        "resnet50",
        what="fp64 and fp32",
        reason="bn-unbiased-variance, accepted: torch keeps a running variance of n - 1",
        also=("fp32", "--steps", "4", "--accept", "bn-unbiased-variance"),
    ),
)
