"""What changed tonight: every kind of change between two judged runs, and what the history shows,
in the order of their weight."""

from __future__ import annotations

from collections.abc import Sequence

from harness.changes import creep, floors, jobs, memory, provenance, series, speed, verdicts
from harness.changes.model import Change, JudgedNight, Series, order


def between(
    before: JudgedNight,
    after: JudgedNight,
    histories: Sequence[Series] = (),
    earlier: Sequence[JudgedNight] = (),
) -> tuple[Change, ...]:
    """Return what changed, regressions first.

    Args:
        before, after: two runs of the same plan.
        histories: of speed ratios, each with tonight as its newest point. They lend the comparison
            of the two nights the machine's own night-to-night noise, and are searched for steps.
        earlier: nights of the same plan before `before`, newest first. Memory and floors are also
            held against the median of `before` and these, so that what grows by little every night
            is told.
    """
    suspects = provenance.Suspects(before, after)
    past = creep.past(after, (before, *earlier)) if earlier else ()
    changes = [
        *verdicts.changes(before, after, suspects),
        *speed.changes(before, after, suspects, series.spreads(histories)),
        *series.changes(histories),
        *floors.changes(before, after, suspects, past),
        *memory.changes(before, after, suspects, past),
        *jobs.changes(before, after, suspects),
        *provenance.changes(suspects),
    ]
    return tuple(sorted(changes, key=order))
