"""Memory that grew: peaks of a build during an action, told once for each build whatever it was
paired with.

A peak is read from the kernel's marks, and what a process holds itself hardly varies: in this
project's tests it is found within 2 % or 5 MB (docs/speed.md). A growth beyond both is more than
measuring explains. Pages of mapped files are left out where that is known: the kernel maps more or
fewer of a library's as its page cache has them, tens of megabytes for the same program. The peak is
the largest over the rounds, and nights differ in how many they run; a maximum over more rounds is
larger, which is one reason not to be sharper than that.

Another machine, other threads or another specification hold other memory: a change across them is a
note. What grows by less than that every night is held against the median of the nights before
(`harness.changes.creep`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.changes import conditions, creep, provenance
from harness.changes.creep import Past
from harness.changes.model import (
    IMPROVEMENT,
    MEMORY,
    NOTE,
    REGRESSION,
    Change,
    JudgedNight,
    Measurand,
    Severity,
    Subject,
)
from harness.changes.provenance import Suspects
from harness.results.model import Cost

SHARE, BYTES = 0.02, 5_000_000

#: What a peak is of: workload, side, precision, preset, action, seed, and what was measured.
Key = tuple[str, str, str, str, str, int, str]


def peaks(night: JudgedNight) -> dict[Key, int]:
    """Return the peaks of a night, bytes."""
    largest: dict[Key, int] = {}
    for row in night.report.speed:
        precisions = row.precisions
        sides = (
            (row.a, precisions.a, row.a_peak_bytes, row.a_cost),
            (row.b, precisions.b, row.b_peak_bytes, row.b_cost),
        )
        for side, precision, peak, cost in sides:
            for what, size in _sizes(peak, cost):
                if size:
                    key = (row.workload, side, precision, row.preset, row.action, row.seed, what)
                    largest[key] = max(size, largest.get(key, 0))
    return largest


def _sizes(peak: int | None, cost: Cost | None) -> Iterator[tuple[str, int | None]]:
    """Yield what is known of one side's memory: on the host, and on the GPU."""
    private = cost.private_bytes if cost else None
    if private is None:
        yield "peak memory", peak
    else:
        yield "peak memory without mapped files", private
    yield "peak memory on the GPU", cost.device_peak_bytes if cost else None


def changes(
    before: JudgedNight, after: JudgedNight, suspects: Suspects, past: Sequence[Past] = ()
) -> Iterator[Change]:
    """Yield the peaks that grew, or shrank, by more than 2 % and more than 5 MB. Where the port or
    the conditions changed, it is a note.

    Args:
        past: the nights before tonight, newest first, `before` among them: a peak that grew by that
            much against their median is told too.
    """
    old, reasons = peaks(before), conditions.between(before, after)
    earlier = [(night, peaks(night.night)) for night in past]
    for key, size in peaks(after).items():
        was = old.get(key)
        grown = was is not None and _beyond(size, was)
        reason = _elsewhere(key, reasons)
        alike = not reason and not _ported(key, suspects)
        if was is not None and (grown or was - size > max(SHARE * was, BYTES)):
            severity = NOTE if not alike else REGRESSION if grown else IMPROVEMENT
            yield _change(key, (was, size), severity, f"; {reason}" if reason else "", suspects)
        if not (grown and alike):
            yield from _crept(key, size, earlier)


def _beyond(size: float, was: float) -> bool:
    return size - was > max(SHARE * was, BYTES)


def _ported(key: Key, suspects: Suspects) -> bool:
    """Whether it is of other code or other data."""
    workload, side, _, preset, _, seed, _ = key
    return (workload, side) in suspects.ports or f"{workload}/{preset}/{seed}" in suspects.tapes


def _elsewhere(key: Key, reasons: Mapping[Measurand, str]) -> str:
    """Return in what the conditions differ under which a peak was measured, or an empty string."""
    workload, side, precision, preset, action, seed, _ = key
    for what, reason in reasons.items():
        sides = ((what.a, what.precisions.a), (what.b, what.precisions.b))
        measured = (what.workload, what.preset, what.action, what.seed)
        if (workload, preset, action, seed) == measured and (side, precision) in sides:
            return reason
    return ""


def _crept(
    key: Key, size: int, earlier: Sequence[tuple[Past, Mapping[Key, int]]]
) -> Iterator[Change]:
    """Yield the growth of a peak against the median of the comparable nights, in the night in which
    it gets beyond the threshold."""
    alike = [
        (night, sizes[key])
        for night, sizes in earlier
        if key in sizes and not _ported(key, night.suspects) and not _elsewhere(key, night.reasons)
    ]
    median = creep.crept(size, [peak for _, peak in alike], _beyond)
    if median is not None:
        oldest, _ = alike[median.nights - 1]
        how = f" against the median of the last {median.nights} nights"
        yield _change(key, (median.value, size), REGRESSION, how, oldest.suspects)


def _change(
    key: Key, sizes: tuple[float, int], severity: Severity, how: str, suspects: Suspects
) -> Change:
    workload, side, precision, preset, action, seed, what = key
    was, size = sizes
    of_peak = suspects.of(workload, (side,), f"{workload}/{preset}/{seed}")
    text = (
        f"{workload} {action} {precision} on {side}: {what} {'grew' if size > was else 'shrank'}"
        f" from {was / 1e6:.1f} to {size / 1e6:.1f} MB ({100.0 * (size / was - 1.0):+.1f}"
        f" %){how}.{provenance.suspects_text(of_peak)}"
    )
    return Change(
        kind=MEMORY,
        severity=severity,
        subject=Subject(
            workload=workload,
            build=side,
            precision=precision,
            preset=preset,
            what=action,
            seed=seed,
        ),
        before=was,
        after=size,
        text=text,
        suspects=of_peak,
    )
