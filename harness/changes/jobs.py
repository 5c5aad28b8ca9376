"""Jobs that came, went, or ended otherwise, and rows that nobody looked at this time.

A job's own name has a hash of all that was asked, and rounds are numbered; nights are compared by
what a job is of. A job that was `ok` and is gone is a regression: what is not run is not judged,
and a report must not get greener by losing rows.
"""

from __future__ import annotations

from collections.abc import Iterator

from backends.contract import Status
from harness.changes import provenance
from harness.changes.model import (
    APPEARED,
    IMPROVEMENT,
    NOTE,
    REGRESSION,
    STATUS,
    VANISHED,
    Change,
    JudgedNight,
    Severity,
    Subject,
    Suspect,
    measurand,
    ratio_subject,
)
from harness.changes.provenance import Suspects
from harness.changes.verdicts import rows
from harness.results.model import JobRow
from harness.results.verdicts import Speed

#: How a job is told apart: kind, workload, build, precision, seed.
Job = tuple[str, str, str, str, int | None]


def jobs(night: JudgedNight, seeded: bool = True) -> dict[Job, JobRow]:
    """Return how the jobs of a night ended; of several under one name (rounds), the first that did
    not end ok.

    Args:
        seeded: whether seeds tell jobs apart: older reports do not tell them.
    """
    by_job: dict[Job, JobRow] = {}
    for row in night.report.jobs:
        for build in row.builds:
            key = (row.kind, row.workload, build, row.precision, row.seed if seeded else None)
            if key not in by_job or (by_job[key].status == Status.OK and row.status != Status.OK):
                by_job[key] = row
    return by_job


def seeds_told(before: JudgedNight, after: JudgedNight) -> bool:
    """Whether the jobs of both nights tell their seeds."""
    return all(row.seed is not None for row in (*before.report.jobs, *after.report.jobs))


def changes(before: JudgedNight, after: JudgedNight, suspects: Suspects) -> Iterator[Change]:
    """Yield jobs that vanished, appeared or ended otherwise, once for each workload and build; rows
    that vanished although their jobs ran; and comparisons of speed that are refused now."""
    seeded = seeds_told(before, after)
    old, new = jobs(before, seeded), jobs(after, seeded)
    groups: dict[tuple[str, str, Severity, str | None, str | None], list[Job]] = {}
    for job in dict.fromkeys((*old, *new)):
        was: str | None = old[job].status if job in old else None
        now: str | None = new[job].status if job in new else None
        if was != now:
            groups.setdefault((job[1], job[2], _severity(was, now), was, now), []).append(job)
    for (_, _, severity, was, now), group in groups.items():
        reason = new[group[0]].reason.rstrip(".") if now else ""
        yield _ended_otherwise(group, severity, was, now, reason, suspects)
    yield from _rows(before, after, {key[1:4] for key in {*old} - {*new}})
    yield from _refused(before, after, suspects)


def _ended_otherwise(
    group: list[Job],
    severity: Severity,
    was: str | None,
    now: str | None,
    reason: str,
    suspects: Suspects,
) -> Change:
    """Return the change of jobs of one workload and build that all went from one status to another;
    None is the status of a job that is not there."""
    of, workload, build, precision, seed = group[0]
    blamed: tuple[Suspect, ...] = ()
    suspected = ""
    if now is None:
        kind, how = VANISHED, f"was {was} and is gone"
    elif was is None:
        kind, how = APPEARED, f"is new and ended {now}"
    else:
        kind, how = STATUS, f"was {was} and ended {now}"
        blamed = suspects.of(workload, (build,))
        if severity == REGRESSION:
            suspected = provenance.suspects_text(blamed)
    if reason:
        how += f" ({reason})"
    more = f" So did {len(group) - 1} more of its jobs." if len(group) > 1 else ""
    return Change(
        kind=kind,
        severity=severity,
        subject=Subject(
            workload=workload, build=build, precision=precision, what=f"{of} job", seed=seed
        ),
        before=was,
        after=now,
        text=f"The {of} job of {workload} {precision} on {build} {how}.{more}{suspected}",
        suspects=blamed,
        also=tuple(_job_name(job) for job in group[1:]),
    )


def _job_name(job: Job) -> str:
    kind, _, _, precision, seed = job
    return f"{kind} {precision}{f' seed {seed}' if seed else ''}"


def _severity(was: str | None, now: str | None) -> Severity:
    """Return a regression where something ran well and does not any more, an improvement where it
    does now and did not."""
    if was is None:
        return NOTE
    if was == Status.OK:
        return REGRESSION
    return IMPROVEMENT if now == Status.OK else NOTE


def _rows(
    before: JudgedNight, after: JudgedNight, gone: set[tuple[str, str, str]]
) -> Iterator[Change]:
    """Yield rows that were judged and are not there, told by pair; those of a job that vanished are
    told with it."""
    lost: dict[tuple[str, str, str, str], list[str]] = {}
    sides: dict[tuple[str, str, str, str], tuple[str, str]] = {}
    stages, speed = rows(after), {measurand(row) for row in after.report.speed}
    for key, judged in rows(before).items():
        if key not in stages:
            sides[key[:4]] = judged.sides
            lost.setdefault(key[:4], []).append(judged.stage)
    for row in before.report.speed:
        if measurand(row) not in speed:
            pair = (row.workload, row.a, row.b, row.precision)
            sides[pair] = (row.a, row.b)
            lost.setdefault(pair, []).append(row.action)
    for pair, what in lost.items():
        workload, a, b, precision = pair
        if not any((workload, side, precision) in gone for side in sides[pair]):
            names = ", ".join(dict.fromkeys(what))
            text = f"{workload} {precision} {a} : {b} was judged by {names}, and is not any more."
            yield Change(
                kind=VANISHED,
                severity=REGRESSION,
                subject=Subject(workload=workload, a=a, b=b, precision=precision, what=names),
                before=names,
                after=None,
                text=text,
            )


def _refused(before: JudgedNight, after: JudgedNight, suspects: Suspects) -> Iterator[Change]:
    """Yield comparisons of speed that are refused now and were not, or the other way round."""
    old = {measurand(row): row for row in before.report.speed}
    for row in after.report.speed:
        was = old.get(measurand(row))
        if was is None or (was.verdict == Speed.REFUSED) == (row.verdict == Speed.REFUSED):
            continue
        severity = REGRESSION if row.verdict == Speed.REFUSED else IMPROVEMENT
        text = (
            f"{row.workload} {row.action} {row.precision} {row.a} : {row.b} is {row.verdict} and"
            f" was {was.verdict}: {row.reason}"
        )
        yield Change(
            kind=STATUS,
            severity=severity,
            subject=ratio_subject(measurand(row), build=""),
            before=was.verdict,
            after=row.verdict,
            text=f"{text.rstrip('.')}.",
            suspects=suspects.of(row.workload, (row.a, row.b)),
        )
