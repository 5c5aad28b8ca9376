"""When a port has warmed up: pure decisions about the times of its first steps.

Two ways of not being there yet. Steps still get faster little by little (caches, clocks): `steady`.
Or they are as steady as can be, and suddenly take another time (a compiler's second tier, a tuner
that has finished): `settled_after`, for which one has to look further than a fifth of a second.
"""

from __future__ import annotations

import math
from typing import List, Optional

MINIMUM_STEPS = 10
#: Of long steps fewer warm up: as many as fit into this time, and one at the least.
LONG_WARMUP_S = 2.0
#: Warmed up: the lower quartile of the last third of the steps is below that of the third before by
#: no more than this share.
STEADY = 0.02
#: A change of this factor between parts of the warm-up is none of the machine's usual ones, which
#: stay below a fifth.
CHANGE = 1.3
PARTS = 12
#: Fewer steps have no parts.
MINIMUM_A_PART = 3


def least_steps(step_s: float) -> int:
    """Return how many steps warm up at the least."""
    return max(1, min(MINIMUM_STEPS, int(LONG_WARMUP_S / max(step_s, 1e-9))))


def steady(steps_s: List[float]) -> bool:
    """Whether steps have stopped getting faster.

    Then what is compiled or tuned on first use has been, and clocks have risen.
    """
    third = len(steps_s) // 3
    if not third:
        return False
    last, before = quartile(steps_s[-third:]), quartile(steps_s[-2 * third : -third])
    return last >= (1.0 - STEADY) * before


def quartile(steps_s: List[float]) -> float:
    """Return the lower quartile, seconds."""
    return sorted(steps_s)[len(steps_s) // 4]


def settled_after(steps_s: List[float]) -> Optional[int]:
    """Return after how many steps all others take about the same time, to two twelfths of them; 0
    where all do.

    None: they changed by `CHANGE` within the last third, so that nobody knows what the steady state
    is. Faster and slower count alike.
    """
    size = len(steps_s) // PARTS
    if size < MINIMUM_A_PART:
        return 0
    starts = [part * len(steps_s) // PARTS for part in range(PARTS + 1)]
    levels = [quartile(steps_s[start:end]) for start, end in zip(starts, starts[1:])]
    last = sorted(levels[-PARTS // 3 :])[PARTS // 6]
    changed = [
        part
        for part, level in enumerate(levels)
        if abs(math.log(max(level, 1e-9) / max(last, 1e-9))) > math.log(CHANGE)
    ]
    if not changed:
        return 0
    # One part more: a quartile looks like the new state when a quarter of the part is.
    return None if changed[-1] >= PARTS - PARTS // 3 else starts[changed[-1] + 2]
