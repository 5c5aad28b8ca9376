"""What two models have to have in common for a comparison to say anything: parameters, a product,
and the same training steps. A verdict on less would be one on nothing."""

from __future__ import annotations

from pathlib import Path

from backends.survey import Survey
from harness.errors import UsageError
from harness.pairs.inference import Inference


def check(inference: Inference, path: Path) -> None:
    """Refuse a pair of which too little belongs together.

    Args:
        inference: of the pair. path: of its file, for messages.

    Raises:
        UsageError: one side has a training step that another has not, no parameter of one belongs
            to any of the other's, or what they give belongs to nothing.
    """
    first = inference.first
    ours = _steps(first.survey)
    for other in inference.others:
        if other.side.survey.begins and not first.survey.begins:
            raise UsageError(
                f"{path}: weights= of {other.side.label} is for weights that are compared with"
                f" those of {first.label}, which brings none. Give weights= there, too (pair.OWN"
                " for what your code has loaded), or drop it."
            )
        theirs = _steps(other.side.survey)
        if ours != theirs:
            raise UsageError(
                f"{path}: the training steps of {first.label} are {_listed(ours)}, those of"
                f" {other.side.label} {_listed(theirs)}: what only one of them does cannot be"
                " compared. Give both the same steps, by the same names."
            )
        if not other.decided.matched.pieces:
            raise UsageError(
                f"{path}: no parameter of {first.label} ({len(first.survey.pieces)}) belongs to one"
                f" of {other.side.label} ({len(other.side.survey.pieces)}) by kind and shape. Say"
                f" which is which in {path.with_suffix('.map.toml').name}."
            )
    for label, planned in inference.plans().items():
        if not planned["outputs"]:
            raise UsageError(
                f"{path}: what {label} gives belongs to nothing that {first.label} gives. Let"
                " `forward` of both return the same."
            )


def _steps(survey: Survey) -> set[str]:
    return {phase.name for phase in survey.phases}


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
