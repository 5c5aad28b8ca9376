"""The two bounds of a lower precision: a build's error against its own float64 run.

It must not exceed what honest variation by one unit in that precision's last place causes, and it must not fall below what
the precision necessarily costs: rounding the weights and inputs alone, everything else in float64. A port that silently runs
float32 under the name of bfloat16 is far too good, and fails as "precision not in effect".
"""

from __future__ import annotations

import math

from harness.fidelity import measured, noise, overflow
from harness.fidelity.evidence import Entry, Evidence
from harness.fidelity.measure import difference
from harness.fidelity.verdict import BEYOND, FAIL, INCONCLUSIVE, PASS, StageVerdict, TensorVerdict

STAGE = "precision"
STAGES = ("forward", "gradients")
#: Where the lower bound is looked for. Activations are continuous in their inputs; a gradient jumps where rounding sends a
#: max-pool or a relu the other way, in one run and not in the other, so what rounding "necessarily" costs it is a coin toss.
CONTINUOUS = "forward"
#: Of a tensor with fewer elements the largest error says little.
MINIMUM_SIZE = 16


def share(precision: str) -> float:
    """Return the share of the necessary cost below which a precision is not in effect: half way, in decades, between the smallest
    that an honest run was ever met with and what a silent run in its place would cost: float32's, and in float32's place float64's."""
    least = measured.LEAST_COST.get(precision, min(measured.LEAST_COST.values()))
    silent = noise.UNIT_ROUNDOFF["fp64" if precision == "fp32" else "fp32"]
    return math.sqrt(min(least, 1.0) * silent / noise.UNIT_ROUNDOFF[precision])


def judge_precision(low: Evidence, full: Evidence, precision: str) -> StageVerdict:
    """Judge a run in `precision` against the same build's float64 run, which recorded `round:<p>` and `ulp:<p>`."""
    if low.digested or full.digested:
        return StageVerdict("precision", INCONCLUSIVE, "a reference holds no full tensors", None, ())
    verdicts: list[TensorVerdict] = []
    for stage in STAGES:
        base = {entry.name: entry for entry in full.entries(stage)}
        verdicts += [
            _judge_tensor(low, full, base[entry.name], precision) for entry in low.entries(stage)
            if entry.name in base and base[entry.name].shape == entry.shape and base[entry.name].largest != 0.0
        ]
    failed = [item for item in verdicts if item.verdict == FAIL]
    if failed:
        return StageVerdict("precision", FAIL, f"{failed[0].name}: {failed[0].reason}", failed[0], tuple(verdicts))
    unsure = [item for item in verdicts if item.verdict == INCONCLUSIVE]
    if unsure:
        return StageVerdict("precision", INCONCLUSIVE, f"{unsure[0].name}: {unsure[0].reason}", unsure[0], tuple(verdicts))
    bounded = [item for item in verdicts if item.reason]
    if not bounded:
        return StageVerdict("precision", INCONCLUSIVE, "no tensor shows what this precision costs", None, tuple(verdicts))
    worst = max((item for item in verdicts if item.verdict == PASS), key=lambda item: item.margin)
    return StageVerdict("precision", PASS, f"in effect, seen in {len(bounded)} tensors; within its bounds", worst, tuple(verdicts))


def _judge_tensor(low: Evidence, full: Evidence, entry: Entry, precision: str) -> TensorVerdict:
    """Judge one tensor; the reason of a PASS is empty where the lower bound could not be seen."""
    stage, name = entry.stage, entry.name
    label = f"{stage} {name}"
    found = difference(low.read(stage, name), full.read(stage, name), entry.largest)
    if not found.finite:
        return overflow.judge_bound(label, entry, precision, found)
    moved = max(noise.movement(low, stage, name), noise.movement(full, stage, name, (f"ulp:{precision}", "ulp", "reorder")))
    level = noise.floor(entry.largest, moved, precision, STAGE)
    if level.movement >= entry.largest or (level.threshold >= noise.HORIZON and found.error <= level.threshold):
        return TensorVerdict(label, BEYOND, "", found.error, level.relative, level.threshold, found)
    if found.error > level.threshold:
        reason = f"error {found.error:.1e} against its own float64 run exceeds {level.threshold:.1e}"
        return TensorVerdict(label, FAIL, reason, found.error, level.relative, level.threshold, found)
    cost = noise.movement(full, stage, name, (f"round:{precision}",)) / entry.largest
    if stage != CONTINUOUS or math.prod(entry.shape) < MINIMUM_SIZE or cost == 0.0:
        return TensorVerdict(label, PASS, "", found.error, level.relative, level.threshold, found)
    if found.error < share(precision) * cost:
        reason = f"precision not in effect: error {found.error:.1e} where {precision} necessarily costs about {cost:.1e}"
        return TensorVerdict(label, FAIL, reason, found.error, level.relative, level.threshold, found, cost)
    return TensorVerdict(label, PASS, "in effect", found.error, level.relative, level.threshold, found, cost)
