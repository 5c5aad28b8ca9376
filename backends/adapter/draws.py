"""Draws of randomness that the tape answers: in the order of execution, whatever makes them.

The tape holds numbers drawn uniformly from [0, 1), or from the standard normal distribution. What a
side makes of them is its own affair: each keeps in a dropout what is below its *own* share, and
scales by its own bounds, so that a dropout of another rate is seen.
"""

from __future__ import annotations

import hashlib
from typing import Any, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from backends.survey import DROPOUT, NORMAL, UNIFORM

SERVED = (DROPOUT, UNIFORM, NORMAL)


class Draws:
    """Answers the draws of one run of one phase.

    Args:
        phase: its name, for messages, and for what is not on the tape.
        plan: the side's draws in order: `site`, the tape's name for it or None, and `axes`, the
            order in which the axes of the tape's array are the side's own, or None; `shape`, where
            the side takes neighbouring axes together; or, of what the other side draws step by
            step, `sites` of all steps and the `axis` that they lie along.
        noise: the tape's arrays by site; None where there is no tape.
        seed: of what the tape does not answer.

    Attributes:
        made: of each draw so far, (kind, shape): what a survey reads.
    """

    def __init__(
        self,
        phase: str,
        plan: Sequence[Mapping[str, Any]] = (),
        noise: Optional[Mapping[str, np.ndarray]] = None,
        seed: int = 0,
    ) -> None:
        self.phase, self.plan, self.noise, self.seed = phase, plan, noise, seed
        self.made: List[Tuple[str, Tuple[int, ...]]] = []

    def draw(self, kind: str, shape: Sequence[int]) -> np.ndarray:
        """Return the next draw, float64, in the side's own layout: of `dropout` and `uniform` in
        [0, 1), of `normal` with mean 0 and variance 1.

        Args:
            kind: of `backends.survey`. shape: in the side's own layout.

        Raises:
            ValueError: the tape has a draw of another shape in this place.
        """
        index = len(self.made)
        wanted = tuple(int(size) for size in shape)
        self.made.append((kind, wanted))
        entry = self.plan[index] if index < len(self.plan) else {}
        site, axes = entry.get("site"), entry.get("axes")
        steps = entry.get("sites")
        axis = entry.get("axis", 0)
        as_many = wanted[axis : axis + 1] == (len(steps or ()),)
        if steps and None not in steps and (as_many or self.noise is not None):
            of_step = wanted[:axis] + wanted[axis + 1 :]
            parts = [self._of_site(kind, of_step, name) for name in steps]
            return self._fitting(np.stack(parts, axis), wanted, (index, steps[0]))
        own_from_tape = list(axes) if axes else list(range(len(wanted)))
        if self.noise is not None and site is not None:
            value = np.asarray(self.noise[site], np.float64)
            if value.ndim == len(wanted):
                value = np.transpose(value, own_from_tape)
            elif entry.get("shape") is not None and tuple(entry["shape"]) == wanted:
                value = value.reshape(wanted)
            return self._fitting(value, wanted, (index, site))
        # Both sides get the same numbers for what belongs together, tape or no tape.
        tape_shape = [0] * len(wanted)
        for own_axis, tape_axis in enumerate(own_from_tape):
            tape_shape[tape_axis] = wanted[own_axis]
        place = index if site is None else site
        return np.transpose(self._numbers(kind, tape_shape, place), own_from_tape)

    def _of_site(self, kind: str, shape: Sequence[int], site: str) -> np.ndarray:
        if self.noise is None:
            return self._numbers(kind, shape, site)
        return np.asarray(self.noise[site], np.float64)

    def _numbers(self, kind: str, shape: Sequence[int], place: Union[int, str]) -> np.ndarray:
        """Return what the tape does not have, of a site by its name, or of the side's own by its
        number."""
        generator = np.random.RandomState(_seed(self.phase, place, self.seed))
        normal = kind == NORMAL
        drawn: np.ndarray = (generator.standard_normal if normal else generator.random_sample)(
            tuple(shape)
        )
        return drawn

    def _fitting(
        self, value: np.ndarray, wanted: Tuple[int, ...], which: Tuple[int, str]
    ) -> np.ndarray:
        """Return what the tape has, if it is of the shape that is drawn."""
        if value.shape != wanted:
            raise ValueError(
                f"draw {which[0]} of the phase {self.phase} ({which[1]}) has the shape"
                f" {list(wanted)}; when the model was looked at first, it had"
                f" {list(value.shape)}. The number and the shape of draws may not depend on"
                " values."
            )
        return value


def _seed(phase: str, place: Union[int, str], seed: int) -> int:
    digest = hashlib.sha256(f"{phase} {place} {seed}".encode()).digest()
    return int.from_bytes(digest[:4], "little")


def kept(draws: Draws, shape: Sequence[int], keep: float) -> np.ndarray:
    """Return the mask of the next dropout, bool: True where it keeps.

    Args:
        draws: that answers. shape: of the mask. keep: the share that is kept.
    """
    mask: np.ndarray = draws.draw(DROPOUT, shape) < keep
    return mask
