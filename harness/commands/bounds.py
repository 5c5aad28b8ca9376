"""How much an option may ask for: bounds above which nobody means it, or no machine holds it.

They are the same on every machine, so that a command line works everywhere or nowhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from harness.errors import UsageError
from harness.workloads.spec import FORWARD, GENERATE, Workload

#: Three years, seconds.
MOST_S = 10**8
#: Of a trajectory, whose losses are judged one by one.
MOST_STEPS = 100_000
#: Of a tape, which is drawn as a whole before any build starts.
TAPE_BYTES = 4 << 30
#: Of what is counted and goes on piece by piece: steps of a training, rows that are generated.
MOST = 10**12
_WORD_BYTES = 8


def seconds(option: str, value: float, *, above: bool = False) -> None:
    """Refuse what is no time.

    Args:
        option: as it is typed. value: its value. above: whether zero is too little.

    Raises:
        UsageError: not a number, too little, or more than `MOST_S`.
    """
    least = "above 0" if above else "0 or more"
    if not value >= 0 or (above and value == 0):
        raise UsageError(f"{option} {value}: must be a number of seconds, {least}.")
    if value > MOST_S:
        raise UsageError(f"{option} {value}: must be at most {MOST_S} seconds.")


def count(option: str, value: int | None, least: int = 1, most: int = MOST) -> None:
    """Refuse a number that lies outside its bounds; None is none.

    Args:
        option: as it is typed. value: its value. least, most: that it may be.

    Raises:
        UsageError: it lies outside.
    """
    if value is not None and value < least:
        raise UsageError(f"{option} {value}: must be at least {least}.")
    if value is not None and value > most:
        raise UsageError(f"{option} {value}: must be at most {most}.")


def tapes(workloads: Iterable[Workload], preset: str, steps: int) -> None:
    """Refuse tapes that are larger than `TAPE_BYTES`.

    Args:
        workloads: that draw them. preset: of these. steps: of each tape.

    Raises:
        UsageError: one is; says how large, and how many steps fit.
    """
    for workload in workloads:
        a_step = _step_bytes(workload, preset)
        if steps * a_step > TAPE_BYTES:
            raise UsageError(
                f"--steps {steps}: the tape of {workload.name} {preset} would have"
                f" {steps * a_step} bytes, and may have {TAPE_BYTES} ({TAPE_BYTES >> 30} GiB)."
                f" At most {TAPE_BYTES // a_step} steps fit."
            )


def _step_bytes(workload: Workload, preset: str) -> int:
    """Return how many bytes of a tape are a step's: its batch and its noise."""
    hyper = workload.hyperparameters(preset)
    size = int(hyper["batch"]) * _WORD_BYTES
    for site in workload.noise(hyper):
        phases = {*site.phases} - {FORWARD, GENERATE}
        word = 1 if site.kind == "keep_mask" else _WORD_BYTES
        size += len(phases) * math.prod(site.shape) * word
    return size
