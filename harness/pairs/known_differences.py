"""Differences of the frameworks themselves that every port between them has, by the names that
`--accept` takes: what is accepted is neutralised on torch's side while steps are looked at, and all
else is judged as strictly as ever.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from backends.survey import OptimizerSurvey, Survey
from harness.pairs.workload import Inferred
from harness.workloads.spec import Workload

TORCH, KERAS = "torch ", "keras "
#: Judged by `harness.fidelity.float32`, too.
FLOAT32 = "float32-constants"
#: Kinds of optimizers, and the places of ε there: beside √v̂, and beside √v.
ADAMS, CORRECTED, HAT = ("adam", "adamw"), "corrected", "hat"


@dataclasses.dataclass(frozen=True)
class KnownDifference:
    """One difference.

    Attributes:
        name: as `--accept` takes it. what: it is, in a sentence. done: what is done about it.
        settings: from torch's side and the other one to what torch's has to know; empty where both
            are alike.
    """

    name: str
    what: str
    done: str
    settings: Callable[[Survey, Survey], Mapping[str, Any]]


def _optimizers(
    torch: Survey, other: Survey, differs: Callable[[OptimizerSurvey, OptimizerSurvey], bool]
) -> dict[str, Any]:
    """Return ε of the other side's Adams, by the name of torch's, where they differ."""
    return {
        mine.name: theirs.hyperparameters.get("epsilon")
        for mine, theirs in zip(torch.optimizers, other.optimizers, strict=False)
        if mine.kind in ADAMS and theirs.kind in ADAMS and differs(mine, theirs)
    }


def _places(torch: Survey, other: Survey) -> Mapping[str, Any]:
    def differs(mine: OptimizerSurvey, theirs: OptimizerSurvey) -> bool:
        places = [each.hyperparameters.get("epsilon_place") for each in (mine, theirs)]
        return places == [CORRECTED, HAT]

    return _optimizers(torch, other, differs)


def _values(torch: Survey, other: Survey) -> Mapping[str, Any]:
    def differs(mine: OptimizerSurvey, theirs: OptimizerSurvey) -> bool:
        values = [each.hyperparameters.get("epsilon") for each in (mine, theirs)]
        return values[0] != values[1] and None not in values

    return _optimizers(torch, other, differs)


def _variances(torch: Survey, other: Survey) -> Mapping[str, Any]:
    biased = [layer.attributes.get("unbiased_variance") for layer in other.layers]
    return {
        layer.name: True
        for layer in torch.layers
        if layer.attributes.get("unbiased_variance") and False in biased
    }


def _biases(torch: Survey, other: Survey) -> Mapping[str, Any]:
    alone = any(piece.role.endswith("bias") and len(piece.sources) == 1 for piece in other.pieces)
    return {
        second: piece.sources[0]
        for piece in torch.pieces
        if piece.role.endswith("bias") and piece.trainable and alone and not piece.frozen
        for second in piece.sources[1:]
    }


def _powers(torch: Survey, other: Survey) -> Mapping[str, Any]:
    def differs(_mine: OptimizerSurvey, _theirs: OptimizerSurvey) -> bool:
        return other.framework.startswith(KERAS)

    return _optimizers(torch, other, differs)


KNOWN: Sequence[KnownDifference] = (
    KnownDifference(
        "adam-epsilon-place",
        "torch's Adam and AdamW add epsilon to √(v/(1 - β2^t)), those of Keras and TensorFlow to √v"
        " before it is corrected: early updates of small gradients differ",
        "at each step torch's epsilon is divided by √(1 - β2^t), which puts it where Keras has it",
        _places,
    ),
    KnownDifference(
        "adam-epsilon-value",
        "the epsilon of Adam is 1e-8 in torch and 1e-7 in Keras, unless the code says otherwise",
        "torch's steps are made with the other side's number",
        _values,
    ),
    KnownDifference(
        "bn-unbiased-variance",
        "torch's batch normalisation keeps a running variance divided by n - 1, Keras' one divided"
        " by n: statistics, and so inference, differ by 1/n of a batch",
        "torch's running variance is moved by the variance divided by n",
        _variances,
    ),
    KnownDifference(
        "lstm-two-biases",
        "torch's LSTM and RNN train two biases that are added, Keras' one: their sum moves twice as"
        " far in each update",
        "the second one is held at zero, and the first one is the whole",
        _biases,
    ),
    KnownDifference(
        FLOAT32,
        "a library holds numbers (β, a learning rate, √2) in float32 inside a float64 run",
        "torch's Adam corrects by powers of β in float32, as Keras does; of anything else nothing"
        " is changed: where float32 shows in fp64 and both sides agree at every stage in fp32, the"
        " stage passes",
        _powers,
    ),
)
NAMES = tuple(item.name for item in KNOWN)


def accepted(surveys: Mapping[str, Survey], names: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return what each of torch's sides has to know of the differences that are there, by its
    label and the difference.

    Args:
        surveys: by label. names: those that the user accepts.
    """
    others = [survey for survey in surveys.values() if not survey.framework.startswith(TORCH)]
    plans: dict[str, dict[str, Any]] = {}
    for label, survey in surveys.items():
        if survey.framework.startswith(TORCH) and others:
            differing = {item.name: dict(item.settings(survey, others[0])) for item in KNOWN}
            plans[label] = {name: own for name, own in differing.items() if own and name in names}
    return plans


def unfounded(plans: Mapping[str, Mapping[str, Any]], names: Collection[str]) -> list[str]:
    """Return the accepted names that are no difference of these sides, as lines of a report.

    Args:
        plans: as `accepted` returns them. names: those that the user accepts.
    """
    there = {name for own in plans.values() for name in own}
    return [
        f"--accept {name}: these sides do not differ by it"
        for name in names
        if name != FLOAT32 and name not in there
    ]


def by_workload(workloads: Sequence[Workload]) -> dict[str, list[str]]:
    """Return the accepted differences that are there, by the name of a workload.

    Args:
        workloads: of a comparison; those that are no pairs have none.
    """
    return {item.name: item.accepted() for item in workloads if isinstance(item, Inferred)}
