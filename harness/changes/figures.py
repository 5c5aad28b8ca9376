"""Every figure in which two runs differ, judged or not, and whether the two can be compared at all.
Pure."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence

from harness.changes import jobs, memory, nights, speed, verdicts
from harness.changes.model import RATIO, REGRESSION, SLOWER, VERDICT, Change, Night, Value
from harness.changes.provenance import Suspects
from harness.results.model import QualityRow, Report, SpeedRow, StageRow
from harness.results.verdicts import Fidelity

#: Sections, in the order in which they are shown.
SECTIONS = (
    "verdicts",
    "errors",
    "speed ratios",
    "step times",
    "memory",
    "quality",
    "versions",
    "settings",
    "data",
    "jobs",
)
#: Changes that end `harness diff` with the code of a regression.
DECISIVE = (VERDICT, SLOWER, RATIO)
SLOWER_CODE = 3


@dataclasses.dataclass(frozen=True)
class Difference:
    """One figure in which two runs differ.

    Attributes:
        section: one of `SECTIONS`. subject: whose figure. before, after: None where a run has none.
            note: what the difference means.
    """

    section: str
    subject: str
    what: str
    before: Value
    after: Value
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Diff:
    """What differs between two runs.

    Attributes:
        before, after: the reports' titles and times, in words.
        comparable: whether any row is of the same thing in both. apart: in what the two runs are of
            different things, a sentence each.
    """

    before: str
    after: str
    comparable: bool
    apart: tuple[str, ...]
    changes: tuple[Change, ...]
    differences: tuple[Difference, ...]

    @property
    def exit_code(self) -> int:
        """2 where nothing can be compared, 3 for a lost verdict, a material slow-down or what may
        be one, else 0."""
        if not self.comparable:
            return 2
        return (
            SLOWER_CODE
            if any(one.severity == REGRESSION and one.kind in DECISIVE for one in self.changes)
            else 0
        )


def diff(before: Night, after: Night) -> Diff:
    """Return what differs between two runs."""
    suspects = Suspects(before, after)
    comparable = bool(
        {*verdicts.rows(before)} & {*verdicts.rows(after)} or speed.both_rows(before, after)
    )
    old, new = (f"{night.report.title}, {night.report.created}" for night in (before, after))
    found = nights.between(before, after) if comparable else ()
    differences = sorted(
        _differences(before, after, suspects), key=lambda one: SECTIONS.index(one.section)
    )
    return Diff(
        old, new, comparable, tuple(apart(before, after, suspects)), found, tuple(differences)
    )


def apart(before: Night, after: Night, suspects: Suspects) -> Iterator[str]:
    """Yield in what the two runs are not of the same thing."""
    old, new = scope(before.report), scope(after.report)
    for name, values in old.items():
        for where, only in (("first", values - new[name]), ("second", new[name] - values)):
            if only:
                yield f"Only the {where} run has {name} {', '.join(sorted(only))}."
    for one in suspects.tapes.values():
        yield (
            f"The {one.what} is another one: data, weights or noise differ, and so do all figures"
            " of it."
        )
    for one in suspects.ports.values():
        yield f"The {one.what} on {one.build} is other code: times and memory are not compared."


def scope(report: Report) -> dict[str, set[str]]:
    """Return what a report is about."""
    rows: tuple[StageRow | SpeedRow, ...] = (*report.stages, *report.speed)
    return {
        "workload": {row.workload for row in rows},
        "comparison": {f"{row.a} : {row.b}" for row in rows},
        "precision": {row.precision for row in rows},
        "preset": {row.preset for row in rows},
        "seed": {str(row.seed) for row in rows},
        "stage": {row.stage for row in report.stages},
        "action": {row.action for row in report.speed},
    }


def _differences(before: Night, after: Night, suspects: Suspects) -> Iterator[Difference]:
    yield from _stages(before, after)
    yield from _speed(before, after, suspects)
    old, new = memory.peaks(before), memory.peaks(after)
    for key, size in new.items():
        if key in old and old[key] != size:
            workload, side, precision, _, action, seed, what = key
            subject = f"{workload} {action} {precision}{_seed(seed)} on {side}"
            yield Difference("memory", subject, what, old[key], size, _percent(size / old[key]))
    yield from _quality(before.report.quality, after.report.quality)
    for side, moved in (*suspects.versions.items(), ("", suspects.shared)):
        for one in moved:
            yield Difference("versions", side or "all builds", one.what, one.before, one.after)
    for one in suspects.ports.values():
        yield Difference("versions", one.build, one.what, one.before, one.after)
    for side, moved in suspects.settings.items():
        for one in moved:
            yield Difference("settings", side, one.what, one.before, one.after)
    for name, one in suspects.tapes.items():
        yield Difference("data", name, "tape", one.before, one.after)
    yield from _jobs(before, after)


def _stages(before: Night, after: Night) -> Iterator[Difference]:
    old = verdicts.rows(before)
    for key, row in verdicts.rows(after).items():
        was = old.get(key)
        if was is None:
            continue
        subject = f"{row.workload} {row.stage} {row.precision}{_seed(row.seed)} {row.a} : {row.b}"
        if was.verdict != row.verdict:
            yield Difference(
                "verdicts",
                subject,
                "verdict",
                was.verdict,
                row.verdict,
                row.reason if row.verdict != Fidelity.PASS else "",
            )
        if not _same(was.error, row.error) or not _same(was.threshold, row.threshold):
            tensor = f"{row.worst}" if was.worst == row.worst else f"{was.worst}, then {row.worst}"
            yield Difference(
                "errors", subject, f"error of {tensor}", was.error, row.error, _margin(was, row)
            )


def _margin(was: StageRow, row: StageRow) -> str:
    told = [
        "-" if one.error is None or not one.threshold else f"{one.error / one.threshold:.2g}"
        for one in (was, row)
    ]
    return f"error / threshold {told[0]} -> {told[1]}"


def _speed(before: Night, after: Night, suspects: Suspects) -> Iterator[Difference]:
    judged, reasons = speed.compare(before, after, suspects, {})
    told = {row.after.measurand: row.judged for row in judged}
    times: dict[tuple[str, str], tuple[float | None, float | None]] = {}
    for what, (was, row) in speed.both_rows(before, after).items():
        subject = f"{row.workload} {row.action} {row.precision}{_seed(row.seed)} {row.a} : {row.b}"
        if was.verdict != row.verdict:
            yield Difference(
                "verdicts", subject, "speed, not judged here", was.verdict, row.verdict
            )
        one = told.get(what)
        note = f"not judged: {reasons.get(what, 'the rounds are not there')}"
        if one is not None:
            note = (
                f"{_percent(one.ratio)} [{_percent(one.low)},"
                f" {_percent(one.high)}]{', material' if one.material else ', not material'}"
            )
        if not _same(was.ratio, row.ratio):
            yield Difference(
                "speed ratios",
                subject,
                f"time of {row.b} / {row.a}",
                _ratio(was),
                _ratio(row),
                note,
            )
        for side, old_s, new_s in (
            (row.a, was.a_step_s, row.a_step_s),
            (row.b, was.b_step_s, row.b_step_s),
        ):
            times.setdefault(
                (
                    f"{row.workload} {row.action} {row.precision}{_seed(row.seed)} {row.preset}",
                    side,
                ),
                (old_s, new_s),
            )
    for (name, side), (old_s, new_s) in times.items():
        if not _same(old_s, new_s):
            note = _percent(new_s / old_s) if old_s and new_s else ""
            yield Difference(
                "step times", f"{name} on {side}", "seconds a step, not paired", old_s, new_s, note
            )


def _ratio(row: SpeedRow) -> str | None:
    if row.ratio is None:
        return None
    ends = (
        f" [{row.low:.3f}, {row.high:.3f}]" if row.low is not None and row.high is not None else ""
    )
    return f"{row.ratio:.3f}{ends}"


def _quality(before: Sequence[QualityRow], after: Sequence[QualityRow]) -> Iterator[Difference]:
    old = {(row.workload, row.build, row.precision, row.preset, row.metric): row for row in before}
    for row in after:
        was = old.get((row.workload, row.build, row.precision, row.preset, row.metric))
        if was is not None and not _same(was.mean, row.mean):
            ends = (
                ""
                if row.low is None or row.high is None
                else f"95 % interval now [{row.low:.3g}, {row.high:.3g}]"
            )
            yield Difference(
                "quality",
                f"{row.workload} {row.precision} on {row.build}",
                row.metric,
                was.mean,
                row.mean,
                ends,
            )


def _jobs(before: Night, after: Night) -> Iterator[Difference]:
    seeded = all(row.seed is not None for night in (before, after) for row in night.report.jobs)
    old: Mapping[jobs.Job, str] = {
        key: row.status for key, row in jobs.jobs(before, seeded).items()
    }
    new: Mapping[jobs.Job, str] = {key: row.status for key, row in jobs.jobs(after, seeded).items()}
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) != new.get(key):
            kind, workload, build, precision, seed = key
            yield Difference(
                "jobs",
                f"{workload} {precision}{_seed(seed or 0)} on {build}",
                f"{kind} job",
                old.get(key),
                new.get(key),
            )


def _same(before: float | None, after: float | None) -> bool:
    return before == after or (
        before is not None and after is not None and math.isnan(before) and math.isnan(after)
    )


def _seed(seed: int) -> str:
    return f" seed {seed}" if seed else ""


def _percent(ratio: float) -> str:
    return f"{100.0 * (ratio - 1.0):+.1f} %"
