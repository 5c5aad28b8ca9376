"""Repeated runs: the same bits, within rounding, or not; and which tensor shows it first."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness.fidelity.evidence import TensorEntry
from harness.fidelity.repeatability import ORDER, Bits, Repeatability, compare, judge, worst
from harness.results.verdicts import Repeat

STAGES = ("weights", "forward", "gradients")
BASE = {
    "weights": {"W": np.array([[1.0, 2.0], [3.0, 4.0]])},
    "forward": {"y": np.array([0.5, 0.25])},
    "gradients": {"dW": np.array([[0.1, 0.2], [0.3, 0.4]])},
}
ULP = 2.0**-52


@dataclasses.dataclass(frozen=True)
class Run:
    """Tensors in memory, and how far rounding moves each."""

    tensors: dict
    moved: float = 1e-15
    strays: float = 0.0
    digested: bool = False

    def entries(self, stage):
        """As a record tells them."""
        found = self.tensors.get(stage, {})
        largest = {name: float(np.abs(np.nan_to_num(value)).max()) for name, value in found.items()}
        return [
            TensorEntry(stage, name, value.shape, str(value.dtype), 0.0, largest[name])
            for name, value in found.items()
        ]

    def read(self, stage, name):
        """The values."""
        return self.tensors[stage][name]

    def noise(self, stage, name):
        """Of one run with moved weights."""
        return {"ulp": [self.moved], "repeat": [self.strays]}


def changed(stage, name, place, by):
    """Return the same run with one element changed by a share."""
    value = BASE[stage][name].copy()
    value[place] *= 1.0 + by
    return Run({**BASE, stage: {**BASE[stage], name: value}})


def judged(other, measured=Run(BASE)):
    bits = compare(Run(BASE), other, STAGES)
    return judge(Run(BASE), other, bits, measured, STAGES, "fp64")


def test_the_same_bits_need_no_threshold():
    """Nothing has to be measured for them."""
    found = judged(Run(BASE), None)
    assert (found.verdict, found.bits.tensors, found.bits.differing, found.bits.first) == (
        Repeat.IDENTICAL,
        3,
        0,
        None,
    )


def test_a_last_place_is_within_rounding_and_named():
    """With its place and both values."""
    found = judged(changed("gradients", "dW", (1, 0), 2 * ULP))
    assert found.verdict == Repeat.ROUNDING
    assert ("gradients", "dW", "[1, 0]") == (
        found.bits.first.stage,
        found.bits.first.name,
        found.bits.first.index,
    )
    assert found.bits.first.first == 0.3 and found.bits.first.second > 0.3
    assert "1 of 3 tensors differ, first gradients dW [1, 0]" in found.reason


def test_more_than_rounding_is_different_and_names_both_where_bits_part_and_where_rounding_ends():
    """A last place in the forward pass, and a tenth in a gradient."""
    odd = changed("forward", "y", (1,), 2 * ULP)
    odd = Run(
        {**odd.tensors, "gradients": changed("gradients", "dW", (0, 1), 0.1).tensors["gradients"]}
    )
    found = judged(odd)
    assert found.verdict == Repeat.DIFFERENT
    assert "first forward y [1]" in found.reason and "from gradients in dW on" in found.reason


def test_a_run_that_does_not_repeat_in_its_own_process_measures_no_rounding():
    """Its variations move everything, which must not excuse it."""
    odd = changed("forward", "y", (1,), 1e-12)
    assert judged(odd, Run(BASE, moved=1e-12)).verdict == Repeat.ROUNDING
    found = judged(odd, Run(BASE, moved=1e-12, strays=1e-12))
    assert (found.verdict, "not even within one process" in found.reason) == (
        Repeat.DIFFERENT,
        True,
    )


def test_weights_that_were_given_may_not_differ_at_all():
    """They were loaded, not computed."""
    assert judged(changed("weights", "W", (0, 0), ULP)).verdict == Repeat.DIFFERENT


def test_without_a_measure_of_rounding_a_difference_is_undecided():
    """Never PASS by default."""
    found = judged(changed("forward", "y", (0,), ULP), None)
    assert (found.verdict, "not measured" in found.reason) == (Repeat.INCONCLUSIVE, True)


@pytest.mark.parametrize(
    "other", [Run({}), Run({**BASE, "forward": {}}), Run({**BASE, "forward": {"y": np.zeros(3)}})]
)
def test_what_is_missing_or_has_another_shape_differs(other):
    """It is no agreement."""
    bits = compare(Run(BASE), other, STAGES)
    assert not bits.identical and bits.first is not None and bits.first.first is None
    assert judged(other).verdict in (Repeat.DIFFERENT, Repeat.INCONCLUSIVE)


def test_nothing_compared_is_undecided():
    """Two empty runs do not agree."""
    empty = compare(Run({}), Run({}), STAGES)
    assert not empty.identical
    assert judge(Run({}), Run({}), empty, None, STAGES, "fp64").verdict == Repeat.INCONCLUSIVE


def test_bits_are_bits():
    """The same NaN is the same, minus zero is not zero."""
    nan, zero = {"forward": {"y": np.array([np.nan])}}, {"forward": {"y": np.array([0.0])}}
    assert compare(Run(nan), Run(nan), STAGES).identical
    found = compare(Run(zero), Run({"forward": {"y": np.array([-0.0])}}), STAGES)
    assert (found.differing, found.first.index) == (1, "[0]")
    scalar = compare(
        Run({"loss": {"l": np.array(1.0)}}), Run({"loss": {"l": np.array(2.0)}}), ("loss",)
    )
    assert str(scalar.first) == "loss l: 1.0 and 2.0"


def test_the_worst_of_several_runs_stands_for_all():
    """Whatever their order."""
    found = [Repeatability(verdict, "", Bits(1, 0, None)) for verdict in ORDER]
    assert worst(found).verdict == Repeat.DIFFERENT
    assert worst(found[:2]).verdict == Repeat.ROUNDING
