"""Speed against the previous night: which ratios changed materially, and which build moved.

Ratios of two builds in one round are what two nights are compared by; times themselves are not
paired across nights, and the machine moves them by tens of per cent. A row is judged only where the
same thing was measured: the same source of both ports, the same specification, machine, threads and
device. Where a port changed, that is a note of its own and no verdict on its speed.

Where nothing tells which of two builds moved, one of the two explanations is a slow-down: it is a
regression of the ratio, and neither build is called better or worse. Nor is a build called faster
by step times alone: a machine that is faster tonight makes the other build's slow-down look like
that.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping

from harness.changes import conditions, provenance, welch
from harness.changes.culprit import movers
from harness.changes.model import (
    FASTER,
    IMPROVEMENT,
    NOTE,
    RATIO,
    REGRESSION,
    SLOWER,
    UNJUDGED,
    Change,
    JudgedNight,
    Measurand,
    Ratios,
    Statistics,
    Subject,
    measurand,
    ratio_subject,
)
from harness.changes.provenance import Suspects
from harness.results.model import SpeedRow
from harness.results.verdicts import Speed

Spreads = Mapping[Measurand, welch.NightSpread]
METHOD = "Welch's t over rounds of fresh processes, all rows of the night by Holm's procedure"


@dataclasses.dataclass(frozen=True)
class RatioRow:
    """One ratio on both nights, judged."""

    before: Ratios
    after: Ratios
    judged: welch.JudgedRatio

    @property
    def sign(self) -> int:
        """+1: the ratio grew materially, b against a; -1: it shrank; 0: neither."""
        return 0 if not self.judged.material else 1 if self.judged.difference.mean > 0.0 else -1


def compare(
    before: JudgedNight, after: JudgedNight, suspects: Suspects, spreads: Spreads
) -> tuple[list[RatioRow], dict[Measurand, str]]:
    """Return the rows of both nights, judged together, and why others could not be."""
    old = {ratios.measurand: ratios for ratios in before.ratios}
    new = {ratios.measurand: ratios for ratios in after.ratios}
    pairs = []
    reasons = {
        what: "the rounds are not there"
        for what in both_rows(before, after)
        if what not in old or what not in new
    }
    refused = {
        measurand(row)
        for night in (before, after)
        for row in night.report.speed
        if row.verdict == Speed.REFUSED
    }
    for what in [name for name in new if name in old]:
        if what in refused:
            reason = "REFUSED, because settings differ between the two sides"
        else:
            reason = incomparable(old[what], new[what], suspects) or welch.unusable(
                old[what].moments, new[what].moments
            )
        if reason:
            reasons[what] = reason
        else:
            pairs.append((old[what], new[what]))
    differences = [
        welch.difference(was.moments, now.moments, spreads.get(now.measurand, welch.USUAL))
        for was, now in pairs
    ]
    verdicts = welch.judge(differences)
    rows = [RatioRow(was, now, judged) for (was, now), judged in zip(pairs, verdicts, strict=True)]
    return rows, reasons


def both_rows(
    before: JudgedNight, after: JudgedNight
) -> dict[Measurand, tuple[SpeedRow, SpeedRow]]:
    """Return the rows of speed that both reports have."""
    old = {measurand(row): row for row in before.report.speed}
    return {
        measurand(row): (old[measurand(row)], row)
        for row in after.report.speed
        if measurand(row) in old
    }


def incomparable(was: Ratios, now: Ratios, suspects: Suspects) -> str:
    """Return why the two nights measured different things, or an empty string."""
    what = now.measurand
    changed = [side for side in (what.a, what.b) if (what.workload, side) in suspects.ports]
    if changed:
        return f"the port on {' and '.join(changed)} changed: another thing was measured"
    if f"{what.workload}/{what.preset}/{what.seed}" in suspects.tapes:
        return "the data or the tape changed: another thing was measured"
    return conditions.moved(was, now)


def changes(
    before: JudgedNight, after: JudgedNight, suspects: Suspects, spreads: Spreads
) -> Iterator[Change]:
    """Yield a change for each build (or pair) and action that became materially slower or faster,
    and notes on what was not judged."""
    rows, reasons = compare(before, after, suspects, spreads)
    shown = both_rows(before, after)
    groups: dict[Measurand, list[RatioRow]] = {}
    for row in rows:
        # All pairs of one action: what is measured, whatever its two sides are.
        of_all_pairs = dataclasses.replace(row.after.measurand, a="", b="")
        groups.setdefault(of_all_pairs, []).append(row)
    for group in groups.values():
        yield from _group(group, suspects, shown)
    yield from _unjudged(reasons)


def _group(
    group: list[RatioRow], suspects: Suspects, shown: Mapping[Measurand, tuple[SpeedRow, SpeedRow]]
) -> Iterator[Change]:
    """Yield the changes of one workload and action: a moved build once for all its pairs, what is
    left pair by pair."""
    pairs = {(row.after.measurand.a, row.after.measurand.b): row for row in group}
    moved: dict[str, int] = {}
    if not group[0].after.measurand.gain:
        moved = movers(
            {pair: row.sign for pair, row in pairs.items()},
            {pair: row.judged.leaning for pair, row in pairs.items()},
        )
    for build, direction in moved.items():
        of_build = [
            row
            for pair, row in pairs.items()
            if build in pair and row.sign and not ({*pair} - {build}) & {*moved}
        ]
        if of_build:
            of_build.sort(key=lambda row: -abs(row.judged.difference.mean))
            how = (
                f"the ratios of {build} to all other builds moved, and theirs to each other did not"
            )
            yield _change(of_build, build, direction, how, suspects)
    for pair, row in pairs.items():
        if row.sign and not ({*pair} & {*moved}):
            build, how = _of_two(row, suspects, shown.get(row.after.measurand))
            yield _change([row], build, row.sign if build != pair[0] else -row.sign, how, suspects)


def _of_two(
    row: RatioRow, suspects: Suspects, shown: tuple[SpeedRow, SpeedRow] | None
) -> tuple[str, str]:
    """Return which of two builds moved, and by what that is told; an empty name, and why, where
    that cannot be told."""
    what = row.after.measurand
    moved = [side for side in (what.a, what.b) if suspects.moved(what.workload, side)]
    if len(moved) == 1 and not what.gain:
        return moved[0], f"only {moved[0]} has moved"
    if shown:
        old, new = shown
        shifts = {
            what.a: _shift(old.a_step_s, new.a_step_s),
            what.b: _shift(old.b_step_s, new.b_step_s),
        }
        # The side whose own time moved in the ratio's direction, and at least twice as far as that
        # of the other.
        towards = {what.a: -row.sign * shifts[what.a], what.b: row.sign * shifts[what.b]}
        side = max(towards, key=lambda name: towards[name])
        other = what.a if side == what.b else what.b
        if towards[side] > 0.0 and abs(shifts[side]) > 2.0 * abs(shifts[other]):
            weakly = (
                f"by the step times themselves, which are not paired across nights, it is {side}"
            )
            if shifts[side] > 0.0:
                return side, weakly
            return "", f"{weakly}, unless the whole machine was faster"
    return "", "a ratio alone cannot tell which of two builds moved"


def _shift(before_s: float | None, after_s: float | None) -> float:
    if before_s and after_s and math.isfinite(before_s) and math.isfinite(after_s):
        return math.log(after_s / before_s)
    return 0.0


def _change(
    rows: list[RatioRow], build: str, direction: int, how: str, suspects: Suspects
) -> Change:
    """Return what became of a build, or, where it has no name, of a ratio: that is a regression,
    whichever way it moved."""
    row = rows[0]
    what, judged = row.after.measurand, row.judged
    turned = build == what.a
    ratio, low, high = judged.ratio, judged.low, judged.high
    if turned:
        ratio, low, high = 1.0 / judged.ratio, 1.0 / judged.high, 1.0 / judged.low
    of_row = suspects.of(
        what.workload,
        (build,) if build else (what.a, what.b),
        f"{what.workload}/{what.preset}/{what.seed}",
    )
    size = f"{_percent(ratio)} [{_percent(low)}, {_percent(high)}]"
    if build:
        kind, severity = (SLOWER, REGRESSION) if direction > 0 else (FASTER, IMPROVEMENT)
        other = what.b if turned else what.a
        became = f"became {kind} on {build}: {size} in its ratio to {other}"
    else:
        kind, severity = RATIO, REGRESSION
        became = _either(what, direction, size)
    before, after = (
        math.exp(-ratios.moments.mean if turned else ratios.moments.mean)
        for ratios in (row.before, row.after)
    )
    statistics = Statistics(
        ratio=ratio,
        low=low,
        high=high,
        confidence=1.0 - judged.alpha,
        p=judged.p,
        method=METHOD,
        rounds_before=row.before.moments.rounds,
        rounds_after=row.after.moments.rounds,
    )
    suspected = provenance.suspects_text(of_row)
    return Change(
        kind=kind,
        severity=severity,
        subject=ratio_subject(what, build),
        before=before,
        after=after,
        text=f"{what.workload} {what.action} {what.precision} {became}; {how}.{suspected}",
        suspects=of_row,
        statistics=statistics,
        also=tuple(_against(other_row, build) for other_row in rows[1:]),
    )


def _either(what: Measurand, direction: int, size: str) -> str:
    """Return a moved ratio in words that call neither side better or worse."""
    a, b = what.sides
    slow, fast = (b, a) if direction > 0 else (a, b)
    return (
        f"{what.a} : {what.b}: the time of {b} over that of {a} moved by {size}: either {slow}"
        f" became slower or {fast} faster"
    )


def _against(row: RatioRow, build: str) -> str:
    """Return by how much a build moved against another one."""
    what, judged = row.after.measurand, row.judged
    ratio, other = (1.0 / judged.ratio, what.b) if build == what.a else (judged.ratio, what.a)
    return f"{_percent(ratio)} against {other}"


def _percent(ratio: float) -> str:
    return f"{100.0 * (ratio - 1.0):+.1f} %"


def _unjudged(reasons: Mapping[Measurand, str]) -> Iterator[Change]:
    """Yield one note for each workload and reason: a silence would read as "nothing changed"."""
    by_reason: dict[tuple[str, str], list[Measurand]] = {}
    for what, reason in reasons.items():
        by_reason.setdefault((what.workload, reason), []).append(what)
    for (workload, reason), group in by_reason.items():
        rows = tuple(f"{what.action} {what.precision} {what.a} : {what.b}" for what in group)
        text = (
            f"{workload}: {len(group)} speed row{'s were' if len(group) > 1 else ' was'} not judged"
            f" against before: {reason}."
        )
        yield Change(
            kind=UNJUDGED,
            severity=NOTE,
            subject=Subject(workload, what="speed"),
            before=None,
            after=None,
            text=text,
            also=rows,
        )
