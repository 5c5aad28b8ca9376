"""What a port has told of itself beside its tensors, and what follows for a verdict. Pure.

A port that cannot show an inner activation says so, and the activation is listed as not looked at;
a stage in which a port raised costs that stage and no other; two ports that do not train as many
numbers are not the same model, whatever they computed.
"""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Mapping
from typing import Any

from harness.fidelity.evidence import Evidence
from harness.fidelity.verdict import StageVerdict, TensorVerdict
from harness.results.verdicts import Fidelity

#: What stands for the number of distinct trainable values among the tensors of the stage `weights`.
COUNT = "distinct trainable values"


@dataclasses.dataclass(frozen=True)
class Told:
    """What one side's worker has told.

    Attributes:
        raised: by stage, what the port raised in it.
        not_shown: names or patterns of activations that the port cannot show.
        trainable_values: how many distinct numbers training can move; None where the port does not
            tell.
        undeclared: state that a forward pass or an update moves and the workload does not declare.
        own_training: whether updates are the port's own code; None where that is not told.
        contracted: the activations, `<mode>/<name>`, that a matrix product or a convolution is
            upstream of; None where not told.
    """

    raised: Mapping[str, str] = dataclasses.field(default_factory=dict)
    not_shown: tuple[str, ...] = ()
    trainable_values: int | None = None
    undeclared: tuple[str, ...] = ()
    own_training: bool | None = None
    contracted: frozenset[str] | None = None


def read(result: Mapping[str, Any]) -> Told:
    """Return what a record's result holds; older records tell nothing."""
    told = result.get("told", {})
    contracted = told.get("contracted")
    return Told(
        {str(stage): str(reason) for stage, reason in result.get("raised", {}).items()},
        tuple(map(str, told.get("not_shown", ()))),
        told.get("trainable_values"),
        tuple(map(str, told.get("undeclared", ()))),
        told.get("own_training"),
        None if contracted is None else frozenset(map(str, contracted)),
    )


def unseen(shown: Evidence, other: Evidence, told: Told, stage: str) -> tuple[str, ...]:
    """Return the activations that one side shows and the other has said it cannot show.

    The last activation of a mode, a model's output, is never among them: what a model gives can be
    shown.

    Args:
        shown, told: the side with the activations, and what the other one has told. other: that
            one.
    """
    if stage != "forward" or not told.not_shown:
        return ()
    there = {entry.name for entry in other.entries(stage)}
    names = [entry.name for entry in shown.entries(stage)]
    last = {name.partition("/")[0]: name for name in names}
    return tuple(
        name
        for name in names
        if name not in there
        and name not in last.values()
        and any(fnmatch.fnmatchcase(name.partition("/")[2], pattern) for pattern in told.not_shown)
    )


def raised(stage: str, sides: Mapping[str, Told]) -> StageVerdict | None:
    """Return the verdict of a stage in which a port raised, or None. `sides`: by label."""
    said = [
        f"{label} raised in this stage: {told.raised[stage]}"
        for label, told in sides.items()
        if stage in told.raised
    ]
    return StageVerdict(stage, Fidelity.INCONCLUSIVE, "; ".join(said), None, ()) if said else None


def counted(verdict: StageVerdict, a: tuple[str, Told], b: tuple[str, Told]) -> StageVerdict:
    """Return the verdict on the weights with the number of distinct trainable values of both sides,
    each a label and what was told."""
    numbers = a[1].trainable_values, b[1].trainable_values
    if verdict.stage != "weights" or numbers[0] == numbers[1]:
        return verdict
    if None in numbers:
        silent = " and ".join(label for label, told in (a, b) if told.trainable_values is None)
        text = f"not looked at: how many values train, which the port of {silent} does not tell"
        return dataclasses.replace(verdict, reason=f"{verdict.reason}; {text}")
    text = (
        f"{numbers[0]} on {a[0]}, {numbers[1]} on {b[0]}: does one of them share weights, or train"
        " some, that the other does not?"
    )
    first = TensorVerdict(COUNT, Fidelity.FAIL, text)
    if verdict.verdict == Fidelity.FAIL:
        return dataclasses.replace(
            verdict, reason=f"{verdict.reason}; {COUNT}: {text}", tensors=(*verdict.tensors, first)
        )
    return StageVerdict(
        verdict.stage, Fidelity.FAIL, f"{COUNT}: {text}", first, (*verdict.tensors, first)
    )


def notes(stage: str, sides: Mapping[str, Told], updates: str) -> list[str]:
    """Return what a reader has to know of a stage beside its verdict.

    Args:
        sides: by label. updates: the optimizers of the workload's specification, in words.
    """
    said = []
    if stage in ("update", "trajectory"):
        given = [label for label, told in sides.items() if told.own_training is False]
        if given and len(given) < len(
            [told for told in sides.values() if told.own_training is not None]
        ):
            said.append(
                f"the updates of {' and '.join(given)} are the harness's own loop ({updates} of the"
                " specification)"
            )
        elif given:
            said.append(
                f"all updates are the harness's own loop ({updates} of the specification): no"
                " training loop of a port was judged"
            )
    if stage in ("forward", "update"):
        said += [
            f"{label} has state that the workload does not declare and nobody compares:"
            f" {', '.join(told.undeclared)}"
            for label, told in sides.items()
            if told.undeclared
        ]
    return said
