"""Jobs and rows that came, went or ended otherwise: a report never gets greener by losing them."""

from __future__ import annotations

import dataclasses

from harness.changes import jobs
from harness.changes.model import (
    APPEARED,
    IMPROVEMENT,
    NOTE,
    REGRESSION,
    STATUS,
    VANISHED,
    JudgedNight,
)
from harness.changes.provenance import Suspects


def found(before, after):
    old, new = JudgedNight(before), JudgedNight(after)
    return list(jobs.changes(old, new, Suspects(old, new)))


def without(of, build):
    """Return a report without one build."""
    return dataclasses.replace(
        of,
        jobs=tuple(
            (
                row
                if build not in row.build.split()
                else dataclasses.replace(
                    row,
                    build=row.build.replace(build, "").strip(),
                    sides=tuple(side for side in row.sides if side != build),
                )
            )
            for row in of.jobs
            if row.build != build
        ),
        stages=tuple(row for row in of.stages if build not in (row.a, row.b)),
        speed=tuple(row for row in of.speed if build not in (row.a, row.b)),
    )


def test_another_number_of_rounds_is_no_change(sample):
    """Nor is another hash in the names of jobs: both follow from how long a night had, and from
    the options."""
    base = sample.report()
    fewer = dataclasses.replace(
        base, jobs=tuple(dataclasses.replace(row, job=f"{row.job}x") for row in base.jobs[:-3])
    )
    assert [] == found(base, fewer)


def test_jobs_that_vanished_are_a_regression_told_once(sample):
    """Planted: torch is not run any more. Its rows went with its jobs and are not told again;
    what is new is a note."""
    base = sample.report()
    (gone,) = found(base, without(base, "torch"))
    assert (VANISHED, REGRESSION, "torch", "ok", None) == (
        gone.kind,
        gone.severity,
        gone.subject.build,
        gone.before,
        gone.after,
    )
    assert (
        "fidelity fp32",
        "speed fp32",
    ) == gone.also and "So did 2 more of its jobs." in gone.text
    (new,) = found(without(base, "torch"), base)
    assert (APPEARED, NOTE) == (new.kind, new.severity)


def test_rows_that_vanished_while_their_jobs_ran_are_found(sample):
    """Planted: the gradients are not judged any more, though all jobs are there."""
    base = sample.report(("tf2", "torch"), ("fp64",))
    fewer = dataclasses.replace(
        base, stages=tuple(row for row in base.stages if row.stage != "gradients")
    )
    (change,) = found(base, fewer)
    assert (VANISHED, REGRESSION, "gradients") == (change.kind, change.severity, change.before)
    (change,) = found(base, dataclasses.replace(base, speed=base.speed[:1]))
    assert "generate" == change.before


def test_a_status_that_changed(sample):
    """A crash is a regression with its reason, and its end an improvement; unsupported that
    timed out is neither."""
    base = sample.report(("tf2", "torch"), ("fp64",))
    crash = dataclasses.replace(
        base,
        jobs=tuple(
            (
                dataclasses.replace(row, status="crashed", reason="SIGSEGV after 3 s")
                if row.build == "torch"
                else row
            )
            for row in base.jobs
        ),
    )
    (change,) = found(base, sample.rebuilt(crash, "torch", versions={"framework": "2.14.0"}))
    assert (STATUS, REGRESSION, "ok", "crashed") == (
        change.kind,
        change.severity,
        change.before,
        change.after,
    )
    assert "SIGSEGV after 3 s" in change.text and "2.14.0" in change.text
    assert [IMPROVEMENT] == [one.severity for one in found(crash, base)]
    ends = [
        dataclasses.replace(base, jobs=(dataclasses.replace(base.jobs[0], status=status),))
        for status in ("unsupported", "timeout")
    ]
    assert [NOTE] == [one.severity for one in found(*ends)]


def test_one_round_that_failed_among_many_is_seen(sample):
    """Of the rounds of one speed job the one that did not end ok counts."""
    base = sample.report(("tf2", "torch"), ("fp64",))
    rows = [
        *base.jobs[:-1],
        dataclasses.replace(
            base.jobs[-1], build="torch", sides=(), status="timeout", reason="after 60 s"
        ),
    ]
    (change,) = found(base, dataclasses.replace(base, jobs=tuple(rows)))
    assert ("torch", "timeout", "speed job") == (
        change.subject.build,
        change.after,
        change.subject.what,
    )


def test_older_reports_tell_no_seeds(sample):
    """A job without a seed is the same job."""
    base = sample.report()
    assert [] == found(
        dataclasses.replace(
            base, jobs=tuple(dataclasses.replace(row, seed=None) for row in base.jobs)
        ),
        base,
    )


def test_a_comparison_that_is_refused_now(sample):
    """A measured ratio became none."""
    base = sample.report(("tf2", "torch"))
    row = dataclasses.replace(base.speed[0], verdict="REFUSED", reason="threads: a 2, b 4")
    refused = dataclasses.replace(base, speed=(row, *base.speed[1:]))
    (change,) = found(base, refused)
    assert (STATUS, REGRESSION, "REFUSED") == (
        change.kind,
        change.severity,
        change.after,
    ) and "threads: a 2, b 4" in change.text
    assert [IMPROVEMENT] == [one.severity for one in found(refused, base)]
