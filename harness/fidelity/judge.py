"""Judge one stage of a pair: every tensor by the error measure against its own measured threshold.

Never vacuous: a missing or extra tensor, another shape or dtype, a value that is not finite, an
empty comparison: none of these is ever a PASS. A fault never excuses itself: only those variations
give a floor that measure rounding (`variations`). The tensors are judged in the order in which they
were computed, so the first that departs is named.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping
from typing import Any

from numpy.typing import NDArray

from backends.contract import Stage
from harness.fidelity import (
    float32,
    movements,
    noise,
    nonrepeatable,
    nulls,
    overflow,
    variations,
)
from harness.fidelity.digest import digest
from harness.fidelity.evidence import Evidence, TensorEntry, both_values
from harness.fidelity.grades import GradingLimits, grade, within_constants
from harness.fidelity.measure import TensorDifference, difference
from harness.fidelity.variations import Moves, Sieve, group, is_exact
from harness.fidelity.verdict import StageVerdict, TensorVerdict, sum_up
from harness.results.verdicts import Fidelity

#: What constants in float32 move is no random rounding but one known shift, which the other side
#: has made in part, or with other roundings on the way: no more than this many times it. Along a
#: trajectory the roundings of a schedule add up.
CONSTANTS_COVERAGE = {Stage.UPDATE: 2.0, Stage.TRAJECTORY: 4.0}
#: A tensor with fewer elements than this has its floor from its peer group too.
FEW = 16

#: The float64 records of both sides.
Base = tuple[Evidence, Evidence]


def judge_stage(
    a: Evidence,
    b: Evidence,
    stage: Stage,
    precision: str,
    null: Collection[str] | None = None,
    base: Base | None = None,
) -> StageVerdict:
    """Judge one stage.

    Args:
        a, b: the two sides; the error measure divides by b.
        stage, precision: which, and what both ran in.
        null: names found to be mathematically zero by the pair's float64 records; None to decide
            here, by the records themselves.
        base: in a lower precision, the pair's float64 records: what they say of a variation holds
            here, too.
    """
    entries_a = {entry.name: entry for entry in a.entries(stage)}
    entries_b = {entry.name: entry for entry in b.entries(stage)}
    empty = [side for side, entries in (("a", entries_a), ("b", entries_b)) if not entries]
    if empty:
        reason = f"not looked at: side {' and '.join(empty)} recorded no tensor of this stage"
        return StageVerdict(stage, Fidelity.INCONCLUSIVE, reason, None, ())
    changing = {
        side: nonrepeatable.first_tensor(evidence, stage, precision)
        for side, evidence in (("a", a), ("b", b))
    }
    undecided = _undecided(changing, precision)
    if undecided is not None:
        side, tensor = undecided
        reason = f"side {side}: {tensor.reason}"
        return StageVerdict(stage, Fidelity.INCONCLUSIVE, reason, tensor, (tensor,))
    both = (a, b) if precision == "fp64" else base
    sieve = Sieve(*both, stage) if both else None
    common = {name: entry for name, entry in entries_b.items() if name in entries_a}
    rule = StageRule(
        precision=precision,
        null=nulls.null_tensors(a, b, stage, precision) if null is None else null,
        grown={},
        grown_constants={},
        peers=movements.of_peer_groups(a, b, stage, common, sieve, precision),
        sieve=sieve,
        changing=changing,
    )
    verdicts = []
    for name in [*entries_a, *(name for name in entries_b if name not in entries_a)]:
        if name in common:
            verdicts.append(_judge_tensor(a, b, entries_a[name], entries_b[name], rule))
        else:
            reason = f"only side {'b' if name in entries_b else 'a'} has this tensor"
            verdicts.append(TensorVerdict(name, Fidelity.FAIL, reason))
    verdict = sum_up(stage, verdicts, _phases(a))
    crossed = [
        f"{variations.NO_ROUNDING[kind]}, {name} first: not judged by that variation there"
        for kind, name in (sieve.crossed() if sieve else {}).items()
    ]
    return dataclasses.replace(verdict, reason="; ".join([verdict.reason, *crossed]))


def _undecided(
    changing: Mapping[str, TensorVerdict | None], precision: str
) -> tuple[str, TensorVerdict] | None:
    """Return the side that leaves nothing to judge, and its tensor that does not repeat; None where
    one side alone is another run each time, which is a difference."""
    both = all(changing.values())
    for side, tensor in changing.items():
        if tensor and (both or not nonrepeatable.is_another_run(tensor, precision)):
            return side, tensor
    return None


def _phases(side: Evidence) -> list[str]:
    """Return the phases that a side has recorded the losses of; the last term of each is
    `total`."""
    names = [entry.name for entry in side.entries(Stage.LOSS)]
    return [name.removesuffix("/total") for name in names if name.endswith("/total")]


@dataclasses.dataclass(frozen=True)
class StageRule:
    """What a stage's tensors are judged by.

    Attributes:
        precision: what both sides ran in. null: the names known to be zero.
        grown: the floors met so far, see `_grow`. grown_constants: those of constants in float32.
        peers: floors of the peer groups.
        sieve: which variations measure rounding.
        changing: by side, a tensor that it does not give again.
    """

    precision: str
    null: Collection[str]
    grown: dict[str, tuple[float, float]]
    grown_constants: dict[str, tuple[float, float]]
    peers: Mapping[str, float]
    sieve: Sieve | None
    changing: Mapping[str, TensorVerdict | None]

    def moves(self, name: str) -> Moves:
        """Return what is known of the variations of a tensor."""
        return self.sieve[name] if self.sieve else Moves()


def _judge_tensor(
    a: Evidence, b: Evidence, entry_a: TensorEntry, entry_b: TensorEntry, rule: StageRule
) -> TensorVerdict:
    settled = _without_values(a, b, entry_a, entry_b, rule)
    if settled is not None:
        return settled
    stage, name = entry_a.stage, entry_a.name
    moves = rule.moves(name)
    level, threshold = _limit(a, b, entry_b, moves, rule)
    values = _values((a, entry_a), (b, entry_b))
    apart = difference(*values, level.scale, threshold)
    if not apart.finite:
        alone = entry_a.sketched != entry_b.sketched
        return overflow.judge_pair(entry_a, rule.precision, apart, alone)
    same = _is_same(entry_b, apart, rule.precision)
    edge = 0.0
    if not (moves.usable or moves.alone):
        # Nothing measures rounding: a difference is what lies beyond all that an edge can do.
        edge = max(noise.movement(side, stage, name, moves.crossed) for side in (a, b))
    limits = GradingLimits(level.relative, threshold, open_to=noise.coverage(stage) * edge)
    graded = grade(entry_a, apart, limits, rule.precision, same)
    wide = _constants_limit(a, b, entry_b, level, rule)
    if graded.verdict == Fidelity.FAIL and apart.error <= wide <= noise.LIFTED:
        graded = within_constants(graded, wide)
    moves = moves.in_precision(rule.precision, threshold)
    differs = _difference(a, b, entry_b, moves, rule, same) or _other_bits(entry_a, entry_b)
    if differs:
        reason, by_order = f"{differs}; {graded.reason}", float32.order_alone(*values, moves.alone)
        return dataclasses.replace(graded, verdict=Fidelity.FAIL, reason=reason, by_order=by_order)
    full = rule.precision == "fp64" and stage != Stage.WEIGHTS
    full = full and not a.digested and not entry_a.sketched
    if graded.verdict == Fidelity.FAIL and full:
        return dataclasses.replace(graded, float32=float32.sign(*values, apart.error))
    return graded


def _without_values(
    a: Evidence, b: Evidence, entry_a: TensorEntry, entry_b: TensorEntry, rule: StageRule
) -> TensorVerdict | None:
    """Return the verdict on a tensor whose values need not be read, or None."""
    name = entry_a.name
    problem = _mismatch(entry_a, entry_b)
    if problem:
        return TensorVerdict(name, Fidelity.FAIL, problem)
    if 0 in entry_a.shape:
        reason = f"nothing to compare: its shape is {list(entry_a.shape)}"
        return TensorVerdict(name, Fidelity.INCONCLUSIVE, reason)
    if _is_null(a, b, entry_a, entry_b, rule):
        reason = "mathematically zero: on both sides no larger than its own rounding noise"
        return TensorVerdict(name, Fidelity.NULL, reason)
    return None


def _is_null(
    a: Evidence, b: Evidence, entry_a: TensorEntry, entry_b: TensorEntry, rule: StageRule
) -> bool:
    """Whether a tensor is mathematically zero; its rounding is then noted for the steps to come."""
    stage, name = entry_a.stage, entry_a.name
    moved = noise.movement(a, stage, name), noise.movement(b, stage, name)
    if name not in rule.null or not nulls.is_noise(entry_a, entry_b, *moved):
        return False
    if not math.isfinite(entry_a.largest + entry_b.largest):
        return False
    # In the steps to come it may be something: its rounding is then what it is now.
    step, suffix = variations.split(name)
    if step:
        sizes = variations.size(entry_a), variations.size(entry_b)
        rule.grown[suffix] = 1.0, max(*sizes, *moved)
    return True


def _limit(
    a: Evidence, b: Evidence, entry: TensorEntry, moves: Moves, rule: StageRule
) -> tuple[noise.Floor, float]:
    """Return the floor of a tensor, and what its error must not exceed."""
    stage, name = entry.stage, entry.name
    moved = movements.of_pair(a, b, entry, moves.usable, rule.precision)
    level = noise.floor(entry.scale or entry.largest, moved, rule.precision, stage)
    if math.prod(entry.shape) < FEW and not is_exact(entry):
        level = noise.at_least(level, rule.peers.get(group(stage, name), 0.0), stage)
    threshold = noise.coverage(stage) * _grow(name, level, rule.grown)
    counted = is_exact(entry) and moved == 0.0 and not b.digested and not a.digested
    if stage == Stage.WEIGHTS or counted:
        threshold = 0.0  # loaded, or counted: nothing is rounded
    return level, threshold


def _constants_limit(
    a: Evidence, b: Evidence, entry: TensorEntry, level: noise.Floor, rule: StageRule
) -> float:
    """Return what the error of a tensor must not exceed if one side keeps hyper-parameters in
    float32, as Keras and TensorFlow do inside a float64 run; 0 where nothing shows what that does.
    """
    if entry.stage not in CONSTANTS_COVERAGE:
        return 0.0
    moved = movements.of_constants(a, b, entry)
    if not 0.0 < moved < math.inf or not level.scale:
        return 0.0
    floor = noise.Floor(moved, level.scale, moved / level.scale, 0.0)
    return CONSTANTS_COVERAGE[entry.stage] * _grow(entry.name, floor, rule.grown_constants)


def _is_same(entry: TensorEntry, apart: TensorDifference, precision: str) -> bool:
    """Whether all values are equal within a few units in the last place."""
    near = 0.0
    if not is_exact(entry):
        near = noise.agreement(precision) * (entry.scale or entry.largest)
    return apart.apart == 0.0 or (entry.stage != Stage.WEIGHTS and apart.apart <= near)


def _difference(
    a: Evidence, b: Evidence, entry: TensorEntry, moves: Moves, rule: StageRule, same: bool
) -> str:
    """Return, in words, what moves one side and not the other; empty where nothing does.

    Where both sides have the same value, a unit in the last place that moves one of them may have
    met an edge that rounding leaves to chance. Rows in another order, or the same run again, leave
    nothing to chance.
    """
    if same:
        reordered = tuple(item for item in moves.alone if item[0] == "reorder")
        moves = dataclasses.replace(moves, alone=reordered)
    changing = next((side for side, tensor in rule.changing.items() if tensor), None)
    if changing is not None:
        size = entry.scale or entry.largest
        moved = {
            side: noise.movement(evidence, entry.stage, entry.name, (noise.REPEAT,))
            for side, evidence in (("a", a), ("b", b))
        }
        relative = {side: variations.relative([value], size) for side, value in moved.items()}
        if noise.halfway(rule.precision) < relative[changing] < math.inf:
            other = "a" if changing == "b" else "b"
            kind = (noise.REPEAT, changing, relative[changing], relative[other])
            moves = dataclasses.replace(moves, alone=(kind, *moves.alone))
    return moves.sentence(entry.name)


def _mismatch(a: TensorEntry, b: TensorEntry) -> str:
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
    grown[suffix] = max(relative, level.relative), max(movement, level.relative * level.scale)
    return max(level.relative, before)


def _other_bits(a: TensorEntry, b: TensorEntry) -> str:
    """Return, in words, that two weights are not the same, however alike their sketches are."""
    loaded = a.stage == Stage.WEIGHTS and a.sketched and b.sketched
    return "the values are not all equal" if loaded and a.content != b.content else ""


def _values(
    a: tuple[Evidence, TensorEntry], b: tuple[Evidence, TensorEntry]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return both sides' values; digests where one side has nothing else. Of the same bits, two
    releases of NumPy may make sketches that differ by the rounding of their sums."""
    values_a, values_b = both_values(a, b)
    if a[1].content and a[1].content == b[1].content:
        return values_a, values_a
    if a[0].digested == b[0].digested:
        return values_a, values_b
    return (values_a, digest(values_b)) if a[0].digested else (digest(values_a), values_b)
