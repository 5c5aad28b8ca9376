"""Float32 inside a float64 run: a constant, a schedule or a kernel that a library has in float32
only. Pure.

Real libraries hold some numbers in float32 whatever dtype a model has: the square root of two in a
gelu, 1/255, a learning rate. Two such ports part in float64, at the size of float32's rounding, and
are the same function to float32. That is a difference, and it is said to be this one: where one
side's values are float32 numbers and the other's are not, or the error is float32's rounding.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.contract import Stage
from harness.fidelity.evidence import Evidence
from harness.fidelity.noise import UNIT_ROUNDOFF
from harness.fidelity.variations import Movement
from harness.fidelity.verdict import Sign, StageVerdict, TensorVerdict
from harness.results.verdicts import Bounds, Fidelity

Sides = tuple[Evidence, Evidence]
#: How far from float32's roundoff, either way, an error is taken for one: a constant may enter by a
#: share, and through a few operations.
NEAR = 2.0**6
#: A difference that float32 runs show as well is none of a constant that both hold in float32
#: there: this share of it, and so many standard errors.
SHOWN, ERRORS = 0.5, 4.0
#: Fewer values may be float32 numbers by chance.
FEWEST = 4
#: Rows in another order move a sum in float32 by so many units of its roundoff.
SUM_UNITS = 8.0
#: What `--accept` calls it.
ACCEPTED = "float32-constants"


def sign(a: NDArray[Any], b: NDArray[Any], error: float) -> Sign | None:
    """Return what of a float64 departure shows float32; None where nothing does.

    Args:
        a, b: the values of both sides. error: by the error measure.
    """
    exact = {side: _is_float32(values) for side, values in (("a", a), ("b", b))}
    if exact["a"] != exact["b"] and error <= NEAR * UNIT_ROUNDOFF["fp32"]:
        side = "a" if exact["a"] else "b"
        return Sign(f"all values of side {side} are float32 numbers", certain=True)
    if UNIT_ROUNDOFF["fp32"] / NEAR <= error <= NEAR * UNIT_ROUNDOFF["fp32"]:
        return Sign("the error is of the size of float32's rounding", certain=False)
    return None


def order_alone(a: NDArray[Any], b: NDArray[Any], alone: Sequence[Movement]) -> bool:
    """Whether rows in another order, and nothing else, move one side of a float64 pair: that is no
    constant. A sum in float32 is another one in another order, too: its values are float32 numbers,
    and it moves by their last places.

    Args:
        a, b: the values of both sides.
        alone: by kind of variation, the side that it moves alone, and by how much each side is
            moved, relative to the tensor's size.
    """
    if {item[0] for item in alone} != {"reorder"}:
        return False
    most = SUM_UNITS * UNIT_ROUNDOFF["fp32"]
    sides = {"a": a, "b": b}
    return any(item[2] > most or not _is_float32(sides[item[1]], fewest=1) for item in alone)


def _certain(tensor: TensorVerdict) -> bool:
    """Whether a tensor's sign leaves no doubt."""
    return tensor.float32 is not None and tensor.float32.certain


def _is_float32(values: NDArray[Any], fewest: int = FEWEST) -> bool:
    values = np.asarray(values)
    if values.dtype != np.float64 or values.size < fewest or not np.any(values):
        return False
    with np.errstate(over="ignore"):
        return bool(np.array_equal(values, values.astype(np.float32).astype(np.float64)))


def shown_again(full: Sequence[StageVerdict], exact: Sides, low: Sides) -> bool:
    """Whether the float32 runs differ in the same way as the float64 runs: by an epsilon or a rate,
    say, and not by a constant that one side holds in float32. Such a constant is the same on both
    sides in float32, and the difference there is rounding, which has nothing to do with it: the
    projection of the one on the other is 0, and 1 where it is the same difference.

    Nothing is said where all values of one side are float32 numbers: a kernel that exists in
    float32 alone rounds in the same way in both.

    Args:
        full: the verdicts of the float64 pair. exact, low: both sides of it, and of the pair in
            float32.
    """
    failed = next(verdict for verdict in full if verdict.verdict == Fidelity.FAIL)
    stage = failed.stage
    if isinstance(stage, Bounds) or any(_certain(item) for item in failed.tensors):
        return False
    whole, again = [np.zeros(0)], [np.zeros(0)]
    for item in failed.tensors:
        if item.verdict != Fidelity.FAIL or not _comparable((*exact, *low), stage, item.name):
            continue
        apart = _apart(exact, stage, item.name)
        size = float(np.max(np.abs(apart), initial=0.0))
        if size > 0.0:
            whole.append(apart / size)
            again.append(_apart(low, stage, item.name) / size)
    return _is_projected(np.concatenate(whole), np.concatenate(again))


def _is_projected(whole: NDArray[np.float64], again: NDArray[np.float64]) -> bool:
    """Whether a share of one row of distances, beyond its standard error, is found in another."""
    if whole.size < FEWEST:
        return False
    length = float(whole @ whole)
    share = float(whole @ again) / length
    rest = again - share * whole
    return share > SHOWN and share > ERRORS * float(
        np.sqrt(rest @ rest / length / (whole.size - 1))
    )


def _comparable(sides: Sequence[Evidence], stage: Stage, name: str) -> bool:
    """Return whether all have kept a tensor in the same way: whole, or as a sketch, of which
    distances are as good."""
    kept = [entry for side in sides for entry in side.entries(stage) if entry.name == name]
    alike = len({entry.sketched for entry in kept}) == 1
    return alike and len(kept) == len(sides) and not any(side.digested for side in sides)


def _apart(sides: Sides, stage: Stage, name: str) -> NDArray[np.float64]:
    """Return a - b in one row, of complex values their parts."""
    a, b = (np.ascontiguousarray(side.read(stage, name)) for side in sides)
    kind = np.complex128 if "c" in (a.dtype.kind, b.dtype.kind) else np.float64
    apart: NDArray[np.float64] = (a.astype(kind) - b).ravel().view(np.float64)
    return apart


def first(verdict: StageVerdict) -> TensorVerdict | None:
    """Return the tensor that stands for a stage's FAIL, if float32 shows in it."""
    worst = verdict.worst
    shows = verdict.verdict == Fidelity.FAIL and worst is not None and worst.float32
    return worst if shows else None


def explains(full: Sequence[StageVerdict], low: Sequence[StageVerdict]) -> bool:
    """Whether float32 is all that two sides differ by: float32 shows where float64 departs first,
    float32's own ladder passes, no float64 error exceeds what float32's own noise allows that
    tensor, and none fails because it depends on the order of rows.

    Args:
        full, low: the verdicts of one pair in float64 and in float32, of all stages that were asked
            for.
    """
    failed = [verdict for verdict in full if verdict.verdict == Fidelity.FAIL]
    judged = [verdict for verdict in low if verdict.verdict != Fidelity.INFO]
    if not failed or first(failed[0]) is None:
        return False
    if not judged or any(verdict.verdict != Fidelity.PASS for verdict in judged):
        return False
    allowed = {verdict.stage: _thresholds(verdict) for verdict in low}
    return all(
        item.error is not None
        and item.difference is not None
        and not item.by_order
        and item.error <= allowed.get(verdict.stage, {}).get(item.name, 0.0)
        for verdict in failed
        for item in verdict.tensors
        if item.verdict == Fidelity.FAIL
    )


def _thresholds(verdict: StageVerdict) -> Mapping[str, float]:
    return {item.name: item.threshold for item in verdict.tensors if item.threshold is not None}


def named(verdict: StageVerdict, same: bool, again: bool = False) -> StageVerdict:
    """Return the verdict with its reason saying where float32 shows.

    Args:
        same: that it is all that the sides differ by. again: that they differ so in float32 too
            (`shown_again`): then it is not float32.
    """
    tensor = first(verdict)
    if tensor is None or tensor.float32 is None or again:
        return verdict
    sure = "" if tensor.float32.certain else "?"
    text = (
        f"float32 inside float64{sure}, {tensor.name} first: {tensor.float32.words} (a constant,"
        " a cast, a schedule or a kernel in float32)"
    )
    if same:
        text += (
            f"; the same function to float32, where every stage passes: --accept {ACCEPTED} takes"
            " it for that"
        )
    return dataclasses.replace(verdict, reason=f"{verdict.reason}; {text}")
