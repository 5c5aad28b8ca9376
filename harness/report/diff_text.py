"""What a comparison of two runs says, in words that every form of it shares: the answer, the
sections with their titles, how a value is spelled. Knows no layout and no markup."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

from harness.changes.figures import DECISIVE, SECTIONS, Diff, FigureDifference
from harness.changes.model import IMPROVEMENT, REGRESSION, Value
from harness.report.format import MISSING, memory, seconds

#: What stands above the suspects.
SUSPECTS = "Suspects, the likeliest first"
#: What stands above figures of which only one run tells.
UNREPORTED = "Told by one run only: changed or not, nobody can say"
#: Of the run that does not tell.
NOT_REPORTED = "not reported"
APART, CHANGED = "Not of the same thing", "What changed"
HEAD = ("of", "what", "before", "after", "")


@dataclasses.dataclass(frozen=True)
class DiffAnswer:
    """The answer in a sentence. `tone`: `good`, `bad`, or `open` where nothing can be said."""

    text: str
    tone: str


def answer(diff: Diff) -> DiffAnswer:
    """Return what two runs differ by, in a sentence or two.

    Args:
        diff: of the runs.
    """
    if not diff.comparable:
        return DiffAnswer(
            "The two runs cannot be compared: no row of the one is of the same thing as a row of"
            " the other.",
            "open",
        )
    worse = [change for change in diff.changes if change.severity == REGRESSION]
    lost = [change for change in worse if change.kind in DECISIVE]
    if lost:
        count = f"{len(lost)} regression{'s' if len(lost) > 1 else ''}"
        return DiffAnswer(
            f"{count}: verdicts that were lost, or builds that became, or may have become,"
            " materially slower.",
            "bad",
        )
    others = len(worse)
    more = f" {others} other thing{'s' if others > 1 else ''} got worse." if others else ""
    won = sum(change.severity == IMPROVEMENT for change in diff.changes)
    better = f" {won} thing{'s' if won > 1 else ''} got better." if won else ""
    differ = "" if diff.differences else " Nothing else differs either."
    return DiffAnswer(
        f"No verdict was lost, and nothing became materially slower.{more}{better}{differ}", "good"
    )


def tables(diff: Diff) -> Iterator[tuple[str, list[FigureDifference]]]:
    """Yield the title and the rows of each section that has some; what only one run tells is last.

    Args:
        diff: of the runs.
    """
    for section in SECTIONS:
        rows = [row for row in diff.differences if row.section == section]
        if rows:
            yield f"{section[0].upper()}{section[1:]}", rows
    if diff.unreported:
        yield UNREPORTED, list(diff.unreported)


def cells(row: FigureDifference, title: str) -> tuple[str, str, str, str, str]:
    """Return a row's cells, as `HEAD` names them.

    Args:
        row: of a section. title: of that section.
    """
    missing = NOT_REPORTED if title == UNREPORTED else MISSING
    before, after = (
        missing if value is None else _value(row, value) for value in (row.before, row.after)
    )
    return row.subject, row.what, before, after, row.note


def _value(of: FigureDifference, value: Value) -> str:
    if of.section == "memory" and isinstance(value, int):
        return memory(value)
    if of.section == "step times" and isinstance(value, float):
        return seconds(value)
    if isinstance(value, float):
        return f"{value:.3g}" if math.isfinite(value) else str(value)
    return str(value)
