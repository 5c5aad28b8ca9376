"""A pair of which too little belongs together is refused: its PASS would be one of nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from backends.survey import Survey
from harness.errors import UsageError
from harness.pairs import comparability
from harness.pairs.inference import Inference
from harness.pairs.matches import Matched
from tests.harness.pairs import scenes

PATH = Path("mine.py")


@pytest.fixture(scope="module")
def inference() -> Inference:
    """Of two perceptrons that are the same model."""
    return scenes.inferred()[0]


def changed(inference: Inference, survey: Survey) -> Inference:
    """Return the pair with another survey of its second side."""
    (other,) = inference.others
    side = dataclasses.replace(other.side, survey=survey)
    return dataclasses.replace(inference, others=(dataclasses.replace(other, side=side),))


def test_an_honest_pair_has_enough(inference: Inference):
    """Nothing is said of it."""
    comparability.check(inference, PATH)


@pytest.mark.parametrize("names", [(), ("other",), ("train", "other")])
def test_a_step_that_one_side_has_not(inference: Inference, names: tuple[str, ...]):
    """A generator's that a port forgot would be seen by no stage."""
    survey = inference.others[0].side.survey
    phases = tuple(dataclasses.replace(survey.phases[0], name=name) for name in names)
    with pytest.raises(UsageError, match=r"mine\.py: the training steps of plain are train, those"):
        comparability.check(changed(inference, dataclasses.replace(survey, phases=phases)), PATH)


def test_no_parameter_in_common(inference: Inference):
    """Then every side would run on weights of its own."""
    (other,) = inference.others
    decided = dataclasses.replace(other.decided, matched=Matched((), (), (), ()))
    against = dataclasses.replace(other, decided=decided)
    with pytest.raises(UsageError, match=r"no parameter of plain \(4\).*mine\.map\.toml"):
        comparability.check(dataclasses.replace(inference, others=(against,)), PATH)


def test_nothing_that_both_give(inference: Inference):
    """What a model gives is what the last row of a forward pass compares."""
    survey = inference.others[0].side.survey
    with pytest.raises(UsageError, match="what turned gives belongs to nothing"):
        comparability.check(changed(inference, dataclasses.replace(survey, outputs={})), PATH)


def test_weights_that_are_compared_with_none(inference: Inference):
    """The second side brings some, and the first one does not: that they went unseen would pass
    for a comparison."""
    (other,) = inference.others
    one_sided = changed(inference, dataclasses.replace(other.side.survey, begins=True))
    with pytest.raises(
        UsageError, match=r"weights= of turned .* those of plain, which brings none"
    ):
        comparability.check(one_sided, PATH)
    first = dataclasses.replace(
        inference.first, survey=dataclasses.replace(inference.first.survey, begins=True)
    )
    comparability.check(dataclasses.replace(one_sided, first=first), PATH)
    comparability.check(dataclasses.replace(inference, first=first), PATH)
