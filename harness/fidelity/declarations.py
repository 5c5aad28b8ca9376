"""What a port declares of itself beside its tensors, and what follows for a verdict. Pure.

A port that cannot show an inner activation says so, and the activation is listed as not looked at;
a stage in which a port raised costs that stage and no other; two ports that do not train as many
numbers are not the same model, whatever they computed.
"""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Mapping, Sequence

from backends.contract import Stage
from harness.fidelity.evidence import Evidence
from harness.fidelity.verdict import StageVerdict, TensorVerdict
from harness.results.verdicts import Fidelity

#: What stands for the number of distinct trainable values among the tensors of the stage `weights`.
COUNT = "distinct trainable values"


@dataclasses.dataclass(frozen=True)
class Declarations:
    """What one side's worker has told of its port.

    Attributes:
        raised: by stage, what the port raised in it.
        not_shown: names or patterns of activations that the port cannot show.
        trainable_values: how many distinct numbers training can move; None where the port does not
            tell.
        undeclared: state that a forward pass or an update moves and the workload does not declare.
        own_training: whether updates are the port's own code; None where that is not told.
        contracted: the activations, `<mode>/<name>`, that a matrix product or a convolution is
            upstream of; None where not told.
        hidden_averages, unseen_averages: see `backends.survey.Survey`.
    """

    raised: Mapping[str, str] = dataclasses.field(default_factory=dict)
    not_shown: tuple[str, ...] = ()
    trainable_values: int | None = None
    undeclared: tuple[str, ...] = ()
    own_training: bool | None = None
    contracted: frozenset[str] | None = None
    hidden_averages: tuple[str, ...] = ()
    unseen_averages: tuple[str, ...] = ()


def unseen(
    shown: Evidence, other: Evidence, declared: Declarations, stage: Stage
) -> tuple[str, ...]:
    """Return the activations that one side shows and the other has said it cannot show.

    The last activation of a mode, a model's output, is never among them: what a model gives can be
    shown.

    Args:
        shown: the side with the activations. other, declared: the other side, and what its port
            has declared.
    """
    if stage != Stage.FORWARD or not declared.not_shown:
        return ()
    there = {entry.name for entry in other.entries(stage)}
    names = [entry.name for entry in shown.entries(stage)]
    last = {name.partition("/")[0]: name for name in names}
    return tuple(
        name
        for name in names
        if name not in there
        and name not in last.values()
        and _matches(name.partition("/")[2], declared.not_shown)
    )


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def raised(stage: Stage, sides: Mapping[str, Declarations]) -> StageVerdict | None:
    """Return the verdict of a stage in which a port raised, or None. `sides`: by label."""
    said = [
        f"{label} raised in this stage: {declared.raised[stage]}"
        for label, declared in sides.items()
        if stage in declared.raised
    ]
    return StageVerdict(stage, Fidelity.INCONCLUSIVE, "; ".join(said), None, ()) if said else None


def counted(
    verdict: StageVerdict, a: tuple[str, Declarations], b: tuple[str, Declarations]
) -> StageVerdict:
    """Return the verdict on the weights with the number of distinct trainable values of both sides.

    Args:
        verdict: of the stage `weights`; any other is returned as it is.
        a, b: each a label and what its port has declared.
    """
    numbers = a[1].trainable_values, b[1].trainable_values
    if verdict.stage != Stage.WEIGHTS or numbers[0] == numbers[1]:
        return verdict
    if None in numbers:
        silent = " and ".join(
            label for label, declared in (a, b) if declared.trainable_values is None
        )
        text = f"not looked at: how many values train, which the port of {silent} does not tell"
        return dataclasses.replace(verdict, reason=f"{verdict.reason}; {text}")
    text = (
        f"{numbers[0]} on {a[0]}, {numbers[1]} on {b[0]}: does one of them share weights, or train"
        " some, that the other does not?"
    )
    count = TensorVerdict(COUNT, Fidelity.FAIL, text)
    tensors = (*verdict.tensors, count)
    if verdict.verdict == Fidelity.FAIL:
        reason = f"{verdict.reason}; {COUNT}: {text}"
        return dataclasses.replace(verdict, reason=reason, tensors=tensors)
    return StageVerdict(verdict.stage, Fidelity.FAIL, f"{COUNT}: {text}", count, tensors)


def notes(stage: Stage, sides: Mapping[str, Declarations], updates: str) -> list[str]:
    """Return what a reader has to know of a stage beside its verdict.

    Args:
        sides: by label. updates: the optimizers of the workload's specification, in words.
    """
    said = []
    if stage in (Stage.UPDATE, Stage.TRAJECTORY):
        by_harness = [label for label, side in sides.items() if side.own_training is False]
        telling = [label for label, side in sides.items() if side.own_training is not None]
        if by_harness and len(by_harness) < len(telling):
            said.append(
                f"the updates of {' and '.join(by_harness)} are the harness's own loop ({updates}"
                " of the specification)"
            )
        elif by_harness:
            said.append(
                f"all updates are the harness's own loop ({updates} of the specification): no"
                " training loop of a port was judged"
            )
    if stage in (Stage.FORWARD, Stage.UPDATE):
        said += [
            f"{label} has state that the workload does not declare and nobody compares:"
            f" {', '.join(side.undeclared)}"
            for label, side in sides.items()
            if side.undeclared
        ]
    return said
