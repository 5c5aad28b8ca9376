"""How long the rounds of a measurement last where a program looks at something else than times.

The harness has no option for these: what a user is told of speed rests on them.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from unittest import mock

from harness.execution import rounds


@dataclasses.dataclass(frozen=True)
class RoundSizes:
    """Durations in seconds, as the harness has them unless told otherwise.

    Attributes:
        warmup_s: of every side before its samples. measure_s: of all turns of one action.
        probe_s: of the first round's search for steps that suddenly take another time.
    """

    warmup_s: float = rounds.WARMUP_S
    measure_s: float = rounds.MEASURE_S
    probe_s: float = rounds.PROBE_S


USUAL = RoundSizes()


@contextlib.contextmanager
def in_effect(sizes: RoundSizes) -> Iterator[None]:
    """Let rounds that this process runs last so long, until the block is left."""
    with mock.patch.multiple(
        rounds,
        WARMUP_S=sizes.warmup_s,
        MEASURE_S=sizes.measure_s,
        PROBE_S=sizes.probe_s,
    ):
        yield
