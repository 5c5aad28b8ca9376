"""Judge one stage of a pair: every tensor by the error measure against its own measured threshold.

Never vacuous: a missing or extra tensor, another shape or dtype, a value that is not finite, an
empty comparison: none of these is ever a PASS. A fault never excuses itself: only those variations
give a floor that measure rounding (`variations`). The tensors are judged in the order in which they
were computed, so the first that departs is named.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from harness.fidelity import float32, noise, nulls, overflow, variations
from harness.fidelity.digest import digest
from harness.fidelity.evidence import Entry, Evidence
from harness.fidelity.measure import Difference, difference
from harness.fidelity.noise import halfway
from harness.fidelity.variations import Moves, Sieve, early, group, is_exact
from harness.fidelity.verdict import StageVerdict, TensorVerdict, sum_up
from harness.results.verdicts import Fidelity

#: Stages before an optimizer has divided a gradient by its own size, which lifts the noise of one
#: that is nearly zero.
DIRECT = ("forward", "loss", "gradients")
#: A tensor with fewer elements than this has its floor from its company too, where the company is
#: at least so large.
FEW, COMPANY = 16, 8

#: The float64 records of both sides.
Base = tuple[Evidence, Evidence]


def judge_stage(
    a: Evidence,
    b: Evidence,
    stage: str,
    precision: str,
    null: Collection[str] | None = None,
    base: Base | None = None,
) -> StageVerdict:
    """Judge one stage.

    Args:
        a, b: the two sides; the error measure divides by b.
        precision: what both ran in.
        null: names found to be mathematically zero by the pair's float64 records; None to decide
            here, by the records themselves.
        base: in a lower precision, the pair's float64 records: what they say of a variation holds
            here, too.
    """
    entries_a = {entry.name: entry for entry in a.entries(stage)}
    entries_b = {entry.name: entry for entry in b.entries(stage)}
    if not entries_a or not entries_b:
        sides = " and ".join(
            side for side, entries in (("a", entries_a), ("b", entries_b)) if not entries
        )
        return StageVerdict(
            stage,
            Fidelity.INCONCLUSIVE,
            f"not looked at: side {sides} recorded no tensor of this stage",
            None,
            (),
        )
    strays = {
        side: wandering(evidence, stage, precision) for side, evidence in (("a", a), ("b", b))
    }
    undecided = next(
        (
            stray
            for stray in strays.values()
            if stray and (all(strays.values()) or not _alone(stray, precision))
        ),
        None,
    )
    if undecided is not None:
        side = next(side for side, stray in strays.items() if stray is undecided)
        return StageVerdict(
            stage,
            Fidelity.INCONCLUSIVE,
            f"side {side}: {undecided.reason}",
            undecided,
            (undecided,),
        )
    both = (a, b) if precision == "fp64" else base
    sieve = Sieve(*both, stage) if both else None
    zero = nulls.null_tensors(a, b, stage, precision) if null is None else null
    verdicts = []
    common = {name: entry for name, entry in entries_b.items() if name in entries_a}
    rule = Rule(precision, zero, {}, _company(a, b, stage, common, sieve, precision), sieve, strays)
    for name in [*entries_a, *(name for name in entries_b if name not in entries_a)]:
        if name not in entries_a or name not in entries_b:
            there = "b" if name in entries_b else "a"
            verdicts.append(
                TensorVerdict(name, Fidelity.FAIL, f"only side {there} has this tensor")
            )
            continue
        verdicts.append(_judge_tensor(a, b, entries_a[name], entries_b[name], rule))
    found = sum_up(stage, verdicts, _phases(a))
    crossed = [
        f"{variations.NO_ROUNDING[kind]}, {name} first: not judged by that variation there"
        for kind, name in (sieve.crossed() if sieve else {}).items()
    ]
    return dataclasses.replace(found, reason="; ".join([found.reason, *crossed]))


def _phases(side: Evidence) -> list[str]:
    """Return the phases that a side has recorded the losses of; the last term of each is
    `total`."""
    return [
        entry.name[: -len("/total")]
        for entry in side.entries("loss")
        if entry.name.endswith("/total")
    ]


@dataclasses.dataclass(frozen=True)
class Rule:
    """What a stage's tensors are judged by: the precision, the names known to be zero, the floors
    met so far, those of the company that a tensor is in (see `_company`), which variations measure
    rounding, and the side that does not repeat, if one does not.
    """

    precision: str
    null: Collection[str]
    grown: dict[str, tuple[float, float]]
    company: Mapping[str, float]
    sieve: Sieve | None
    strays: Mapping[str, TensorVerdict | None]

    def moves(self, name: str) -> Moves:
        """Return what is known of the variations of a tensor."""
        return self.sieve[name] if self.sieve else Moves()


def _judge_tensor(
    a: Evidence, b: Evidence, entry_a: Entry, entry_b: Entry, rule: Rule
) -> TensorVerdict:
    stage, name = entry_a.stage, entry_a.name
    problem = _mismatch(entry_a, entry_b)
    if problem:
        return TensorVerdict(name, Fidelity.FAIL, problem)
    if 0 in entry_a.shape:
        return TensorVerdict(
            name,
            Fidelity.INCONCLUSIVE,
            f"nothing to compare: its shape is {list(entry_a.shape)}",
        )
    movements = noise.movement(a, stage, name), noise.movement(b, stage, name)
    zero = name in rule.null and nulls.is_noise(entry_a, entry_b, *movements)
    if zero and math.isfinite(entry_a.largest + entry_b.largest):
        # In the steps to come it may be something: its rounding is then what it is now.
        step, suffix = variations.split(name)
        if step:
            rule.grown[suffix] = (
                1.0,
                max(variations.size(entry_a), variations.size(entry_b), *movements),
            )
        return TensorVerdict(
            name,
            Fidelity.NULL,
            "mathematically zero: on both sides no larger than its own rounding noise",
        )
    moves = rule.moves(name)
    moved = _moved(a, b, entry_b, moves.usable, rule.precision)
    level = noise.floor(entry_b.scale or entry_b.largest, moved, rule.precision, stage)
    if math.prod(entry_b.shape) < FEW and not is_exact(entry_b):
        level = noise.at_least(level, rule.company.get(group(stage, name), 0.0), stage)
    threshold = noise.coverage(stage) * _grow(name, level, rule.grown)
    if stage == "weights" or (
        is_exact(entry_b) and moved == 0.0 and not b.digested and not a.digested
    ):
        threshold = 0.0  # loaded, or counted: nothing is rounded
    values = _values(a, b, stage, name)
    found = difference(*values, level.scale, threshold)
    if not found.finite:
        return overflow.judge_pair(stage, name, rule.precision, found)
    near = (
        0.0
        if is_exact(entry_b)
        else noise.agreement(rule.precision) * (entry_b.scale or entry_b.largest)
    )
    same = found.apart == 0.0 or (stage != "weights" and found.apart <= near)
    # Where nothing measures rounding, a difference is what lies beyond all that an edge can do.
    edge = (
        max(noise.movement(side, stage, name, moves.crossed) for side in (a, b))
        if not (moves.usable or moves.alone)
        else 0.0
    )
    open_to = noise.coverage(stage) * edge
    graded = _grade(entry_a, found, (level.relative, threshold, open_to), rule, same)
    differs = _difference(a, b, entry_b, moves, rule, same)
    if differs:
        graded = dataclasses.replace(
            graded, verdict=Fidelity.FAIL, reason=f"{differs}; {graded.reason}"
        )
    if (
        graded.verdict == Fidelity.FAIL
        and not differs
        and rule.precision == "fp64"
        and stage != "weights"
        and not a.digested
    ):
        return dataclasses.replace(graded, float32=float32.sign(*values, found.error))
    return graded


def _difference(
    a: Evidence, b: Evidence, entry: Entry, moves: Moves, rule: Rule, same: bool
) -> str:
    """Return, in words, what moves one side and not the other; empty where nothing does.

    Where both sides have the same value, a unit in the last place that moves one of them may have
    met an edge that rounding leaves to chance. Rows in another order, or the same run again, leave
    nothing to chance.
    """
    if same:
        moves = dataclasses.replace(
            moves, alone=tuple(item for item in moves.alone if item[0] == "reorder")
        )
    stray = next((side for side, found in rule.strays.items() if found), None)
    if stray is not None:
        size = entry.scale or entry.largest
        moved = {
            side: noise.movement(evidence, entry.stage, entry.name, (noise.REPEAT,))
            for side, evidence in (("a", a), ("b", b))
        }
        relative = {side: variations.relative([value], size) for side, value in moved.items()}
        if halfway(rule.precision) < relative[stray] < math.inf:
            kind = (noise.REPEAT, stray, relative[stray], relative["a" if stray == "b" else "b"])
            moves = dataclasses.replace(moves, alone=(kind, *moves.alone))
    return moves.sentence(entry.name)


def _moved(a: Evidence, b: Evidence, entry: Entry, kinds: Sequence[str], precision: str) -> float:
    """Return how far variations move a tensor, on the side that they move more: of each kind no
    more than `ALONE` times the other side's movement. What one side computes in float32 inside
    float64, say, or only where it runs in float32, would else excuse itself.
    """
    least = noise.UNIT_ROUNDOFF[precision] * variations.size(entry)
    found = [0.0]
    for kind in kinds:
        # An older record may lack a kind: the other side then stands for both.
        both = [
            noise.movement(side, entry.stage, entry.name, (kind,))
            for side in (a, b)
            if kind in side.noise(entry.stage, entry.name)
        ]
        most = variations.ALONE * max(min(both, default=0.0), least)
        found.append(min(max(both, default=0.0), most) if math.isfinite(sum(both)) else math.inf)
    return max(found)


def _company(
    a: Evidence,
    b: Evidence,
    stage: str,
    common: Mapping[str, Entry],
    sieve: Sieve | None,
    precision: str,
) -> dict[str, float]:
    """Return the median movement, relative to their size, of the floating-point tensors of each
    group: one kind (losses, parameters, slots, anything else) at one step.

    A few runs of honest variation move a single number far less than they might have, by chance;
    among a hundred numbers that happens to some. So a tensor of few elements is not held to less
    than what its like around it are moved by.
    """
    groups: dict[str, list[float]] = {}
    for name, entry in common.items():
        size = variations.size(entry)
        if not 0.0 < size < math.inf or stage == "weights" or is_exact(entry):
            continue
        usable = sieve[name].usable if sieve else noise.KINDS
        moved = _moved(a, b, entry, usable, precision)
        if moved < size:  # else it is nothing but noise: null, or beyond the horizon
            groups.setdefault(group(stage, name), []).append(moved / size)
    return {key: statistics.median(found) for key, found in groups.items() if len(found) >= COMPANY}


def wandering(side: Evidence, stage: str, precision: str) -> TensorVerdict | None:
    """Return a tensor that the same run on the same tape does not give again, or None; its `error`
    is by how much."""
    entries = [entry for entry in side.entries(stage) if early(stage, entry.name)]
    largest = max((entry.largest for entry in entries if math.isfinite(entry.largest)), default=0.0)
    for entry in entries:
        moved = noise.movement(side, stage, entry.name, (noise.REPEAT,))
        size = max(entry.scale or entry.largest, noise.REPEAT_SHARE * largest)
        if math.isfinite(moved) and moved > noise.REPEAT_UNITS * noise.UNIT_ROUNDOFF[
            precision
        ] * max(size, entry.largest):
            reason = (
                f"{entry.name} differs by {moved:.1e} when the same run is repeated: does the port"
                " draw noise or batches of its own?"
            )
            return TensorVerdict(
                entry.name, Fidelity.INCONCLUSIVE, reason, moved / size if size else math.inf
            )
    return None


def _alone(stray: TensorVerdict, precision: str) -> bool:
    """Whether a run that does not repeat itself is another run each time, and not one whose sums
    are added up in another order."""
    return stray.error is not None and stray.error > halfway(precision)


def _grade(
    entry: Entry, found: Difference, level: tuple[float, float, float], rule: Rule, same: bool
) -> TensorVerdict:
    """Return the verdict on a difference that could be taken; `level`: floor, threshold, and up to
    which distance nothing can be said."""
    floor, threshold, open_to = level
    shape = f"relative norm error {found.norm_error:.1e}, cosine {found.cosine:.6f}"
    if same:
        return TensorVerdict(entry.name, Fidelity.PASS, shape, found.error, floor, threshold, found)
    if math.isinf(threshold):
        reason = (
            "an honest variation of a side gave a value that is not finite: there is no threshold"
        )
        return TensorVerdict(
            entry.name, Fidelity.INCONCLUSIVE, reason, found.error, None, None, found
        )
    if found.error <= threshold:
        verdict, reason = _within(entry, floor, threshold, rule) or (Fidelity.PASS, shape)
    elif found.apart <= open_to:
        verdict = Fidelity.INCONCLUSIVE
        reason = (
            "no honest variation measures rounding here, and the values are not equal within a few"
            " units in the last place"
        )
    else:
        verdict, reason = Fidelity.FAIL, f"{found.departing} of {found.size} values, {shape}"
    return TensorVerdict(entry.name, verdict, reason, found.error, floor, threshold, found)


def _within(
    entry: Entry, floor: float, threshold: float, rule: Rule
) -> tuple[Fidelity, str] | None:
    """Return what a threshold that is too wide leaves of a tensor below it, and why; None where it
    is an ordinary one."""
    stage, full, first = entry.stage, rule.precision == "fp64", early(entry.stage, entry.name)
    if (
        full
        and floor > noise.FLOAT64_FLOOR
        and (stage in DIRECT or (first and "/loss/" in entry.name))
    ):
        return (
            Fidelity.INCONCLUSIVE,
            (
                f"honest variations move it by {floor:.1e}, and float64 by no more than"
                f" {noise.FLOAT64_FLOOR:.1e}: something is computed in a lower precision, does not"
                " follow the tape, or is ill-conditioned"
            ),
        )
    if threshold < noise.HORIZON:
        return None
    alone = f"honest variations alone differ by {threshold / noise.coverage(stage):.1e} here"
    if full and first:
        return (
            Fidelity.INCONCLUSIVE,
            f"{alone}, before any step in which rounding could have grown",
        )
    return Fidelity.BEYOND, f"beyond the horizon: {alone}"


def _mismatch(a: Entry, b: Entry) -> str:
    """Return why two entries cannot be compared, or an empty string. Integer widths are a
    framework's own business."""
    if a.shape != b.shape:
        return f"shape {list(a.shape)} on a, {list(b.shape)} on b"
    if a.dtype != b.dtype and not (
        a.dtype.lstrip("u").startswith("int") and b.dtype.lstrip("u").startswith("int")
    ):
        return f"dtype {a.dtype} on a, {b.dtype} on b"
    return ""


def _grow(name: str, level: noise.Floor, grown: dict[str, tuple[float, float]]) -> float:
    """Return the floor, for a value of step k at least that of the same value at all steps before:
    rounding only grows, and the movement of a single number over a few runs can be small by chance.

    Both relative to the value and in absolute terms: what was nearly zero in one step, so that
    rounding was all of it, is held to no more than that rounding when it is larger.
    """
    step, suffix = variations.split(name)
    if not step:
        return level.relative
    relative, movement = grown.get(suffix, (0.0, 0.0))
    before = min(relative, movement / level.scale) if level.scale > 0.0 else relative
    found = max(level.relative, before)
    grown[suffix] = max(relative, level.relative), max(movement, level.relative * level.scale)
    return found


def _values(a: Evidence, b: Evidence, stage: str, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    values_a, values_b = a.read(stage, name), b.read(stage, name)
    if a.digested == b.digested:
        return values_a, values_b
    return (values_a, digest(values_b)) if a.digested else (digest(values_a), values_b)
