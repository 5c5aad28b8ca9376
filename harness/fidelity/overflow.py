"""What a precision of small range does, in words: values that are not finite, loss scales that came
down, updates that were skipped.

Where both sides leave the range, the model does, and nothing can be said of the port; where one
does, the two have parted. With a dynamic loss scale, gradients are recorded at the scale that
training settles at, so those that are still not finite are so at scale 1, and the reason says it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from backends.contract import PRECISION_TABLE, Stage
from harness.fidelity.evidence import Evidence, LossScale, TensorEntry
from harness.fidelity.measure import TensorDifference
from harness.fidelity.verdict import TensorVerdict
from harness.results.verdicts import Fidelity

#: Of one side, by phase.
LossScales = Mapping[str, LossScale]
SKIPPED = re.compile(r"slot/(.+)/skipped$")


def is_scaled(precision: str) -> bool:
    """Whether a precision's range is so small that its loss scale is dynamic."""
    return bool(PRECISION_TABLE[precision]["loss_scale_growth"])


def judge_pair(
    entry: TensorEntry, precision: str, apart: TensorDifference, alone: bool = False
) -> TensorVerdict:
    """Judge a tensor of two sides, at least one of which is not finite.

    Which elements of a tensor overflow hangs on the last place of others, and to skip an update one
    is enough: with a dynamic loss scale both sides need not be infinite at the same indices.

    Args:
        entry: of one side. precision: of both. apart: their difference.
        alone: whether the finite side has kept a sketch, which shows no value.
    """
    stage, name = entry.stage, entry.name
    tried, scaled = _tried(stage, precision), is_scaled(precision)
    counts = f"{apart.odd_a} of {apart.size} values of a and {apart.odd_b} of b"
    values = f"a = {apart.value_a}, b = {apart.value_b}"
    if alone:
        values = f"a = {apart.value_a}" if apart.odd_a else f"b = {apart.value_b}"
    text = f"{counts}, the first {values} at {list(apart.index)}"
    if not apart.odd_a or not apart.odd_b:
        verdict, reason = Fidelity.FAIL, f"not finite on one side{tried}: {text}"
    elif not apart.same_mask and not scaled:
        verdict = Fidelity.FAIL
        reason = f"not finite on both sides, but not in the same way: {text}"
    else:
        what = f"overflows {precision}" if scaled else f"is not finite in {precision}"
        verdict = Fidelity.INCONCLUSIVE
        reason = (
            f"not finite on both sides{tried}: {text}; the original itself {what} here, and so no"
            " port can be judged"
        )
    return TensorVerdict(name, verdict, reason, error=apart.error, difference=apart, sketched=alone)


def judge_bound(
    label: str, full: TensorEntry, precision: str, apart: TensorDifference
) -> TensorVerdict:
    """Judge a tensor in a lower precision that is not finite, or whose float64 run is not; `full`
    is the latter's entry."""
    if math.isfinite(full.largest):
        verdict = Fidelity.FAIL
        reason = (
            f"not finite, the range of {precision} overflowed{_tried(full.stage, precision)}:"
            f" {apart.value_a} at {list(apart.index)}"
        )
        if not full.sketched:
            reason += f", where the float64 run has {apart.value_b:.6g}"
    else:
        verdict = Fidelity.INCONCLUSIVE
        reason = (
            f"not finite in float64 either, {apart.value_b} at {list(apart.index)}: the model"
            " overflows, not the precision"
        )
    return TensorVerdict(
        label, verdict, reason, error=apart.error, difference=apart, sketched=full.sketched
    )


def _tried(stage: Stage, precision: str) -> str:
    if stage == Stage.GRADIENTS and is_scaled(precision):
        return ", even with the loss at scale 1"
    return ""


def note(
    stage: Stage, precision: str, sides: Mapping[str, tuple[Evidence, LossScales]]
) -> list[str]:
    """Return what the loss scale did to each side in a stage: one sentence, or none.

    Args:
        sides: by the side's label, its evidence and the loss scales of its gradients.
    """
    if not is_scaled(precision):
        return []
    if stage == Stage.GRADIENTS:
        return [_halved({label: scales for label, (_, scales) in sides.items()})]
    counts = {label: skipped(evidence, stage) for label, (evidence, _) in sides.items()}
    totals = [f"{sum(count.values())} on {label}" for label, count in counts.items() if count]
    return [f"updates skipped by the loss scale: {', '.join(totals)}"] if totals else []


def skipped(side: Evidence, stage: Stage) -> dict[str, int]:
    """Return by optimizer how many updates a side had skipped at the end of a stage; reads no
    values."""
    counts = {}
    for entry in side.entries(stage):
        match = SKIPPED.search(entry.name)
        if match and math.isfinite(entry.largest):
            # Entries come in the order in which they were recorded: the last one stays.
            counts[match[1]] = round(entry.largest)
    return counts


def _halved(sides: Mapping[str, LossScales]) -> str:
    parts = []
    for label, scales in sides.items():
        if not scales:
            parts.append(f"not told by the port of {label}")
            continue
        low = {phase: noted for phase, noted in scales.items() if noted.halved}
        most = min(low, key=lambda phase: low[phase].scale, default="")
        down = f", to {low[most].scale:g} for {most}" if low else ""
        parts.append(f"in {len(low)} of {len(scales)} phases on {label}{down}")
    return "the loss scale came down: " + "; ".join(parts)
