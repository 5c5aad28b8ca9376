"""What changed tonight: every kind of change between two judged runs, and what the history shows, in the order of their weight."""

from __future__ import annotations

from collections.abc import Sequence

from harness.changes import floors, jobs, memory, provenance, series, speed, verdicts
from harness.changes.model import Change, Night, Series, order


def between(before: Night, after: Night, histories: Sequence[Series] = ()) -> tuple[Change, ...]:
    """Return what changed, regressions first.

    Args:
        before, after: two runs of the same plan. histories: of speed ratios, each with tonight as its newest point. They lend the
            comparison of the two nights the machine's own night-to-night noise, and are searched for steps.
    """
    suspects = provenance.Suspects(before, after)
    found = [
        *verdicts.changes(before, after, suspects), *speed.changes(before, after, suspects, series.spreads(histories)),
        *series.changes(histories), *floors.changes(before, after, suspects), *memory.changes(before, after, suspects),
        *jobs.changes(before, after, suspects), *provenance.changes(suspects),
    ]
    return tuple(sorted(found, key=order))
