"""Memory that grew: peaks of a build during an action, told once for each build whatever it was paired with.

A peak is read from the kernel's marks and hardly varies: in this project's tests what is known to be held is found within 2 % or 5 MB
(docs/speed.md). A growth beyond both is more than measuring explains. The peak is the largest over the rounds, and nights differ in how
many they run; a maximum over more rounds is larger, which is one reason not to be sharper than that.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.changes import provenance
from harness.changes.model import IMPROVEMENT, MEMORY, NOTE, REGRESSION, Change, Night, Subject
from harness.changes.provenance import Suspects
from harness.report.model import Cost

SHARE, BYTES = 0.02, 5_000_000

Key = tuple[str, str, str, str, str, int, str]


def peaks(night: Night) -> dict[Key, int]:
    """Return the peaks of a night by workload, side, precision, preset, action, seed and what was measured, bytes."""
    found: dict[Key, int] = {}
    for row in night.report.speed:
        precisions = row.precision.split(":")
        sides = ((row.a, precisions[0], row.a_peak_bytes, row.a_cost), (row.b, precisions[-1], row.b_peak_bytes, row.b_cost))
        for side, precision, peak, cost in sides:
            for what, size in (("peak memory", peak), ("peak memory on the GPU", _device(cost))):
                if size:
                    key = (row.workload, side, precision, row.preset, row.action, row.seed, what)
                    found[key] = max(size, found.get(key, 0))
    return found


def _device(cost: Cost | None) -> int | None:
    return cost.device_peak_bytes if cost else None


def changes(before: Night, after: Night, suspects: Suspects) -> Iterator[Change]:
    """Yield the peaks that grew, or shrank, by more than 2 % and more than 5 MB. Where the port changed, it is a note."""
    old, new = peaks(before), peaks(after)
    for key, size in new.items():
        was = old.get(key)
        if was is None or not abs(size - was) > max(SHARE * was, BYTES):
            continue
        workload, side, precision, preset, action, seed, what = key
        tape = f"{workload}/{preset}/{seed}"
        another = (workload, provenance.build_of(side)) in suspects.ports or tape in suspects.tapes
        found = suspects.of(workload, (side,), tape)
        severity = NOTE if another else REGRESSION if size > was else IMPROVEMENT
        subject = Subject(workload, side, "", "", precision, preset, action, seed)
        text = (
            f"{workload} {action} {precision} on {side}: {what} {'grew' if size > was else 'shrank'} from {was / 1e6:.1f} to "
            f"{size / 1e6:.1f} MB ({100.0 * (size / was - 1.0):+.1f} %).{provenance.told(found)}"
        )
        yield Change(MEMORY, severity, subject, was, size, text, found)
