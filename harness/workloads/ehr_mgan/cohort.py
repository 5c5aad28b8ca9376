"""What EHR-M-GAN trains on: the stays of one cohort as two series over the same hours, and their
scale."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.workloads.spec import HeldOut

TRAINING_SHARE = 0.9  # the first 90 % of the rows train, the rest is held out
CLASSES = 4


@dataclasses.dataclass(frozen=True)
class Cohort:
    """One cohort.

    Attributes:
        name: where it comes from, as `--data` names it.
        continuous: [N, T, C] float64 in [0, 1]: `x * range + minimum` is in the unit of the
            channel.
        discrete: [N, T, D] float64, each 0 or 1.
        label: [N] int64, one of `CLASSES` classes.
        minimum, range: [C] float64, of each continuous channel.
        channels, interventions: names of the continuous and the discrete channels.
    """

    name: str
    continuous: NDArray[np.float64]
    discrete: NDArray[np.float64]
    label: NDArray[np.int64]
    minimum: NDArray[np.float64]
    range: NDArray[np.float64]
    channels: tuple[str, ...]
    interventions: tuple[str, ...]

    @property
    def training_rows(self) -> int:
        """How many of the first rows train."""
        return int(TRAINING_SHARE * len(self.continuous))

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of every array: two runs are the same work only if they had the same data."""
        checksum = hashlib.sha256()
        for field in ("continuous", "discrete", "label", "minimum", "range"):
            value = np.ascontiguousarray(getattr(self, field))
            checksum.update(f"{field} {value.dtype.str} {value.shape}\n".encode())
            checksum.update(value.tobytes())
        return checksum.hexdigest()

    def arrays(self, conditional: bool) -> dict[str, NDArray[Any]]:
        """Return the arrays that ports get: training rows, and for the conditional variant the
        labels to generate for."""
        rows = self.training_rows
        arrays: dict[str, NDArray[Any]] = {
            "continuous": self.continuous[:rows],
            "discrete": self.discrete[:rows],
        }
        if conditional:
            label = self.label[:, None]
            arrays.update(label=label[:rows], eval_label=label)
        return arrays

    def held_out(self) -> HeldOut:
        """Return all stays as `generate` gives them, de-normalised, those that train apart from
        those that do not."""
        rows = np.concatenate([self.continuous * self.range + self.minimum, self.discrete], axis=2)
        interventions = len(self.interventions)
        return HeldOut(
            rows=rows[self.training_rows :],
            training=rows[: self.training_rows],
            discrete=interventions,
            minimum=np.concatenate([self.minimum, np.zeros(interventions)]),
            range=np.concatenate([self.range, np.ones(interventions)]),
            channels=(*self.channels, *self.interventions),
        )
