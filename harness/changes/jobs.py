"""Jobs that came, went, or ended otherwise, and rows that nobody looked at this time.

A job's own name has a hash of all that was asked, and rounds are numbered; nights are compared by
what a job is of. A job that was `ok` and is gone is a regression: what is not run is not judged,
and a report must not get greener by losing rows.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.changes import provenance
from harness.changes.model import (
    APPEARED,
    IMPROVEMENT,
    NOTE,
    REGRESSION,
    STATUS,
    VANISHED,
    Change,
    Measurand,
    Night,
    Subject,
    measurand,
)
from harness.changes.provenance import Suspects
from harness.changes.verdicts import Key, rows
from harness.results.model import JobRow
from harness.results.verdicts import Speed

OK = "ok"
#: How a job is told apart: kind, workload, build, precision, seed.
Job = tuple[str, str, str, str, int | None]


def jobs(night: Night, seeded: bool = True) -> dict[Job, JobRow]:
    """Return how the jobs of a night ended; of several under one name (rounds), the first that did
    not end ok."""
    found: dict[Job, JobRow] = {}
    for row in night.report.jobs:
        for build in row.build.split(" ") if row.kind == "speed" else (row.build,):
            key = (row.kind, row.workload, build, row.precision, row.seed if seeded else None)
            if key not in found or (found[key].status == OK and row.status != OK):
                found[key] = row
    return found


def changes(before: Night, after: Night, suspects: Suspects) -> Iterator[Change]:
    """Yield the jobs that vanished or appeared or whose status changed, told once for each workload
    and build; rows that vanished although their jobs ran; and comparisons of speed that are refused
    now."""
    # Older reports do not tell seeds.
    seeded = all(row.seed is not None for night in (before, after) for row in night.report.jobs)
    old, new = jobs(before, seeded), jobs(after, seeded)
    groups: dict[tuple[str, str, str, str | None, str | None], list[Job]] = {}
    for job in dict.fromkeys((*old, *new)):
        was, now = (night[job].status if job in night else None for night in (old, new))
        if was != now:
            groups.setdefault((job[1], job[2], _severity(was, now), was, now), []).append(job)
    for (workload, build, severity, was, now), group in groups.items():
        kind = VANISHED if now is None else APPEARED if was is None else STATUS
        found = suspects.of(workload, (build,)) if kind == STATUS else ()
        reason = new[group[0]].reason.rstrip(".") if now else ""
        how = {
            VANISHED: f"was {was} and is gone",
            APPEARED: f"is new and ended {now}",
            STATUS: f"was {was} and ended {now}",
        }[kind] + (f" ({reason})" if reason else "")
        named = [
            f"{of} {precision}{f' seed {seed}' if seed else ''}"
            for of, _, _, precision, seed in group
        ]
        more = f" So did {len(group) - 1} more of its jobs." if len(group) > 1 else ""
        told = provenance.told(found) if severity == REGRESSION and kind == STATUS else ""
        first = group[0]
        subject = Subject(workload, build, "", "", first[3], "", f"{first[0]} job", first[4])
        text = f"The {first[0]} job of {workload} {first[3]} on {build} {how}.{more}{told}"
        yield Change(kind, severity, subject, was, now, text, found, None, tuple(named[1:]))
    yield from _rows(before, after, {key[1:4] for key in {*old} - {*new}})
    yield from _refused(before, after, suspects)


def _severity(was: str | None, now: str | None) -> str:
    """Return a regression where something ran well and does not any more, an improvement where it
    does now and did not."""
    return NOTE if was is None else REGRESSION if was == OK else IMPROVEMENT if now == OK else NOTE


def _rows(before: Night, after: Night, gone: set[tuple[str, str, str]]) -> Iterator[Change]:
    """Yield rows that were judged and are not there, told by pair; those of a job that vanished are
    told with it."""
    lost: dict[tuple[str, str, str, str], list[str]] = {}
    stages, speed = rows(after), {measurand(row) for row in after.report.speed}
    for key in rows(before):
        if key not in stages:
            lost.setdefault(_pair(key), []).append(key[4])
    for row in before.report.speed:
        if measurand(row) not in speed:
            lost.setdefault(_pair(measurand(row)), []).append(row.action)
    for (workload, a, b, precision), what in lost.items():
        if not any((workload, provenance.build_of(side), precision) in gone for side in (a, b)):
            names = ", ".join(dict.fromkeys(what))
            text = f"{workload} {precision} {a} : {b} was judged by {names}, and is not any more."
            yield Change(
                VANISHED,
                REGRESSION,
                Subject(workload, "", a, b, precision, "", names),
                names,
                None,
                text,
            )


def _pair(key: Key | Measurand) -> tuple[str, str, str, str]:
    return (key.workload, key.a, key.b, key.precision) if isinstance(key, Measurand) else key[:4]


def _refused(before: Night, after: Night, suspects: Suspects) -> Iterator[Change]:
    """Yield comparisons of speed that are refused now and were not, or the other way round."""
    old = {measurand(row): row for row in before.report.speed}
    for row in after.report.speed:
        was = old.get(measurand(row))
        if was is None or (was.verdict == Speed.REFUSED) == (row.verdict == Speed.REFUSED):
            continue
        severity = REGRESSION if row.verdict == Speed.REFUSED else IMPROVEMENT
        found = suspects.of(row.workload, (row.a, row.b))
        text = (
            f"{row.workload} {row.action} {row.precision} {row.a} : {row.b} is {row.verdict} and"
            f" was {was.verdict}: {row.reason}"
        )
        subject = Subject(
            row.workload, "", row.a, row.b, row.precision, row.preset, row.action, row.seed
        )
        yield Change(
            STATUS, severity, subject, was.verdict, row.verdict, f"{text.rstrip('.')}.", found
        )
