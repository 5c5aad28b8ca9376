"""Every figure in which two runs differ, judged or not, and whether they can be compared. Pure."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

from harness.changes import causes, conditions, jobs, memory, nights, provenance, speed, verdicts
from harness.changes.causes import RankedSuspect
from harness.changes.model import (
    PORT,
    RATIO,
    REGRESSION,
    SETTING,
    SLOWER,
    VERDICT,
    VERSION,
    Change,
    JudgedNight,
    Suspect,
    Value,
)
from harness.changes.provenance import Suspects
from harness.changes.welch import JudgedRatio
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
#: The section of what a run tells of its builds.
TOLD_IN = {VERSION: "versions", PORT: "versions", SETTING: "settings"}
#: Changes that end `harness diff` with the code of a regression.
DECISIVE = (VERDICT, SLOWER, RATIO)
SLOWER_CODE = 3


@dataclasses.dataclass(frozen=True)
class FigureDifference:
    """One figure in which two runs differ.

    Attributes:
        section: one of `SECTIONS`.
        subject: whose figure.
        before, after: None where a run has none.
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
        comparable: whether any row is of the same thing in both.
        apart: in what the two runs are of different things, a sentence each.
        suspects: what moved, the likeliest cause of the changed verdicts first.
        unreported: what only one of the runs tells: whether it changed, nobody can say.
    """

    before: str
    after: str
    comparable: bool
    apart: tuple[str, ...]
    changes: tuple[Change, ...]
    differences: tuple[FigureDifference, ...]
    suspects: tuple[RankedSuspect, ...] = ()
    unreported: tuple[FigureDifference, ...] = ()

    @property
    def exit_code(self) -> int:
        """2 where nothing can be compared, 3 for a lost verdict, a material slow-down or what may
        be one, else 0."""
        if not self.comparable:
            return 2
        lost = any(
            change.severity == REGRESSION and change.kind in DECISIVE for change in self.changes
        )
        return SLOWER_CODE if lost else 0


def diff(before: JudgedNight, after: JudgedNight) -> Diff:
    """Return what differs between two runs.

    Args:
        before, after: what became worse did so from the first to the second.
    """
    suspects = Suspects(before, after)
    comparable = bool(
        {*verdicts.rows(before)} & {*verdicts.rows(after)} or speed.both_rows(before, after)
    )
    differences = sorted(
        _differences(before, after, suspects),
        key=lambda differing: SECTIONS.index(differing.section),
    )
    return Diff(
        before=f"{before.report.title}, {before.report.created}",
        after=f"{after.report.title}, {after.report.created}",
        comparable=comparable,
        apart=tuple(apart(before, after, suspects)),
        changes=nights.between(before, after) if comparable else (),
        differences=tuple(differences),
        suspects=causes.ranked(before, after, suspects) if comparable else (),
        unreported=tuple(_unreported(before, after)),
    )


def _unreported(before: JudgedNight, after: JudgedNight) -> Iterator[FigureDifference]:
    for kind, side, what, was, now in provenance.unreported(before, after):
        yield FigureDifference(TOLD_IN[kind], side, what, was, now)
    old, new = (", ".join(conditions.machines(night)) or None for night in (before, after))
    if (old is None) != (new is None):
        yield FigureDifference("settings", "all builds", conditions.MACHINE, old, new)


def apart(before: JudgedNight, after: JudgedNight, suspects: Suspects) -> Iterator[str]:
    """Yield in what the two runs are not of the same thing."""
    old, new = scope(before.report), scope(after.report)
    for name, values in old.items():
        for where, only in (("first", values - new[name]), ("second", new[name] - values)):
            if only:
                yield f"Only the {where} run has {name} {', '.join(sorted(only))}."
    for tape in suspects.tapes.values():
        yield (
            f"The {tape.what} is another one: data, weights or noise differ, and so do all figures"
            " of it."
        )
    for port in suspects.ports.values():
        yield f"The {port.what} on {port.build} is other code: times and memory are not compared."


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


def _differences(
    before: JudgedNight, after: JudgedNight, suspects: Suspects
) -> Iterator[FigureDifference]:
    yield from _stages(before, after)
    yield from _speed(before, after, suspects)
    old, new = memory.peaks(before), memory.peaks(after)
    for key, size in new.items():
        if key in old and old[key] != size:
            workload, side, precision, _, action, seed, what = key
            subject = f"{workload} {action} {precision}{_seed(seed)} on {side}"
            yield FigureDifference(
                "memory", subject, what, old[key], size, _percent(size / old[key])
            )
    yield from _quality(before.report.quality, after.report.quality)
    for side, moved in (*suspects.versions.items(), ("", suspects.shared)):
        for package in moved:
            yield _moved("versions", side or "all builds", package)
    for port in suspects.ports.values():
        yield _moved("versions", port.build, port)
    for side, moved in suspects.settings.items():
        for setting in moved:
            yield _moved("settings", side, setting)
    for name, tape in suspects.tapes.items():
        yield FigureDifference("data", name, "tape", tape.before, tape.after)
    yield from _jobs(before, after)


def _moved(section: str, subject: str, suspect: Suspect) -> FigureDifference:
    return FigureDifference(section, subject, suspect.what, suspect.before, suspect.after)


def _stages(before: JudgedNight, after: JudgedNight) -> Iterator[FigureDifference]:
    old = verdicts.rows(before)
    for key, row in verdicts.rows(after).items():
        was = old.get(key)
        if was is None:
            continue
        subject = f"{row.workload} {row.stage} {row.precision}{_seed(row.seed)} {row.a} : {row.b}"
        if was.verdict != row.verdict:
            reason = row.reason if row.verdict != Fidelity.PASS else ""
            yield FigureDifference("verdicts", subject, "verdict", was.verdict, row.verdict, reason)
        if not _same(was.error, row.error) or not _same(was.threshold, row.threshold):
            tensor = f"{row.worst}" if was.worst == row.worst else f"{was.worst}, then {row.worst}"
            yield FigureDifference(
                "errors", subject, f"error of {tensor}", was.error, row.error, _margin(was, row)
            )


def _margin(was: StageRow, row: StageRow) -> str:
    """Return how the error stood to its threshold before and after, in words."""
    return f"error / threshold {_share(was)} -> {_share(row)}"


def _share(row: StageRow) -> str:
    if row.error is None or not row.threshold:
        return "-"
    return f"{row.error / row.threshold:.2g}"


def _speed(
    before: JudgedNight, after: JudgedNight, suspects: Suspects
) -> Iterator[FigureDifference]:
    """Yield how rows of speed differ: verdicts and ratios, then the step times of each side."""
    rows, reasons = speed.compare(before, after, suspects, {})
    judged = {row.after.measurand: row.judged for row in rows}
    both = speed.both_rows(before, after)
    for what, (was, row) in both.items():
        subject = f"{row.workload} {row.action} {row.precision}{_seed(row.seed)} {row.a} : {row.b}"
        if was.verdict != row.verdict:
            yield FigureDifference(
                "verdicts", subject, "speed, not judged here", was.verdict, row.verdict
            )
        if not _same(was.ratio, row.ratio):
            note = f"not judged: {reasons.get(what, 'the rounds are not there')}"
            if what in judged:
                note = _judgement(judged[what])
            figure = f"time of {row.b} / {row.a}"
            yield FigureDifference("speed ratios", subject, figure, _ratio(was), _ratio(row), note)
    yield from _step_times(list(both.values()))


def _judgement(judged: JudgedRatio) -> str:
    interval = f"[{_percent(judged.low)}, {_percent(judged.high)}]"
    material = "material" if judged.material else "not material"
    return f"{_percent(judged.ratio)} {interval}, {material}"


def _step_times(both: Sequence[tuple[SpeedRow, SpeedRow]]) -> Iterator[FigureDifference]:
    """Yield the step times that differ, of each side once, whatever it was paired with."""
    times: dict[tuple[str, str], tuple[float | None, float | None]] = {}
    for was, row in both:
        name = f"{row.workload} {row.action} {row.precision}{_seed(row.seed)} {row.preset}"
        times.setdefault((name, row.a), (was.a_step_s, row.a_step_s))
        times.setdefault((name, row.b), (was.b_step_s, row.b_step_s))
    for (name, side), (old_s, new_s) in times.items():
        if not _same(old_s, new_s):
            note = _percent(new_s / old_s) if old_s and new_s else ""
            yield FigureDifference(
                "step times", f"{name} on {side}", "seconds a step, not paired", old_s, new_s, note
            )


def _ratio(row: SpeedRow) -> str | None:
    if row.ratio is None:
        return None
    if row.low is None or row.high is None:
        return f"{row.ratio:.3f}"
    return f"{row.ratio:.3f} [{row.low:.3f}, {row.high:.3f}]"


def _quality(
    before: Sequence[QualityRow], after: Sequence[QualityRow]
) -> Iterator[FigureDifference]:
    old = {(row.workload, row.build, row.precision, row.preset, row.metric): row for row in before}
    for row in after:
        was = old.get((row.workload, row.build, row.precision, row.preset, row.metric))
        if was is not None and not _same(was.mean, row.mean):
            subject = f"{row.workload} {row.precision} on {row.build}"
            interval = ""
            if row.low is not None and row.high is not None:
                interval = f"95 % interval now [{row.low:.3g}, {row.high:.3g}]"
            yield FigureDifference("quality", subject, row.metric, was.mean, row.mean, interval)


def _jobs(before: JudgedNight, after: JudgedNight) -> Iterator[FigureDifference]:
    seeded = jobs.seeds_told(before, after)
    old = {job: row.status for job, row in jobs.jobs(before, seeded).items()}
    new = {job: row.status for job, row in jobs.jobs(after, seeded).items()}
    for job in dict.fromkeys((*old, *new)):
        was, now = old.get(job), new.get(job)
        if was != now:
            kind, workload, build, precision, seed = job
            subject = f"{workload} {precision}{_seed(seed or 0)} on {build}"
            yield FigureDifference("jobs", subject, f"{kind} job", was, now)


def _same(before: float | None, after: float | None) -> bool:
    return before == after or (
        before is not None and after is not None and math.isnan(before) and math.isnan(after)
    )


def _seed(seed: int) -> str:
    return f" seed {seed}" if seed else ""


def _percent(ratio: float) -> str:
    return f"{100.0 * (ratio - 1.0):+.1f} %"
