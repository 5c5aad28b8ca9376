"""Averages of the weights that one side keeps and the other does not. Pure.

A momentum that one side alone has shows in the weights. An average does not: nothing that is
compared is made of it, and yet it is what is used in the end. So that one side alone keeps one is a
difference by itself, named at U. Where it cannot be told whether the other side keeps one, too, or
what a side keeps cannot be compared, nothing is decided.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from itertools import chain

from backends.contract import Stage
from backends.survey import AVERAGE
from harness.fidelity.declarations import Declarations
from harness.fidelity.evidence import Evidence, Restricted
from harness.fidelity.verdict import StageVerdict, TensorVerdict
from harness.results.verdicts import Fidelity

#: What stands before a slot's name.
SLOT = "/slot/"
STAGES = (Stage.UPDATE, Stage.TRAJECTORY)


def one_sided(a: Evidence, b: Evidence, stage: Stage) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the averages that a alone shows, and of those that b alone does.

    Args:
        a, b: both sides. stage: of the ladder.
    """
    if stage not in STAGES:
        return (), ()
    names_a, names_b = (_averages(side, stage) for side in (a, b))
    return (
        tuple(name for name in names_a if name not in names_b),
        tuple(name for name in names_b if name not in names_a),
    )


def _averages(side: Evidence, stage: Stage) -> list[str]:
    return [entry.name for entry in side.entries(stage) if _is_average(entry.name)]


def _is_average(name: str) -> bool:
    return SLOT in name and name.endswith("/" + AVERAGE)


def shared(
    a: Evidence, b: Evidence, stage: Stage, alone: Collection[Collection[str]]
) -> tuple[Evidence, Evidence]:
    """Return both sides without averages that only one of them shows.

    Args:
        a, b: both sides. stage: of the ladder. alone: as `one_sided` returns them.
    """
    names = frozenset(f"{stage}/{name}" for name in chain.from_iterable(alone))
    return (Restricted(a, (), names), Restricted(b, (), names)) if names else (a, b)


def decided(
    verdict: StageVerdict,
    alone: tuple[tuple[str, ...], tuple[str, ...]],
    declared: Mapping[str, Declarations],
) -> StageVerdict:
    """Return the verdict on a stage with what follows from averages that are not compared.

    Args:
        verdict: on all else. alone: as `one_sided` returns them.
        declared: by label, a's first, what each side has declared.
    """
    if verdict.stage not in STAGES:
        return verdict
    labels = list(declared)
    others = dict(zip(labels, reversed(labels), strict=True))
    for label, names in zip(labels, alone, strict=True):
        if names:
            verdict = _beside(verdict, _of_one(verdict, names, label, others[label], declared))
    for label, side in declared.items():
        said = "; ".join(side.hidden_averages)
        if said and said not in verdict.reason:
            text = f"{label} keeps an average that is not compared: {said}"
            item = TensorVerdict(f"{AVERAGE} of {label}", Fidelity.INCONCLUSIVE, text)
            verdict = _beside(verdict, item)
    return verdict


def _of_one(
    verdict: StageVerdict,
    names: tuple[str, ...],
    label: str,
    other: str,
    declared: Mapping[str, Declarations],
) -> TensorVerdict:
    """Return what averages that one side alone shows come to."""
    weights = dict.fromkeys(name.partition(SLOT)[2].removesuffix("/" + AVERAGE) for name in names)
    first, *rest = weights
    more = f" and {len(rest)} more" if rest else ""
    text = f"only {label} keeps an average of the weights ({first}{more})"
    unknown = declared[other].hidden_averages or declared[other].unseen_averages
    if unknown:
        text += f"; whether {other} keeps one, too, cannot be told: {'; '.join(unknown)}"
        return TensorVerdict(names[0], Fidelity.INCONCLUSIVE, text)
    text += f", {other} keeps none"
    if verdict.stage == Stage.TRAJECTORY:
        # It is no step that goes wrong: the update is what shows it.
        return TensorVerdict(names[0], Fidelity.INCONCLUSIVE, f"{text}: the update tells")
    return TensorVerdict(names[0], Fidelity.FAIL, text)


def _beside(verdict: StageVerdict, item: TensorVerdict) -> StageVerdict:
    """Return a verdict with one more tensor: the first that departs names the stage as before."""
    tensors = (*verdict.tensors, item)
    ranks = [Fidelity.PASS, Fidelity.INFO, Fidelity.INCONCLUSIVE, Fidelity.FAIL]
    if ranks.index(item.verdict) <= ranks.index(verdict.verdict):
        reason = "; ".join(filter(None, [verdict.reason, item.reason]))
        return dataclasses.replace(verdict, reason=reason, tensors=tensors)
    return dataclasses.replace(
        verdict, verdict=item.verdict, reason=item.reason, worst=item, tensors=tensors
    )
