"""Which honest variations measure rounding at a tensor, which show a difference, and which say
nothing. Pure.

A fault must not set its own threshold. Each build ran again with weights and inputs moved by one
unit in the last place, with weights alone moved, and with the rows of every batch in another order;
what moves a tensor by rounding moves it on both sides by about as much, and in float64 by very
little. So, of each kind of variation and each tensor of a float64 pair:

- moved by no more than rounding can: the variation *measures* rounding there, and the larger
  movement is noise;
- moved far beyond that on one side, and not on the other: a *difference*. Both sides got the same
  variation, and made something else of it: the one depends on the order of rows, on a tie or an
  edge, on noise or on state of its own;
- moved far beyond that on both sides: the variation is *no rounding* there. Rows that are mixed
  with each other, a value on the edge of a bucket, a tie that a unit breaks. It gives no floor; the
  other variations judge.

Along a trajectory rounding grows. What grew is told from what jumped by its steps: see `GROWTH`.
What float64 has shown of a tensor holds for the lower precisions of the same pair: an edge that
they cross is the same edge.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence

from backends.contract import SKETCH_BLOCK, Stage
from harness.fidelity.evidence import Evidence, TensorEntry
from harness.fidelity.noise import AGREEMENT_UNITS, KINDS, REPEAT, UNIT_ROUNDOFF, halfway

#: Of two sides, the one that moves so many times as much as the other moves alone. Honest ports
#: differ by a few hundred, where both moved by rounding alone; beyond rounding they follow the same
#: function and differ by a few.
ALONE = 1e3
#: From one step of training to the next, rounding grows by no more than this; in more steps by no
#: more than four times.
GROWTH, GROWING = 1e2, 4
#: A movement of so many units of roundoff is nothing to grow from.
LEAST_UNITS = 64.0
#: A tensor smaller than this share of the largest beside it has no size of its own that its
#: movements could be measured by.
LEAST_SHARE = 2.0**-20

STEP = re.compile(r"^step (\d+)/(.*)$")
#: What a side that moves alone does, and what a variation that both sides follow comes upon.
DIFFERENCE = {
    "ulp": "jumps when weights and inputs move by one unit in the last place",
    "weights": "jumps when weights move by one unit in the last place",
    "reorder": "depends on the order of rows",
    REPEAT: "is another one when the same run is repeated (noise, batches or state of its own?)",
}
NO_ROUNDING = {
    "ulp": (
        "on both sides a unit in the last place of weights and inputs crosses a tie, an edge or a"
        " branch"
    ),
    "weights": (
        "on both sides a unit in the last place of weights crosses a tie, an edge or a branch"
    ),
    "reorder": (
        "on both sides rows of a batch, or what is carried between batches, influence each other"
    ),
}


def early(stage: Stage, name: str) -> bool:
    """Whether rounding has had no steps yet to grow in."""
    return stage != Stage.TRAJECTORY or name.startswith("step 1/")


def is_update(entry: TensorEntry) -> bool:
    """Whether a tensor is a parameter after training, whose own scale is the size of its update."""
    return "/parameter/" in entry.name or entry.name.startswith("parameter/")


def size(entry: TensorEntry) -> float:
    """Return what a tensor's movements are measured by: a parameter's update, anything else's
    values."""
    return entry.scale if is_update(entry) else entry.largest


#: A kind of variation, the side that it moves alone, and by how much it moves that one and the
#: other, relative to the tensor's size.
Movement = tuple[str, str, float, float]


@dataclasses.dataclass(frozen=True)
class Moves:
    """What the variations do to one tensor of a pair.

    Attributes:
        usable: the kinds that measure rounding here.
        alone: by kind, the side that moves alone, and by how much each side is moved, relative to
            the tensor's size.
        crossed: the kinds that are no rounding here, on both sides.
    """

    usable: tuple[str, ...] = KINDS
    alone: tuple[Movement, ...] = ()
    crossed: tuple[str, ...] = ()

    def in_precision(self, precision: str, threshold: float) -> Moves:
        """Return what these movements in float64 are in a precision: in a lower one, what a model
        has computed in float32 inside its float64 run is rounding, where it is below the threshold.

        Args:
            precision: that is judged. threshold: of the tensor, in that precision.
        """
        if precision == "fp64":
            return self
        least = min(threshold, LEAST_UNITS * UNIT_ROUNDOFF["fp32"])
        return dataclasses.replace(
            self, alone=tuple(item for item in self.alone if item[2] > least)
        )

    def sentence(self, name: str) -> str:
        """Return what differs, in words; empty where nothing moves alone."""
        said = []
        for kind, side, moved, other in self.alone:
            quiet = "a" if side == "b" else "b"
            said.append(
                f"{side}'s {name} {DIFFERENCE[kind]}, {quiet}'s does not (moved by {moved:.1e},"
                f" {quiet}'s by {other:.1e})"
            )
        return "; ".join(said)


class Sieve:
    """Sorts the variations of every tensor of a stage, by two float64 records; reads no values.

    Args:
        a, b: the two sides. stage: which.
    """

    def __init__(self, a: Evidence, b: Evidence, stage: Stage) -> None:
        self.stage = stage
        self._moves: dict[str, Moves] = {}
        self._runs = {(kind, side): _Run() for kind in KINDS for side in "ab"}
        self._lost: dict[str, int] = {}
        others = {entry.name: entry for entry in b.entries(stage)}
        common = [
            (entry, others[entry.name])
            for entry in a.entries(stage)
            if entry.name in others and stage != Stage.WEIGHTS
        ]
        self._least = {group: LEAST_SHARE * whole for group, whole in largest(common).items()}
        for entry, other in common:
            self._sort(a, b, entry, other)

    def __getitem__(self, name: str) -> Moves:
        """Return what holds for a tensor; of a step that was not looked at here, what held at the
        last look before."""
        if name in self._moves:
            return self._moves[name]
        step, suffix = split(name)
        earlier = [
            number for number, rest in map(split, self._moves) if rest == suffix and number <= step
        ]
        return self._moves[f"step {max(earlier)}/{suffix}"] if earlier and step else Moves()

    def crossed(self) -> dict[str, str]:
        """Return the kinds that are no rounding somewhere, with the first such tensor."""
        first: dict[str, str] = {}
        for name, moves in self._moves.items():
            for kind in moves.crossed:
                first.setdefault(kind, name)
        return first

    def _sort(self, a: Evidence, b: Evidence, entry_a: TensorEntry, entry_b: TensorEntry) -> None:
        name = entry_a.name
        whole = max(size(entry_a), size(entry_b), self._least.get(group(self.stage, name), 0.0))
        usable, alone, crossed = [], [], []
        noise_a, noise_b = a.noise(self.stage, name), b.noise(self.stage, name)
        exact = is_exact(entry_a)
        for kind in KINDS:
            known = {
                side: noise[kind]
                for side, noise in (("a", noise_a), ("b", noise_b))
                if kind in noise
            }
            if not known:
                continue
            # An older record may lack a kind. Then nothing is known to move alone, and the other
            # side stands for both.
            both = {side: known.get(side) or next(iter(known.values())) for side in "ab"}
            if is_update(entry_a):
                # One that no update moves is moved by the variation itself.
                largest_value = max(entry_a.largest, entry_b.largest)
                # Sums of a sketch round as often as they have parts.
                sums = math.sqrt(SKETCH_BLOCK) if entry_a.sketched else 1.0
                both = {
                    side: _beyond_units(values, sums * largest_value)
                    for side, values in both.items()
                }
            moved = {side: relative(values, whole) for side, values in both.items()}
            word = self._word(kind, name, moved, exact)
            if word == "usable":
                usable.append(kind)
            elif word == "crossed":
                crossed.append(kind)
            else:
                alone.append((kind, word, moved[word], moved["a" if word == "b" else "b"]))
        self._moves[name] = Moves(tuple(usable), tuple(alone), tuple(crossed))

    def _word(self, kind: str, name: str, moved: Mapping[str, float], exact: bool) -> str:
        """Return `usable`, `crossed`, or the side that moves alone."""
        if not all(math.isfinite(value) for value in moved.values()):
            return "usable"  # not finite: the judge has a rule for that
        step, _ = split(name)
        if self._lost.get(kind, step + 1) <= step:
            return "crossed"  # that run has gone another way since, on both sides
        jumped = {
            side: self._runs[kind, side].look(self.stage, name, value, exact)
            for side, value in moved.items()
        }
        if not any(jumped.values()):
            return "usable"
        loud = max(moved, key=lambda side: moved[side])
        quiet = min(moved.values())
        if moved[loud] > ALONE * max(quiet, UNIT_ROUNDOFF["fp64"]):
            return loud
        for side in "ab":
            self._runs[kind, side].leave(name)
        if step and name.endswith("/total"):
            self._lost[kind] = step + 1
        return "crossed"


class _Run:
    """What one kind of variation has moved so far on one side: how much of each tensor, at which
    step."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, float]] = {}
        self._left: set[str] = set()

    def look(self, stage: Stage, name: str, moved: float, exact: bool) -> bool:
        """Whether a movement is none that rounding could have grown to."""
        step, suffix = split(name)
        jumped = suffix in self._left or moved > (
            0.0 if exact else self._bound(stage, name, step, suffix)
        )
        if not jumped:
            self._seen[suffix] = step, max(moved, self._seen.get(suffix, (0, 0.0))[1])
        return jumped

    def leave(self, name: str) -> None:
        """Note that a tensor's values are those of another way from here on."""
        self._left.add(split(name)[1])

    def _bound(self, stage: Stage, name: str, step: int, suffix: str) -> float:
        if early(stage, name):
            return halfway("fp64")
        largest = max((value for _, value in self._seen.values()), default=0.0)
        before, moved = self._seen.get(suffix, (step - 1, largest))
        steps = min(max(1, step - before), GROWING)
        grown = GROWTH**steps * max(moved, LEAST_UNITS * UNIT_ROUNDOFF["fp64"])
        return max(halfway("fp64"), grown)


def _beyond_units(movements: Sequence[float], value: float) -> list[float]:
    """Return movements, nought for those of no more than a few units of roundoff of a value."""
    units = AGREEMENT_UNITS * UNIT_ROUNDOFF["fp64"] * value
    return [0.0 if movement <= units else movement for movement in movements]


def group(stage: Stage, name: str) -> str:
    """Return which tensors are of one kind at one step: losses, parameters, slots, anything
    else."""
    step, rest = split(name)
    kind = next((kind for kind in ("loss/", "parameter/", "slot/") if kind in rest), "")
    return f"{stage} {step} {kind}"


def largest(pairs: Iterable[tuple[TensorEntry, TensorEntry]]) -> dict[str, float]:
    """Return the largest size of a floating-point tensor of each group, on either side; of a
    forward pass the median: a filler as large as the dtype holds, for a mask, would make nothing of
    all the others."""
    groups: dict[str, list[float]] = {}
    for entry in itertools.chain.from_iterable(pairs):
        whole = size(entry)
        if not is_exact(entry) and math.isfinite(whole):
            groups.setdefault(group(entry.stage, entry.name), []).append(whole)
    return {
        key: statistics.median(sizes) if key.startswith("forward ") else max(sizes)
        for key, sizes in groups.items()
    }


def is_exact(entry: TensorEntry) -> bool:
    """Whether a tensor holds whole numbers or truth values, which rounding does not move."""
    return not entry.dtype.startswith(("float", "complex"))


def split(name: str) -> tuple[int, str]:
    """Return the step in a name, 0 if it has none, and the rest."""
    match = STEP.match(name)
    return (int(match[1]), match[2]) if match else (0, name)


def relative(moved: list[float], whole: float) -> float:
    """Return the largest movement relative to a size; infinity if one is not a number."""
    largest = max((math.inf if math.isnan(value) else value for value in moved), default=0.0)
    if largest == 0.0:
        return 0.0
    return largest / whole if whole > 0.0 else math.inf
