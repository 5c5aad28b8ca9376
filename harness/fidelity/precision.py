"""The two bounds of a lower precision: a build's error against its own float64 run.

It must not exceed what honest variation by one unit in that precision's last place causes, and it
must not fall below what the precision necessarily costs: rounding the weights and inputs alone,
everything else in float64. A port that silently runs float32 under the name of bfloat16 is far too
good, and fails as "precision not in effect".
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping

from backends.contract import Stage
from harness.fidelity import honest_spread, noise, nonrepeatable, overflow
from harness.fidelity.evidence import Evidence, TensorEntry, both_values
from harness.fidelity.measure import TensorDifference, difference
from harness.fidelity.variations import ALONE, Sieve
from harness.fidelity.verdict import StageVerdict, TensorVerdict
from harness.results.verdicts import Bounds, Fidelity

STAGE = Bounds.PRECISION
STAGES = (Stage.FORWARD, Stage.GRADIENTS)
IN_EFFECT, NOT_IN_EFFECT = "in effect", "precision not in effect"
#: Where the lower bound is looked for. Activations are continuous in their inputs; a gradient jumps
#: where rounding sends a max-pool or a relu the other way, in one run and not in the other, so what
#: rounding "necessarily" costs it is a coin toss.
CONTINUOUS = Stage.FORWARD
#: Of a tensor with fewer elements the largest error says little. A model without a larger one is
#: judged by those of four or more, of which all would have to be by chance a thousand times better
#: than they must be.
MINIMUM_SIZE, LEAST_SIZE = 16, 4
#: Precisions in which storage itself is low, so that every value costs what rounding costs; in the
#: others that is what a product in the low dtype makes of it.
STORED_LOW = ("fp32",)


def share(precision: str) -> float:
    """Return the share of the necessary cost below which a precision is not in effect: half way, in
    decades, between the smallest that an honest run was ever met with and what a silent run instead
    of it would cost: float32's, and instead of float32's float64's.
    """
    least = honest_spread.LEAST_COST.get(precision, min(honest_spread.LEAST_COST.values()))
    silent = noise.UNIT_ROUNDOFF["fp64" if precision == "fp32" else "fp32"]
    return math.sqrt(min(least, 1.0) * silent / noise.UNIT_ROUNDOFF[precision])


def judge_precision(
    low: Evidence, full: Evidence, precision: str, contracted: Collection[str] | None = None
) -> StageVerdict:
    """Judge a run in `precision` against the same build's float64 run, which recorded `round:<p>`
    and `ulp:<p>`.

    Args:
        low, full: the two runs. precision: of the first.
        contracted: the activations, `<mode>/<name>`, that a product is upstream of: they alone cost
            what a low product costs. None where the port does not tell; then the lower bound is
            missed where no activation keeps it.
    """
    if low.digested or full.digested:
        reason = "a reference holds no full tensors"
        return StageVerdict(STAGE, Fidelity.INCONCLUSIVE, reason, None, ())
    # The error of what a side does not give again, against another run, says nothing of the
    # precision.
    changing = nonrepeatable.first_of_stages(
        low, STAGES, precision
    ) or nonrepeatable.first_of_stages(full, STAGES, "fp64")
    if changing is not None:
        return StageVerdict(STAGE, Fidelity.INCONCLUSIVE, changing.reason, changing, (changing,))
    usable: dict[str, Sieve] = {stage: Sieve(full, full, stage) for stage in STAGES}
    bound = Bound(precision, contracted, usable)
    verdicts = _judge_tensors(low, full, bound)
    if not any(item.necessary is not None for item in verdicts):
        verdicts = _judge_tensors(low, full, dataclasses.replace(bound, least_size=LEAST_SIZE))
    return _sum_up(verdicts)


def _judge_tensors(low: Evidence, full: Evidence, bound: Bound) -> list[TensorVerdict]:
    verdicts: list[TensorVerdict] = []
    for stage in STAGES:
        base = {entry.name: entry for entry in full.entries(stage)}
        verdicts += [
            _judge_tensor(low, full, (entry, base[entry.name]), bound)
            for entry in low.entries(stage)
            if entry.name in base
            and base[entry.name].shape == entry.shape
            and base[entry.name].largest != 0.0
        ]
    unknown = bound.contracted is None and bound.precision not in STORED_LOW
    if unknown and any(_costs(item, Fidelity.PASS) for item in verdicts):
        # Nobody tells which activations a product has made; that some cost what they must shows
        # that products are low.
        return [_unbounded(item) if _costs(item, Fidelity.FAIL) else item for item in verdicts]
    return verdicts


def _costs(item: TensorVerdict, verdict: Fidelity) -> bool:
    """Whether a tensor was held to what the precision necessarily costs, and what came of it."""
    return item.necessary is not None and item.verdict == verdict


def _unbounded(item: TensorVerdict) -> TensorVerdict:
    return dataclasses.replace(item, verdict=Fidelity.PASS, reason="", necessary=None)


def _sum_up(verdicts: list[TensorVerdict]) -> StageVerdict:
    tensors = tuple(verdicts)
    for verdict in (Fidelity.FAIL, Fidelity.INCONCLUSIVE):
        first = next((item for item in verdicts if item.verdict == verdict), None)
        if first is not None:
            return StageVerdict(STAGE, verdict, f"{first.name}: {first.reason}", first, tensors)
    bounded = [item for item in verdicts if _costs(item, Fidelity.PASS)]
    passed = [item for item in verdicts if item.verdict == Fidelity.PASS]
    worst = max(passed, key=lambda item: item.margin, default=None)
    if worst is None:
        reason = "no tensor was compared with the float64 run"
        return StageVerdict(STAGE, Fidelity.INCONCLUSIVE, reason, None, tensors)
    if not bounded:
        reason = (
            "no worse than it must be; whether it is in effect was not looked at: no tensor shows"
            " what this precision costs"
        )
        return StageVerdict(STAGE, Fidelity.INFO, reason, worst, tensors)
    reason = f"in effect, seen in {len(bounded)} tensors; within its bounds"
    return StageVerdict(STAGE, Fidelity.PASS, reason, worst, tensors)


@dataclasses.dataclass(frozen=True)
class Bound:
    """The precision, the activations that a product is upstream of (None: not told), by stage which
    variations measure rounding, and how many elements a tensor needs to show what the precision
    costs."""

    precision: str
    contracted: Collection[str] | None
    usable: Mapping[str, Sieve]
    least_size: int = MINIMUM_SIZE

    def holds(self, stage: Stage, name: str) -> bool:
        """Whether a tensor must cost what the precision costs: an activation, and unless storage is
        low, one that a product has made.

        What is generated is an activation like any other; where a port tells of its products, it
        has at least one.
        """
        if stage != CONTINUOUS:
            return False
        return (
            self.contracted is None
            or self.precision in STORED_LOW
            or name in self.contracted
            or (name == "generate" and bool(self.contracted))
        )


def _judge_tensor(
    low: Evidence, full: Evidence, entries: tuple[TensorEntry, TensorEntry], bound: Bound
) -> TensorVerdict:
    """Judge one tensor, by its entries in both runs; the reason of a PASS is empty where the lower
    bound could not be seen."""
    own, entry = entries
    stage, name, precision = entry.stage, entry.name, bound.precision
    label = f"{stage} {name}"
    apart = difference(*both_values((low, own), (full, entry)), entry.largest)
    if not apart.finite:
        return overflow.judge_bound(label, entry, precision, apart)
    level = _floor(low, full, entry, bound)
    beyond = level.threshold >= noise.HORIZON and apart.error <= level.threshold
    if level.movement >= entry.largest or beyond:
        return _verdict(label, Fidelity.BEYOND, "", apart, level)
    if apart.error > level.threshold:
        reason = (
            f"error {apart.error:.1e} against its own float64 run exceeds {level.threshold:.1e}"
        )
        return _verdict(label, Fidelity.FAIL, reason, apart, level)
    cost = noise.movement(full, stage, name, (f"round:{precision}",)) / entry.largest
    if not bound.holds(stage, name) or math.prod(entry.shape) < bound.least_size or cost == 0.0:
        return _verdict(label, Fidelity.PASS, "", apart, level)
    if apart.error < share(precision) * cost:
        reason = (
            f"{NOT_IN_EFFECT}: error {apart.error:.1e} where {precision} necessarily costs about"
            f" {cost:.1e}"
        )
        return _verdict(label, Fidelity.FAIL, reason, apart, level, cost)
    return _verdict(label, Fidelity.PASS, IN_EFFECT, apart, level, cost)


def _floor(low: Evidence, full: Evidence, entry: TensorEntry, bound: Bound) -> noise.Floor:
    stage, name, precision = entry.stage, entry.name, bound.precision
    usable = bound.usable[stage][name].usable
    # A unit that crosses an edge is no noise; whether rounding the inputs crosses it is what the
    # precision costs.
    own = (f"ulp:{precision}" if "ulp" in usable else f"round:{precision}", *usable)
    expected = noise.movement(full, stage, name, own)
    # The run's own noise counts as far as the float64 run bears it out: else what is wrong in this
    # precision alone would excuse itself.
    most = ALONE * max(expected, noise.UNIT_ROUNDOFF[precision] * entry.largest)
    moved = max(expected, min(noise.movement(low, stage, name, usable), most))
    return noise.floor(entry.largest, moved, precision, STAGE)


def _verdict(
    label: str,
    verdict: Fidelity,
    reason: str,
    apart: TensorDifference,
    level: noise.Floor,
    necessary: float | None = None,
) -> TensorVerdict:
    return TensorVerdict(
        label,
        verdict,
        reason,
        error=apart.error,
        floor=level.relative,
        threshold=level.threshold,
        difference=apart,
        necessary=necessary,
    )
