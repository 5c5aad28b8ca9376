"""What a judged comparison says of one release: its state, with the numbers; or why it cannot be
judged. Pure.

A step time has changed where the whole interval of its ratio lies outside the margin, and is as it
was where the whole interval lies inside; between the two, more rounds would have to say.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from backends.contract import Status, Word
from harness.results.model import Report, SpeedRow, StageRow
from harness.results.verdicts import Fidelity, Speed
from harness.speed.verdict import MARGIN


class ReleaseVerdict(Word):
    """The word for one release: what its comparison says, or why it says nothing."""

    PASS = Fidelity.PASS.value
    FAIL = Fidelity.FAIL.value
    INCONCLUSIVE = Fidelity.INCONCLUSIVE.value
    FASTER = Speed.FASTER.value
    SLOWER = Speed.SLOWER.value
    SAME = Speed.SAME.value
    UNCLEAR = Speed.UNCLEAR.value
    REFUSED = Speed.REFUSED.value
    #: Of a step time whose whole interval lies inside the margin.
    AS_BEFORE = "AS BEFORE"
    UNJUDGED = "cannot be judged"
    NOT_INSTALLED = "not installed"
    #: A job of it did not end well.
    ERROR = Status.ERROR.value
    CRASHED = Status.CRASHED.value
    TIMEOUT = Status.TIMEOUT.value
    CORRUPT = Status.CORRUPT.value
    #: The machine, or its user, did not let a job of it end.
    OUT_OF_MEMORY = Status.OUT_OF_MEMORY.value
    DISK_FULL = Status.DISK_FULL.value
    INTERRUPTED = Status.INTERRUPTED.value


@dataclasses.dataclass(frozen=True)
class JudgedRelease:
    """What is known of one release.

    Attributes:
        state: what is compared between releases; None where it cannot be judged.
        verdict: the word for the table. numbers: what it rests on, or empty. reason: one sentence.
    """

    state: ReleaseVerdict | None
    verdict: ReleaseVerdict
    numbers: str = ""
    reason: str = ""


def unjudged(
    reason: str, verdict: ReleaseVerdict = ReleaseVerdict.UNJUDGED, numbers: str = ""
) -> JudgedRelease:
    """Return that a release cannot be judged."""
    return JudgedRelease(None, verdict, numbers, reason)


def of_fidelity(report: Report, stages: Collection[str]) -> JudgedRelease:
    """Return the verdict of a comparison over some stages; over all rows where none is named."""
    broken = _broken(report)
    if broken:
        return broken
    rows = [
        row
        for row in report.stages
        if row.verdict in (Fidelity.PASS, Fidelity.FAIL, Fidelity.INCONCLUSIVE)
        and (not stages or row.stage in stages)
    ]
    for verdict in (Fidelity.FAIL, Fidelity.INCONCLUSIVE):
        first = next((row for row in rows if row.verdict == verdict), None)
        if first is not None:
            state = ReleaseVerdict.FAIL if verdict == Fidelity.FAIL else None
            return JudgedRelease(
                state, ReleaseVerdict(verdict), _numbers(first), f"{_where(first)}: {first.reason}"
            )
    if not rows:
        bad = [job for job in report.jobs if job.status != Status.OK]
        reasons = [f"{job.build} {job.precision}: {job.reason}" for job in bad]
        return unjudged("; ".join(reasons) or "no stage was judged that was asked for")
    worst = max(rows, key=lambda row: (row.error or 0.0) / row.threshold if row.threshold else 0.0)
    return JudgedRelease(
        ReleaseVerdict.PASS,
        ReleaseVerdict.PASS,
        _numbers(worst),
        f"of {len(rows)} judged, nearest to its threshold: {_where(worst)}",
    )


def of_speed(report: Report, action: str) -> JudgedRelease:
    """Return whether the step times of the two sides differ by more than the margin."""
    broken = _broken(report)
    if broken:
        return broken
    row = next((row for row in report.speed if row.action == action and not row.gain), None)
    if row is None:
        reasons = "; ".join(job.reason for job in report.jobs if job.reason)
        return unjudged(f"{action} was not timed: {reasons or 'the ports lack it'}")
    verdict = ReleaseVerdict(row.verdict)
    if verdict == ReleaseVerdict.REFUSED or row.low is None or row.high is None:
        return unjudged(row.reason, verdict, _ratio(row))
    edge = 1.0 + MARGIN
    if row.material:
        return JudgedRelease(verdict, verdict, _ratio(row), row.reason)
    if row.low >= 1.0 / edge and row.high <= edge:
        reason = f"the whole interval lies inside the margin of {100 * MARGIN:g} %"
        return JudgedRelease(
            ReleaseVerdict.AS_BEFORE, ReleaseVerdict.AS_BEFORE, _ratio(row), reason
        )
    more = f"; about {row.more_rounds} rounds would say" if row.more_rounds else ""
    reason = (
        f"the interval reaches over the margin of {100 * MARGIN:g} %, {row.rounds} rounds are too"
        f" few{more}: raise --budget"
    )
    return unjudged(reason, verdict, _ratio(row))


def of_itself(judged: JudgedRelease) -> JudgedRelease:
    """Return the verdict on the first release against itself, where any change is noise."""
    if judged.state in (None, ReleaseVerdict.AS_BEFORE):
        return judged
    reason = (
        f"compared with itself it came out {judged.verdict}: this machine is too busy to tell."
        " Wait, or raise --budget"
    )
    return unjudged(reason, judged.verdict, judged.numbers)


def _broken(report: Report) -> JudgedRelease | None:
    for row in report.jobs:
        if row.status not in (Status.OK, Status.UNSUPPORTED):
            return unjudged(
                f"{row.build} {row.precision}: {row.reason}", ReleaseVerdict(row.status)
            )
    return None


def _where(row: StageRow) -> str:
    parts = [row.precision, row.stage, row.worst] if row.worst else [row.precision, row.stage]
    return " ".join(part for part in parts if part)


def _numbers(row: StageRow) -> str:
    if row.error is None or row.threshold is None:
        return ""
    return f"error {row.error:.2g}, threshold {row.threshold:.2g}"


def _ratio(row: SpeedRow) -> str:
    if row.ratio is None or row.low is None or row.high is None:
        return ""
    return f"{row.ratio:.3f} times as long [{row.low:.3f}, {row.high:.3f}]"
