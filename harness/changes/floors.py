"""Agreement that got worse inside its threshold: the verdict is still PASS, and something moved by
more than honest variation does.

Two figures of one tensor are held against the previous night's:

- *Error / floor.* Over all honest comparisons that were ever measured it lies anywhere between 0
  and `LARGEST` of its precision and stage (`harness.fidelity.honest_spread`): the order of a sum
  decides. So a growth up to that says nothing, and one beyond it cannot come from honest variation
  of the two nights.
- *The floor itself.* A wider floor excuses more. The same tensor's floors, measured on ten pairs of
  five builds of three frameworks, differ by at most a factor of 2.0 (`reports/example`; in float64
  by 1.5). A factor of four is beyond what another release brings.

Both are also held against the median of the nights before (`harness.changes.creep`): a floor may
grow 3.9-fold every night.

A stage's row names the tensor nearest to its threshold. If that is another tensor than the night
before, it lay further below the threshold then, so that its growth is at least the one between the
two rows.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence

from backends.contract import Stage
from harness.changes import creep, provenance
from harness.changes.creep import Past
from harness.changes.culprit import flippers
from harness.changes.model import (
    FLOOR,
    NOTE,
    REGRESSION,
    Change,
    JudgedNight,
    Severity,
    stage_subject,
)
from harness.changes.provenance import Suspects
from harness.changes.verdicts import Key, rank, rows
from harness.fidelity import honest_spread
from harness.results.model import StageRow
from harness.results.verdicts import Bounds, Fidelity

#: Between two nights' floors of one tensor: see the module's docstring.
FLOOR_FACTOR = 4.0
STRICT = "fp64"
RELATIVE = "error / floor"
#: Stages whose error is measured in floors of rounding.
STAGES = (Stage.FORWARD, Stage.LOSS, Stage.GRADIENTS, Stage.UPDATE, Stage.TRAJECTORY)


def honest(precision: str, stage: Stage | Bounds) -> float:
    """Return the largest error / floor that honest variation has shown; never less than 1, since a
    floor is itself such a variation."""
    return max(1.0, honest_spread.LARGEST.get(precision, {}).get(stage, 1.0))


@dataclasses.dataclass(frozen=True)
class Growth:
    """One row whose error / floor, or whose floor, grew.

    Attributes:
        what: which of the two.
        suspects: what moved since the night that it grew against.
        nights: over how many the median is that it grew against; 0: it is the night before.
    """

    was: StageRow
    row: StageRow
    what: str
    before: float
    after: float
    suspects: Suspects
    nights: int = 0


def changes(
    before: JudgedNight, after: JudgedNight, suspects: Suspects, past: Sequence[Past] = ()
) -> Iterator[Change]:
    """Yield a change for each workload and build (or pair) that passes on both nights, on the same
    tape, and grew in float64, where that is a regression, or elsewhere.

    Args:
        past: the nights before tonight, newest first, `before` among them, whose medians tonight is
            held against too.
    """
    old, new = rows(before), {name: row for name, row in rows(after).items() if row.stage in STAGES}
    both = [(old[name], row) for name, row in new.items() if name in old]
    grown = [
        growth
        for was, row in both
        if _tape(row) not in suspects.tapes and (growth := _growth(was, row, suspects))
    ]
    yield from _grouped(grown, [row for _, row in both])
    reported = [growth.row for growth in grown]
    earlier = [(night, rows(night.night)) for night in past]
    left = [(name, row) for name, row in new.items() if row not in reported]
    crept = [growth for name, row in left if (growth := _crept(name, row, earlier))]
    yield from _grouped(crept, list(new.values()))


def _grouped(grown: Sequence[Growth], compared: Sequence[StageRow]) -> Iterator[Change]:
    """Yield one change for each workload and build (or pair) of what grew, strictly judged
    precisions apart from others."""
    groups: dict[tuple[str, bool, str, str, str], list[Growth]] = {}
    for growth in sorted(grown, key=lambda growth: rank(growth.row)):
        row, strict = growth.row, growth.row.precision == STRICT
        pairs = {(other.a, other.b): False for other in compared if other.workload == row.workload}
        for other in grown:
            if other.row.workload == row.workload:
                pairs[other.row.a, other.row.b] = True
        culprits = flippers(pairs)
        who = next((side for side in (row.b, row.a) if side in culprits), "")
        sides = ("", "") if who else (row.a, row.b)
        groups.setdefault((row.workload, strict, who, *sides), []).append(growth)
    for (_, strict, who, _, _), group in groups.items():
        yield _change(group, REGRESSION if strict else NOTE, who)


def _crept(
    name: Key, row: StageRow, earlier: Sequence[tuple[Past, Mapping[Key, StageRow]]]
) -> Growth | None:
    """Return the growth of a row against the median of the comparable nights, in the night in which
    it gets beyond what is honest."""
    tonight = _parts(row)
    if tonight is None or row.verdict != Fidelity.PASS:
        return None
    alike = _comparable(name, row, earlier)
    explained = honest(row.precision, row.stage)
    relative = creep.crept(
        tonight[0], [parts[0] for *_, parts in alike], lambda now, was: now - was > explained
    )
    if relative is not None:
        oldest, was, _ = alike[relative.nights - 1]
        return Growth(
            was=was,
            row=row,
            what=RELATIVE,
            before=relative.value,
            after=tonight[0],
            suspects=oldest.suspects,
            nights=relative.nights,
        )
    of_tensor = [(night, was, parts) for night, was, parts in alike if was.worst == row.worst]
    floor = creep.crept(
        tonight[1], [parts[1] for *_, parts in of_tensor], lambda now, was: now > FLOOR_FACTOR * was
    )
    if floor is not None:
        oldest, was, _ = of_tensor[floor.nights - 1]
        return Growth(
            was=was,
            row=row,
            what="floor",
            before=floor.value,
            after=tonight[1],
            suspects=oldest.suspects,
            nights=floor.nights,
        )
    return None


def _comparable(
    name: Key, row: StageRow, earlier: Sequence[tuple[Past, Mapping[Key, StageRow]]]
) -> list[tuple[Past, StageRow, tuple[float, float]]]:
    """Return the earlier nights in which a row passed under tonight's conditions, with the row as
    it was and its two parts."""
    comparable = []
    for night, night_rows in earlier:
        was = night_rows.get(name)
        if was is None or was.verdict != Fidelity.PASS or not _alike(night, row):
            continue
        parts = _parts(was)
        if parts is not None:
            comparable.append((night, was, parts))
    return comparable


def _alike(earlier: Past, row: StageRow) -> bool:
    """Whether an earlier night ran the same ports on the same tape, and timed them, if it did,
    under the same conditions."""
    sides = {*row.sides}
    elsewhere = any(
        what.workload == row.workload and {what.a, what.b} & sides for what in earlier.reasons
    )
    return not elsewhere and not creep.ported(earlier, row.workload, sides, _tape(row))


def _growth(was: StageRow, row: StageRow, suspects: Suspects) -> Growth | None:
    """Return the growth of a row against the night before, where it is beyond what is honest."""
    before, tonight = _parts(was), _parts(row)
    if before is None or tonight is None or not was.verdict == row.verdict == Fidelity.PASS:
        return None
    if tonight[0] - before[0] > honest(row.precision, row.stage):
        return Growth(was, row, RELATIVE, before[0], tonight[0], suspects)
    if was.worst == row.worst and tonight[1] > FLOOR_FACTOR * before[1]:
        return Growth(was, row, "floor", before[1], tonight[1], suspects)
    return None


def _tape(row: StageRow) -> str:
    return f"{row.workload}/{row.preset}/{row.seed}"


def _parts(row: StageRow) -> tuple[float, float] | None:
    """Return error / floor and the floor of a row's tensor; None where one is no finite number."""
    if row.error is None or not row.floor:
        return None
    if not math.isfinite(row.error) or not math.isfinite(row.floor):
        return None
    return row.error / row.floor, row.floor


def _change(group: Sequence[Growth], severity: Severity, build: str) -> Change:
    first = group[0]
    row, was = first.row, first.was
    suspects = first.suspects.of(row.workload, (build,) if build else row.sides, _tape(row))
    subject = stage_subject(row, build)
    nearest = ""
    if not first.nights and was.worst != row.worst:
        nearest = f" (before, {was.worst} was nearest to its threshold)"
    against = f" against the median of the last {first.nights} nights" if first.nights else ""
    if first.what == RELATIVE:
        explained = f"honest variation explains {honest(row.precision, row.stage):.3g}"
    else:
        explained = f"honest builds differ by less than {FLOOR_FACTOR:g} times"
    also = tuple(
        f"{other.row.precision} {other.row.stage} {other.row.a} : {other.row.b}, {other.what}"
        for other in group[1:]
    )
    more = f" {len(also)} more rows grew with it." if also else ""
    text = (
        f"{subject} still passes, but the {first.what} of {row.worst}{nearest} grew from"
        f" {first.before:.2g} to {first.after:.2g}{against}; "
        f"{explained}.{more}{provenance.suspects_text(suspects)}"
    )
    return Change(
        kind=FLOOR,
        severity=severity,
        subject=subject,
        before=first.before,
        after=first.after,
        text=text,
        suspects=suspects,
        also=also,
    )
