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

from harness.changes import creep, provenance
from harness.changes.creep import Past
from harness.changes.culprit import flippers
from harness.changes.model import FLOOR, NOTE, REGRESSION, Change, Night, Subject
from harness.changes.provenance import Suspects
from harness.changes.verdicts import Key, place, rows
from harness.fidelity import honest_spread
from harness.results.model import StageRow
from harness.results.verdicts import Fidelity

#: Between two nights' floors of one tensor: see the module's docstring.
FLOOR_FACTOR = 4.0
STRICT = "fp64"
RELATIVE = "error / floor"
#: Stages whose error is measured in floors of rounding.
STAGES = ("forward", "loss", "gradients", "update", "trajectory")


def honest(precision: str, stage: str) -> float:
    """Return the largest error / floor that honest variation has shown, and never less than 1: a
    floor is itself such a variation."""
    return max(1.0, honest_spread.LARGEST.get(precision, {}).get(stage, 1.0))


@dataclasses.dataclass(frozen=True)
class Growth:
    """One row whose error / floor, or whose floor, grew; against the median of so many `nights`,
    or, 0, the night before. `suspects`: what moved since then."""

    was: StageRow
    row: StageRow
    what: str
    before: float
    after: float
    suspects: Suspects
    nights: int = 0


def changes(
    before: Night, after: Night, suspects: Suspects, past: Sequence[Past] = ()
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
        one
        for was, row in both
        if _tape(row) not in suspects.tapes and (one := _growth(was, row, suspects))
    ]
    yield from _grouped(grown, [row for _, row in both])
    told, earlier = [one.row for one in grown], [(one, rows(one.night)) for one in past]
    left = [(name, row) for name, row in new.items() if row not in told]
    yield from _grouped(
        [one for name, row in left if (one := _crept(name, row, earlier))], list(new.values())
    )


def _grouped(grown: Sequence[Growth], compared: Sequence[StageRow]) -> Iterator[Change]:
    """Yield one change for each workload and build (or pair) of what grew, strictly judged
    precisions apart from others."""
    groups: dict[tuple[str, bool, str, str, str], list[Growth]] = {}
    for one in sorted(grown, key=lambda one: place(one.row)):
        row, strict = one.row, one.row.precision == STRICT
        pairs = {(other.a, other.b): False for other in compared if other.workload == row.workload}
        pairs.update(
            {
                (other.row.a, other.row.b): True
                for other in grown
                if other.row.workload == row.workload
            }
        )
        culprits = flippers(pairs)
        who = next((side for side in (row.b, row.a) if side in culprits), "")
        sides = ("", "") if who else (row.a, row.b)
        groups.setdefault((row.workload, strict, who, *sides), []).append(one)
    for (_, strict, who, _, _), group in groups.items():
        yield _change(group, REGRESSION if strict else NOTE, who)


def _crept(
    name: Key, row: StageRow, earlier: Sequence[tuple[Past, Mapping[Key, StageRow]]]
) -> Growth | None:
    """Return the growth of a row against the median of the comparable nights, in the night in which
    it gets beyond what is honest."""
    again = _parts(row)
    if again is None or row.verdict != Fidelity.PASS:
        return None
    alike = [
        (one, found[name], parts)
        for one, found in earlier
        if name in found
        and found[name].verdict == Fidelity.PASS
        and _alike(one, row)
        and (parts := _parts(found[name]))
    ]
    named = [(one, was, parts) for one, was, parts in alike if was.worst == row.worst]
    explained = honest(row.precision, row.stage)
    relative = creep.crept(
        again[0], [parts[0] for *_, parts in alike], lambda one, other: one - other > explained
    )
    if relative is not None:
        oldest, was, _ = alike[relative.nights - 1]
        return Growth(
            was, row, RELATIVE, relative.value, again[0], oldest.suspects, relative.nights
        )
    floor = creep.crept(
        again[1], [parts[1] for *_, parts in named], lambda one, other: one > FLOOR_FACTOR * other
    )
    if floor is not None:
        oldest, was, _ = named[floor.nights - 1]
        return Growth(was, row, "floor", floor.value, again[1], oldest.suspects, floor.nights)
    return None


def _alike(one: Past, row: StageRow) -> bool:
    """Whether an earlier night ran the same ports on the same tape, and timed them, if it did,
    under the same conditions."""
    sides = {row.a, row.b}
    elsewhere = any(
        what.workload == row.workload and {what.a, what.b} & sides for what in one.reasons
    )
    return not elsewhere and not creep.ported(one, row.workload, sides, _tape(row))


def _growth(was: StageRow, row: StageRow, suspects: Suspects) -> Growth | None:
    parts, again = _parts(was), _parts(row)
    if parts is None or again is None or not was.verdict == row.verdict == Fidelity.PASS:
        return None
    if again[0] - parts[0] > honest(row.precision, row.stage):
        return Growth(was, row, RELATIVE, parts[0], again[0], suspects)
    if was.worst == row.worst and again[1] > FLOOR_FACTOR * parts[1]:
        return Growth(was, row, "floor", parts[1], again[1], suspects)
    return None


def _tape(row: StageRow) -> str:
    return f"{row.workload}/{row.preset}/{row.seed}"


def _parts(row: StageRow) -> tuple[float, float] | None:
    """Return error / floor and the floor of a row's tensor."""
    if (
        row.error is None
        or not row.floor
        or not math.isfinite(row.error)
        or not math.isfinite(row.floor)
    ):
        return None
    return row.error / row.floor, row.floor


def _change(group: Sequence[Growth], severity: str, build: str) -> Change:
    first = group[0]
    row, was = first.row, first.was
    found = first.suspects.of(row.workload, (build,) if build else (row.a, row.b), _tape(row))
    pair = ("", "") if build else (row.a, row.b)
    subject = Subject(row.workload, build, *pair, row.precision, row.preset, row.stage, row.seed)
    nearest = (
        ""
        if first.nights or was.worst == row.worst
        else f" (before, {was.worst} was nearest to its threshold)"
    )
    against = f" against the median of the last {first.nights} nights" if first.nights else ""
    honestly = f"honest variation explains {honest(row.precision, row.stage):.3g}"
    explained = (
        honestly
        if first.what == RELATIVE
        else f"honest builds differ by less than {FLOOR_FACTOR:g} times"
    )
    also = tuple(
        f"{one.row.precision} {one.row.stage} {one.row.a} : {one.row.b}, {one.what}"
        for one in group[1:]
    )
    more = f" {len(also)} more rows grew with it." if also else ""
    text = (
        f"{subject} still passes, but the {first.what} of {row.worst}{nearest} grew from"
        f" {first.before:.2g} to {first.after:.2g}{against}; "
        f"{explained}.{more}{provenance.told(found)}"
    )
    return Change(FLOOR, severity, subject, first.before, first.after, text, found, None, also)
