"""What rows are called in every renderer, and what is said beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.report.format import margin as spell_margin
from harness.report.format import one_line, seconds
from harness.report.matrix import MatrixLine
from harness.results.model import Report, SpeedRow, StageRow
from harness.results.speed_words import TIMES
from harness.results.verdicts import Bounds, Fidelity, Speed

#: Of more rows that share a remark, the first are named.
MOST_NAMES = 3

#: Spells a row's precision, with its seed where the report holds several.
Spell = Callable[[MatrixLine | StageRow | SpeedRow], str]


def setting(report: Report, sign: str = "s") -> Spell:
    """Return what spells a row's precision: `fp64`, or, if the report holds more than one seed,
    `fp64 s1`; of a row of speed in a merged report the machine too, `fp32 on left`.

    Args:
        report: the whole report, so that all its tables agree on whether seeds are shown.
        sign: what precedes the seed's number.
    """
    rows: tuple[StageRow | SpeedRow, ...] = (*report.stages, *report.speed)
    several = len({row.seed for row in rows}) > 1
    return lambda row: spelled(row, several, sign)


def spelled(row: MatrixLine | StageRow | SpeedRow, several: bool, sign: str = "s") -> str:
    """Return a row's precision, with its seed where there are several, and of a row of speed in a
    merged report the machine: `fp32 on left`.

    Args:
        row: of any table. several: seeds are on the page. sign: what precedes the seed's number.
    """
    seed = f" {sign}{row.seed}" if several else ""
    return f"{row.precision}{seed}{of_machine(row) if isinstance(row, SpeedRow) else ''}"


def of_machine(row: SpeedRow) -> str:
    """Return on which machine a row of a merged report was timed, as the end of a label.

    Args:
        row: of speed.
    """
    return f" on {row.machine}" if row.machine else ""


def margin(row: StageRow) -> str:
    """Return what a cell says of its error beside the sign of its verdict; nothing where the error
    is not why the row departs."""
    if row.verdict == Fidelity.INFO:
        return ""
    text = spell_margin(row.error, row.threshold)
    if row.verdict == Fidelity.FAIL and not text.endswith((TIMES, "NaN")):
        return "too exact" if row.stage == Bounds.PRECISION else ""
    return text


def action(row: SpeedRow) -> str:
    """Return what was timed: `generate`, `train`, or of several segments `train (joint)`."""
    if row.action == "train" and row.segment not in ("", "train"):
        return f"{row.action} ({row.segment})"
    return row.action


def threads(rows: Sequence[SpeedRow]) -> str:
    """Return the thread count that all sides ran with, in words, e.g. "2 threads a build"."""
    counts = sorted({row.threads for row in rows})
    numbers = " or ".join(str(count) for count in counts)
    return f"{numbers} thread{'' if counts == [1] else 's'} a build"


def hint(row: SpeedRow) -> str:
    """Return what a reader of a speed row can do or must know beside the numbers, or ""."""
    return one_line("; ".join(part for part in (_without_answer(row), _settings(row)) if part))


def remarks(rows: Sequence[SpeedRow], spelled: Spell) -> list[tuple[str, str]]:
    """Return the hints of several rows, each said once: whose it is, and what it says.

    Settings are those of a pair, whatever was timed; why there is no answer is each row's own.
    """
    whose: dict[str, list[str]] = {}
    for row in rows:
        pair = f"{row.a} : {row.b}"
        own = f"{row.workload} {action(row)} {spelled(row)} {pair}"
        for text, name in ((_without_answer(row), own), (_settings(row), pair)):
            if text:
                whose.setdefault(one_line(text), []).append(name)
    return [(_several(list(dict.fromkeys(names))), text) for text, names in whose.items()]


def _several(names: Sequence[str]) -> str:
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[: MOST_NAMES - 1])} and {len(names) - MOST_NAMES + 1} more"


def _without_answer(row: SpeedRow) -> str:
    parts = [row.reason] if row.verdict in (Speed.UNCLEAR, Speed.REFUSED) else []
    if row.verdict == Speed.UNCLEAR and row.more_rounds is not None:
        takes = f" (about {seconds(row.more_s)})" if row.more_s is not None else ""
        parts.append(f"about {row.more_rounds} rounds in all would settle it{takes}")
    return "; ".join(parts)


def _settings(row: SpeedRow) -> str:
    """Return the settings that differ; a refusal may have named some of them already."""
    labels = [
        text for text in row.differences if row.verdict != Speed.REFUSED or text not in row.reason
    ]
    return f"settings differ: {', '.join(labels)}" if labels else ""
