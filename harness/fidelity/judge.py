"""Judge one stage of a pair: every tensor by the error measure against its own measured threshold.

Never vacuous: a missing or extra tensor, another shape or dtype, a value that is not finite, an empty comparison: none of
these is ever a PASS. The tensors are judged in the order in which they were computed, so the first that departs is named.
"""

from __future__ import annotations

import dataclasses
import math
import re
import statistics
from collections.abc import Collection, Mapping
from typing import Any

from numpy.typing import NDArray

from harness.fidelity import noise, overflow
from harness.fidelity.digest import digest
from harness.fidelity.evidence import Entry, Evidence
from harness.fidelity.measure import Difference, difference
from harness.fidelity.verdict import BEYOND, FAIL, INCONCLUSIVE, NULL, PASS, StageVerdict, TensorVerdict, sum_up

#: Stages before an optimizer has divided a gradient by its own size, which lifts the noise of one that is nearly zero.
DIRECT = ("forward", "loss", "gradients")
#: Stages in which a tensor can be mathematically zero (a bias before batch-norm has no gradient, and no update).
NULL_STAGES = ("gradients", "update", "trajectory")
#: A tensor with fewer elements than this has its floor from its company too, where the company is at least so large.
FEW, COMPANY = 16, 8
STEP = re.compile(r"^step (\d+)/(.*)$")


def judge_stage(a: Evidence, b: Evidence, stage: str, precision: str, null: Collection[str] | None = None) -> StageVerdict:
    """Judge one stage.

    Args:
        a, b: the two sides; the error measure divides by b.
        precision: what both ran in.
        null: names found to be mathematically zero by the pair's float64 records; None to decide here, by the records' own noise.
    """
    entries_a = {entry.name: entry for entry in a.entries(stage)}
    entries_b = {entry.name: entry for entry in b.entries(stage)}
    if not entries_a or not entries_b:
        sides = " and ".join(side for side, entries in (("a", entries_a), ("b", entries_b)) if not entries)
        return StageVerdict(stage, INCONCLUSIVE, f"not looked at: side {sides} recorded no tensor of this stage", None, ())
    for side, evidence in (("a", a), ("b", b)):
        strays = wandering(evidence, stage, precision)
        if strays is not None:
            return StageVerdict(stage, INCONCLUSIVE, f"side {side}: {strays.reason}", strays, (strays,))
    verdicts = []
    rule = Rule(precision, null, {}, _company(a, b, stage, entries_a, entries_b))
    for name in [*entries_a, *(name for name in entries_b if name not in entries_a)]:
        if name not in entries_a or name not in entries_b:
            there = "b" if name in entries_b else "a"
            verdicts.append(TensorVerdict(name, FAIL, f"only side {there} has this tensor"))
            continue
        verdicts.append(_judge_tensor(a, b, entries_a[name], entries_b[name], rule))
    return sum_up(stage, verdicts, _phases(a))


def _phases(side: Evidence) -> list[str]:
    """Return the phases that a side has recorded the losses of; the last term of each is `total`."""
    return [entry.name[: -len("/total")] for entry in side.entries("loss") if entry.name.endswith("/total")]


@dataclasses.dataclass(frozen=True)
class Rule:
    """What a stage's tensors are judged by: the precision, the names known to be zero, the floors met so far, and those of
    the company that a tensor is in (see `_company`)."""

    precision: str
    null: Collection[str] | None
    grown: dict[str, float]
    company: Mapping[str, float]


def _judge_tensor(a: Evidence, b: Evidence, entry_a: Entry, entry_b: Entry, rule: Rule) -> TensorVerdict:
    stage, name = entry_a.stage, entry_a.name
    problem = _mismatch(entry_a, entry_b)
    if problem:
        return TensorVerdict(name, FAIL, problem)
    if 0 in entry_a.shape:
        return TensorVerdict(name, INCONCLUSIVE, f"nothing to compare: its shape is {list(entry_a.shape)}")
    moved_a, moved_b = noise.movement(a, stage, name), noise.movement(b, stage, name)
    zero = (rule.null is None or name in rule.null) and _is_null(entry_a, entry_b, moved_a, moved_b)
    if zero and math.isfinite(entry_a.largest + entry_b.largest):
        return TensorVerdict(name, NULL, "mathematically zero: on both sides no larger than its own rounding noise")
    level = noise.floor(entry_b.scale or entry_b.largest, max(moved_a, moved_b), rule.precision, stage)
    if math.prod(entry_b.shape) < FEW and entry_b.dtype.startswith("float"):
        level = noise.at_least(level, rule.company.get(_group(stage, name), 0.0), stage)
    threshold = 0.0 if stage == "weights" else noise.coverage(stage) * _grow(name, level.relative, rule.grown)
    found = difference(*_values(a, b, stage, name), level.scale, threshold)
    if not found.finite:
        return overflow.judge_pair(stage, name, rule.precision, found)
    graded = _grade(stage, name, found, level.relative, threshold)
    bounded = rule.precision == "fp64" and (stage in DIRECT or (_early(stage, name) and "/loss/" in name))
    if graded.verdict in (PASS, BEYOND) and bounded and level.relative > noise.FLOAT64_FLOOR:
        reason = (
            f"honest variations move it by {level.relative:.1e}, and float64 by no more than {noise.FLOAT64_FLOOR:.1e}: "
            "something is computed in a lower precision, does not follow the tape, or is ill-conditioned"
        )
        return dataclasses.replace(graded, verdict=INCONCLUSIVE, reason=reason)
    return graded


def _company(
    a: Evidence, b: Evidence, stage: str, entries_a: Mapping[str, Entry], entries_b: Mapping[str, Entry]
) -> dict[str, float]:
    """Return the median movement, relative to their size, of the floating-point tensors of each group: one kind (losses,
    parameters, slots, anything else) at one step.

    A few runs of honest variation move a single number far less than they might have, by chance; among a hundred numbers that
    happens to some. So a tensor of few elements is not held to less than what its like around it are moved by.
    """
    groups: dict[str, list[float]] = {}
    for name, entry in entries_b.items():
        size = _size(entry)
        if name not in entries_a or not 0.0 < size < math.inf or stage == "weights" or not entry.dtype.startswith("float"):
            continue
        moved = max(noise.movement(a, stage, name), noise.movement(b, stage, name))
        if moved < size:  # else it is nothing but noise: null, or beyond the horizon
            groups.setdefault(_group(stage, name), []).append(moved / size)
    return {group: statistics.median(found) for group, found in groups.items() if len(found) >= COMPANY}


def _group(stage: str, name: str) -> str:
    match = STEP.match(name)
    step, rest = (match[1], match[2]) if match else ("", name)
    kind = next((kind for kind in ("loss/", "parameter/", "slot/") if kind in rest), "")
    return f"{stage} {step} {kind}"


def _early(stage: str, name: str) -> bool:
    """Whether rounding has had no steps yet to grow in."""
    return stage != "trajectory" or name.startswith("step 1/")


def wandering(side: Evidence, stage: str, precision: str) -> TensorVerdict | None:
    """Return a tensor that the same run on the same tape does not give again, or None."""
    entries = [entry for entry in side.entries(stage) if _early(stage, entry.name)]
    largest = max((entry.largest for entry in entries if math.isfinite(entry.largest)), default=0.0)
    for entry in entries:
        moved = noise.movement(side, stage, entry.name, ("repeat",))
        size = max(entry.scale or entry.largest, noise.REPEAT_SHARE * largest)
        if math.isfinite(moved) and moved > noise.REPEAT_UNITS * noise.UNIT_ROUNDOFF[precision] * max(size, entry.largest):
            reason = f"{entry.name} differs by {moved:.1e} when the same run is repeated: does the port draw noise or batches of its own?"
            return TensorVerdict(entry.name, INCONCLUSIVE, reason, moved / size if size else math.inf)
    return None


def _grade(stage: str, name: str, found: Difference, floor: float, threshold: float) -> TensorVerdict:
    """Return the verdict on a difference that could be taken."""
    if math.isinf(threshold):
        reason = "an honest variation of a side gave a value that is not finite: there is no threshold"
        return TensorVerdict(name, INCONCLUSIVE, reason, found.error, None, None, found)
    if threshold >= noise.HORIZON and found.error <= threshold:
        reason = f"beyond the horizon: honest variations alone differ by {threshold / noise.coverage(stage):.1e} here"
        return TensorVerdict(name, BEYOND, reason, found.error, floor, threshold, found)
    verdict = PASS if found.error <= threshold else FAIL
    shape = f"relative norm error {found.norm_error:.1e}, cosine {found.cosine:.6f}"
    if verdict == FAIL:
        shape = f"{found.departing} of {found.size} values, {shape}"
    return TensorVerdict(name, verdict, shape, found.error, floor, threshold, found)


def _mismatch(a: Entry, b: Entry) -> str:
    """Return why two entries cannot be compared, or an empty string. Integer widths are a framework's own business."""
    if a.shape != b.shape:
        return f"shape {list(a.shape)} on a, {list(b.shape)} on b"
    if a.dtype != b.dtype and not (a.dtype.lstrip("u").startswith("int") and b.dtype.lstrip("u").startswith("int")):
        return f"dtype {a.dtype} on a, {b.dtype} on b"
    return ""


def null_tensors(a: Evidence, b: Evidence, stage: str) -> frozenset[str]:
    """Return the tensors that are mathematically zero, by two float64 records; reads no values."""
    others = {entry.name: entry for entry in b.entries(stage)}
    return frozenset(
        entry.name for entry in a.entries(stage)
        if entry.name in others and _is_null(
            entry, others[entry.name], noise.movement(a, stage, entry.name), noise.movement(b, stage, entry.name)
        )
    )


def _is_null(a: Entry, b: Entry, moved_a: float, moved_b: float) -> bool:
    """Both sides no larger than what their own rounding moves them by; noise that is not finite says nothing."""
    if a.stage not in NULL_STAGES or not a.dtype.startswith("float") or not math.isfinite(moved_a + moved_b):
        return False
    if a.stage == "trajectory" and not _is_update(a):
        return False  # a loss that rounding has outgrown is beyond the horizon
    factor = noise.coverage(a.stage)
    return _size(a) <= factor * moved_a and _size(b) <= factor * moved_b


def _is_update(entry: Entry) -> bool:
    return "/parameter/" in entry.name or entry.name.startswith("parameter/")


def _size(entry: Entry) -> float:
    """What has to be small for a tensor to be nothing: a parameter's update, anything else's values."""
    return entry.scale if _is_update(entry) else entry.largest


def _grow(name: str, relative: float, grown: dict[str, float]) -> float:
    """Return the floor, for a value of step k at least that of the same value at all steps before: rounding only grows,
    and the movement of a single number over a few runs can be small by chance."""
    match = STEP.match(name)
    if match is None:
        return relative
    grown[match[2]] = max(relative, grown.get(match[2], 0.0))
    return grown[match[2]]


def _values(a: Evidence, b: Evidence, stage: str, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    values_a, values_b = a.read(stage, name), b.read(stage, name)
    if a.digested == b.digested:
        return values_a, values_b
    return (values_a, digest(values_b)) if a.digested else (digest(values_a), values_b)
