"""What was measured of speed, in words: of one comparison, and of a whole run in one or two
sentences. Pure.

Faster and slower are ratios of times: "1.24× faster" is a step in 1 / 1.24 of the time, "1.24×
slower" one in 1.24 times as much. In brackets stands the 99 % interval of the number before it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from backends.contract import ACTIONS
from harness.results.model import SpeedRow
from harness.results.verdicts import Speed

TIMES = "\N{MULTIPLICATION SIGN}"
#: Of more workloads, precisions or seeds than this, the range is told in place of each.
MOST_ALONE = 1
#: Actions, and what sentences call them.
TRAIN, GENERATE = ACTIONS
NOUNS = {TRAIN: "training", GENERATE: "generate"}


def number(value: float) -> str:
    """Return a ratio with two digits or three, in which only 1 reads as 1: `1.24`, `5.1`, `0.86`,
    `1.004`."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf"
    if value != 0.0 and not 0.05 <= value < 1000:
        return f"{value:.2g}"
    decimals = 2 if value < 2 else 1 if value < 10 else 0
    while value != 1.0 and float(f"{value:.{decimals}f}") == 1.0:
        decimals += 1
    return f"{value:.{decimals}f}"


def interval(low: float | None, high: float | None) -> str:
    """Return `[1.20, 1.28]`, or an empty string where there is none."""
    return "" if low is None or high is None else f"[{number(low)}, {number(high)}]"


def relation(row: SpeedRow) -> str:
    """Return what b is against a, without its interval: `1.24× faster`, `as fast`, `unclear`."""
    if row.verdict == Speed.REFUSED:
        return "not compared"
    if row.verdict == Speed.SAME:
        return "as fast"
    if row.verdict == Speed.UNCLEAR:
        return "unclear"
    if row.ratio is None:
        return _word(row)
    return f"{number(_factor(row))}{TIMES} {_word(row)}"


def relation_interval(row: SpeedRow) -> str:
    """Return the 99 % interval of what `relation` says; of "as fast" and "unclear" that of time of
    b / time of a. Empty where there is none."""
    if row.verdict == Speed.REFUSED or row.low is None or row.high is None:
        return ""
    if row.verdict == Speed.FASTER:
        return interval(_inverse(row.high), _inverse(row.low))
    return interval(row.low, row.high)


def _factor(row: SpeedRow) -> float:
    assert row.ratio is not None
    return _inverse(row.ratio) if row.verdict == Speed.FASTER else row.ratio


def _inverse(ratio: float) -> float:
    return 1.0 / ratio if ratio else math.inf


def _word(row: SpeedRow) -> str:
    return "faster" if row.verdict == Speed.FASTER else "slower"


def noun(row: SpeedRow) -> str:
    """Return what was timed: `training`, of several segments `training (joint)`, `generate`."""
    name = NOUNS.get(row.action, row.action)
    named = row.action == TRAIN and row.segment not in ("", TRAIN)
    return f"{name} ({row.segment})" if named else name


def sentences(speed: Sequence[SpeedRow]) -> str:
    """Return what was found: "Against tf2, torch is 1.24× faster in training [1.20, 1.28] and 5.1×
    faster in generate [4.9, 5.3]".

    Args:
        speed: all rows of a report; those of single phases say nothing here. Builds are held
            against the first that was asked for: the rows of other pairs are in the tables.

    Returns:
        Sentences; empty where no step was timed.
    """
    whole = [row for row in speed if not row.by_phase]
    between = [row for row in whole if not row.gain]
    parts = list(_against(between))
    gains = [row for row in whole if row.gain]
    if gains:
        parts.append(_gains(gains))
    # What everybody waits for is said first; then why some of it has no answer.
    parts += _obstacles(whole)
    return " ".join(parts)


def held(rows: Sequence[SpeedRow]) -> list[list[SpeedRow]]:
    """Return the rows of whole steps in groups: of each workload, action and setting those that
    hold a build against the first one.

    Args:
        rows: of a report. Pairs among the others are left out, and so are single phases; builds
            that are in no pair with the first have a group of their own.
    """
    groups: dict[tuple[object, ...], list[SpeedRow]] = {}
    for row in rows:
        if not row.by_phase:
            groups.setdefault(_key(row), []).append(row)
    return [part for group in groups.values() for part in _held(group)]


def _key(row: SpeedRow) -> tuple[object, ...]:
    timed = (row.workload, row.preset, row.action, row.segment, row.seed)
    precision = (row.precisions.a, row.a) if row.gain else (row.precision, "")
    return (*timed, *precision, row.device, row.execution, row.data, row.machine)


def _held(rows: Sequence[SpeedRow]) -> Iterator[list[SpeedRow]]:
    first = rows[0].a
    yield [row for row in rows if row.a == first]
    shown = {first, *(row.b for row in rows if row.a == first)}
    rest = [row for row in rows if row.a not in shown or row.b not in shown]
    if rest:
        yield from _held(rest)


def _against(rows: Sequence[SpeedRow]) -> Iterator[str]:
    """Yield a sentence for each build that others are held against."""
    by_first: dict[str, list[SpeedRow]] = {}
    for group in held(rows):
        by_first.setdefault(group[0].a, []).extend(group)
    for first, own in by_first.items():
        builds = list(dict.fromkeys(row.b for row in own))
        if len(builds) == 1:
            said = [_clause(group) for group in _grouped(own, by_build=False)]
            yield f"Against {first}, {builds[0]} is {_listed(said)}."
        else:
            said = [_of_action(group) for group in _grouped(own, by_build=False)]
            yield f"Against {first}: {'; '.join(said)}."


def _of_action(rows: Sequence[SpeedRow]) -> str:
    said = [f"{own[0].b} {_summary(own)}" for own in _grouped(rows, by_build=True)]
    return f"in {noun(rows[0])} {', '.join(said)}"


def _grouped(rows: Iterable[SpeedRow], by_build: bool) -> list[list[SpeedRow]]:
    groups: dict[str, list[SpeedRow]] = {}
    for row in rows:
        groups.setdefault(row.b if by_build else noun(row), []).append(row)
    return list(groups.values())


def _listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _clause(rows: Sequence[SpeedRow]) -> str:
    """Return what is said of one build and action, with the interval where it is one comparison."""
    if len(rows) > MOST_ALONE:
        return f"{_summary(rows)} in {noun(rows[0])}"
    row = rows[0]
    return " ".join(filter(None, (relation(row), f"in {noun(row)}", relation_interval(row))))


def _summary(rows: Sequence[SpeedRow]) -> str:
    """Return the range of several comparisons.

    `1.2 to 5.9× faster`, or `from 1.2× slower (cnn) to 5.9× faster (linear)`.
    """
    if len(rows) == 1:
        return relation(rows[0])
    decided = [row for row in rows if row.ratio is not None and _decided(row)]
    unclear = sum(row.verdict == Speed.UNCLEAR for row in rows)
    if not decided:
        return relation(rows[0]) if len({relation(row) for row in rows}) == 1 else "unclear"
    decided.sort(key=lambda row: row.ratio or 0.0)
    fastest, slowest = decided[0], decided[-1]
    words = {row.verdict for row in decided}
    if words == {Speed.SAME} or relation(fastest) == relation(slowest):
        text = relation(fastest)
    elif len(words) == 1:
        ends = sorted((_factor(fastest), _factor(slowest)))
        text = f"{number(ends[0])} to {number(ends[1])}{TIMES} {_word(fastest)}"
    else:
        text = (
            f"from {relation(slowest)} ({_told_apart(slowest, fastest)}) to"
            f" {relation(fastest)} ({_told_apart(fastest, slowest)})"
        )
    return f"{text} ({unclear} of {len(rows)} unclear)" if unclear else text


def _told_apart(row: SpeedRow, other: SpeedRow) -> str:
    """Return in what a comparison differs from another: `cnn`, `fp64`, `seed 1`."""
    parts = (
        (row.workload, row.workload != other.workload),
        (row.preset, row.preset != other.preset),
        (row.precision, row.precision != other.precision),
        (f"seed {row.seed}", row.seed != other.seed),
        (row.data, row.data != other.data),
        (f"on {row.machine}", row.machine != other.machine),
    )
    return " ".join(text for text, differs in parts if differs) or row.workload


def _decided(row: SpeedRow) -> bool:
    return row.verdict in (Speed.FASTER, Speed.SLOWER, Speed.SAME)


def _gains(rows: Sequence[SpeedRow]) -> str:
    """Return what lower precisions gain, by build."""
    groups: dict[tuple[str, str, str], list[SpeedRow]] = {}
    for row in rows:
        groups.setdefault((row.a, row.precisions.a, row.precisions.b), []).append(row)
    said = []
    for (build, above, below), group in groups.items():
        clauses = [_clause(own) for own in _grouped(group, by_build=False)]
        said.append(f"On {build}, {below} against {above} is {_listed(clauses)}.")
    return " ".join(said)


def _obstacles(rows: Sequence[SpeedRow]) -> Iterator[str]:
    refused = [row for row in rows if row.verdict == Speed.REFUSED]
    if refused:
        first = refused[0]
        yield (
            f"Not compared: {len(refused)} of {len(rows)} (first {first.a} and {first.b} in"
            f" {first.workload}), settings differ."
        )
    unclear = [row for row in rows if row.verdict == Speed.UNCLEAR]
    obstacles = [row.obstacle for row in unclear if row.obstacle]
    if obstacles:
        yield f"{len(obstacles)} of {len(rows)} are unclear: {obstacles[0]}."
    elif len(unclear) == len(rows) == 1 and unclear[0].more_rounds is not None:
        yield f"About {unclear[0].more_rounds} rounds in all would settle it."


def widest(rows: Sequence[SpeedRow]) -> SpeedRow | None:
    """Return the comparison of two builds whose answer is farthest from "as fast"; None where there
    is no faster and no slower one."""
    apart = [
        row
        for row in rows
        if row.verdict in (Speed.FASTER, Speed.SLOWER)
        and row.ratio
        and not (row.by_phase or row.gain)
    ]
    return max(apart, key=lambda row: abs(math.log(row.ratio or 1.0)), default=None)


def comparison(row: SpeedRow) -> str:
    """Return one comparison as a sentence without its end: `torch is 5.1× slower than tf1 in
    training of linear [4.3, 6.2]`."""
    than = "as" if row.verdict == Speed.SAME else "than"
    against = "against" if row.verdict in (Speed.UNCLEAR, Speed.REFUSED) else than
    text = f"{row.b} is {relation(row)} {against} {row.a} in {noun(row)} of {row.workload}"
    return f"{text} {relation_interval(row)}".rstrip()
