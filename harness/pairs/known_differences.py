"""Differences of the frameworks themselves that every port between them has, by the names that
`--accept` takes: what is accepted is neutralised on torch's side while steps are looked at, and all
else is judged as strictly as ever.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from backends.survey import OptimizerSurvey, Survey
from harness.pairs.optimizer_differences import sums_of_updates
from harness.pairs.optimizers import optimizers_beside
from harness.pairs.workload import Inferred
from harness.workloads.spec import Workload

TORCH, KERAS = "torch ", "keras "
#: Judged by `harness.fidelity.float32`, too.
FLOAT32 = "float32-constants"
#: Kinds of optimizers.
ADAMS = ("adam", "adamw")
#: Of an optimizer that has no epsilon.
NOWHERE = "nowhere"
#: Of torch's optimizers as they come, and of those of Keras and TensorFlow.
OWN_EPSILONS = {
    "adam": 1e-8,
    "adamw": 1e-8,
    "rmsprop": 1e-8,
    "adamax": 1e-8,
    "nadam": 1e-8,
    "adagrad": 1e-10,
    "adadelta": 1e-6,
}
OTHER_EPSILONS = (1e-7, 1e-8, 1e-10)
#: Of torch's NAdam as it comes, and of Keras' Nadam.
NADAM_DECAYS = [0.004, 1.0]
#: Of torch's GradScaler as it comes, and of Keras' LossScaleOptimizer.
OWN_LOSS_SCALES = [2.0**16, 2.0**15]
#: Where torch adds epsilon, and where its rules can put it: beside √v̂ and √v; beside a root and
#: under it; to each gradient's size and to the largest one.
MOVABLE = (["corrected", "hat"], ["outside", "inside"], ["each", "outside"])


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


Differs = Callable[[OptimizerSurvey, OptimizerSurvey], bool]


def _optimizers(torch: Survey, other: Survey, differs: Differs) -> dict[str, Any]:
    """Return epsilon of the other side's optimizers, by the name of torch's, where they differ."""
    return {
        mine.name: theirs.hyperparameters.get("epsilon", 0.0)
        for mine, theirs in _together(torch, other)
        if _alike(mine.kind, theirs.kind) and differs(mine, theirs)
    }


def _together(torch: Survey, other: Survey) -> Iterator[tuple[OptimizerSurvey, OptimizerSurvey]]:
    """Yield torch's optimizers and those of the other side that do their work. Where one side has
    more of them, nobody knows which: then only what all of the other side's have in common."""
    beside = optimizers_beside(torch, other)
    if len(beside) == len(torch.optimizers):
        yield from zip(torch.optimizers, beside, strict=True)
        return
    words = ("epsilon", "epsilon_place", "first_square", "momentum_decay")
    numbers = [(item.kind, *map(item.hyperparameters.get, words)) for item in beside]
    if numbers and all(each == numbers[0] for each in numbers):
        yield from ((mine, beside[0]) for mine in torch.optimizers)


def _alike(kind: str, other: str) -> bool:
    """Return whether two optimizers are of one kind; Adam with a decay of the weights is Adam."""
    return kind == other or {kind, other} <= {*ADAMS}


def _places(*kinds: str) -> Callable[[Survey, Survey], Mapping[str, Any]]:
    """Return what finds optimizers of some kinds whose epsilon stands elsewhere."""

    def differs(mine: OptimizerSurvey, theirs: OptimizerSurvey) -> bool:
        places = [each.hyperparameters.get("epsilon_place") for each in (mine, theirs)]
        return mine.kind in kinds and places in MOVABLE

    return lambda torch, other: _optimizers(torch, other, differs)


def _values(adams: bool) -> Callable[[Survey, Survey], Mapping[str, Any]]:
    """Return what finds optimizers with another epsilon: Adam's, or those of the other kinds."""

    def differs(mine: OptimizerSurvey, theirs: OptimizerSurvey) -> bool:
        if (mine.kind in ADAMS) != adams:
            return False
        values = [each.hyperparameters.get("epsilon") for each in (mine, theirs)]
        if values[0] != OWN_EPSILONS.get(mine.kind):
            return False  # somebody has thought of it
        nowhere = theirs.hyperparameters.get("epsilon_place") == NOWHERE
        return nowhere or (values[0] != values[1] and values[1] in OTHER_EPSILONS)

    return lambda torch, other: _optimizers(torch, other, differs)


def _momentum_rates(torch: Survey, other: Survey) -> Mapping[str, Any]:
    return _optimizers(torch, other, sums_of_updates)


def _first_squares(torch: Survey, other: Survey) -> Mapping[str, Any]:
    def differs(_mine: OptimizerSurvey, theirs: OptimizerSurvey) -> bool:
        return bool(theirs.hyperparameters.get("first_square"))

    return _optimizers(torch, other, differs)


def _nadam_schedules(torch: Survey, other: Survey) -> Mapping[str, Any]:
    def differs(mine: OptimizerSurvey, theirs: OptimizerSurvey) -> bool:
        values = [each.hyperparameters.get("momentum_decay") for each in (mine, theirs)]
        return mine.kind == "nadam" and values == NADAM_DECAYS

    return _optimizers(torch, other, differs)


def _loss_scales(torch: Survey, other: Survey) -> Mapping[str, Any]:
    scales = {}
    for mine, theirs in _together(torch, other):
        starts = [each.hyperparameters.get("loss_scale") for each in (mine, theirs)]
        if starts == OWN_LOSS_SCALES:
            scales[mine.name] = starts[1]
    return scales


def _clippings(torch: Survey, _other: Survey) -> Mapping[str, Any]:
    return {
        mine.name: True
        for mine in torch.optimizers
        if {"clip_norm", "clip_global_norm"} & mine.hyperparameters.keys()
    }


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
    def differs(mine: OptimizerSurvey, _theirs: OptimizerSurvey) -> bool:
        return mine.kind in ADAMS and other.framework.startswith(KERAS)

    return _optimizers(torch, other, differs)


KNOWN: Sequence[KnownDifference] = (
    KnownDifference(
        "adam-epsilon-place",
        "torch's Adam and AdamW add epsilon to √(v/(1 - β2^t)), those of Keras and TensorFlow to √v"
        " before it is corrected: early updates of small gradients differ",
        "at each step torch's epsilon is divided by √(1 - β2^t), which puts it where Keras has it",
        _places(*ADAMS),
    ),
    KnownDifference(
        "adam-epsilon-value",
        "the epsilon of Adam is 1e-8 in torch and 1e-7 in Keras; one that the code names is none of"
        " this",
        "torch's steps are made with the other side's number",
        _values(adams=True),
    ),
    KnownDifference(
        "rmsprop-epsilon-place",
        "torch's RMSprop adds epsilon to √v, those of Keras 3 and TensorFlow 1 to v",
        "torch's epsilon is put under the root",
        _places("rmsprop"),
    ),
    KnownDifference(
        "rmsprop-first-square",
        "TensorFlow 1's RMSProp begins with a mean of squares of 1, those of torch and Keras with"
        " 0, whose first updates are far larger",
        "torch's begins with 1",
        _first_squares,
    ),
    KnownDifference(
        "adagrad-epsilon-place",
        "torch's Adagrad adds epsilon to the root of the sum of squares, Keras 3's to the sum",
        "torch's epsilon is put under the root",
        _places("adagrad"),
    ),
    KnownDifference(
        "adamax-epsilon-place",
        "torch's Adamax adds epsilon to each gradient's size before it takes the largest one, those"
        " of Keras and TensorFlow to the largest one",
        "torch's epsilon is added to the largest one",
        _places("adamax"),
    ),
    KnownDifference(
        "epsilon-value",
        "the epsilon of RMSprop, Adagrad, Adadelta, Adamax or Nadam is 1e-7 in Keras, 1e-6, 1e-8 or"
        " 1e-10 in torch, and TensorFlow 1's Adagrad has none; one that the code names is none of"
        " this",
        "torch's steps are made with the other side's number",
        _values(adams=False),
    ),
    KnownDifference(
        "momentum-rate",
        "Keras' momentum adds up updates, each with the learning rate that it was made with,"
        " torch's adds up gradients and multiplies all of it by the present rate: they part where"
        " the rate changes",
        "what torch's momentum holds is scaled by the last rate over the present one",
        _momentum_rates,
    ),
    KnownDifference(
        "nadam-schedule",
        "Keras' Nadam lets its momentum rise with 0.96^t, torch's NAdam and Keras 2's old one with"
        " 0.96^(0.004 t)",
        "torch's steps are made with momentum_decay=1",
        _nadam_schedules,
    ),
    KnownDifference(
        "loss-scale-start",
        "the loss scale of float16 begins with 65536 in torch's GradScaler and with 32768 in Keras'"
        " LossScaleOptimizer; one that the code names is none of this",
        "torch's begins with the other side's number",
        _loss_scales,
    ),
    KnownDifference(
        "clip-norm-epsilon",
        "torch's clip_grad_norm_ adds 1e-6 to the norm, Keras and TensorFlow nothing",
        "torch clips (2.6 and later) by the norm itself",
        _clippings,
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
