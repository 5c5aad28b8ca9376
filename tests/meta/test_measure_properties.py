"""Properties of the judge that no tensor may break: never vacuous, never blind, never dependent
on order."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fidelity import noise
from harness.fidelity.evidence import TensorEntry
from harness.fidelity.judge import judge_stage

STAGES = ("weights", "forward", "loss", "gradients", "update", "trajectory")
SCALES = st.sampled_from([10.0**power for power in range(-8, 5)])
SHAPES = st.lists(st.integers(1, 4), min_size=0, max_size=3)


@dataclasses.dataclass
class Side:
    """Tensors in memory; honest variations move each by `share` of its size."""

    tensors: dict[str, np.ndarray]
    share: float = 1e-15
    digested: bool = False

    def entries(self, stage):
        return [
            TensorEntry(
                stage,
                name,
                value.shape,
                str(value.dtype),
                0.0,
                float(np.max(np.abs(value))) if value.size else 0.0,
            )
            for name, value in self.tensors.items()
        ]

    def read(self, stage, name):
        return self.tensors[name]

    def noise(self, stage, name):
        value = self.tensors[name]
        return (
            {"ulp": [self.share * float(np.max(np.abs(value)))]}
            if value.size and np.all(np.isfinite(value))
            else {}
        )


@st.composite
def tensors(draw):
    """Return one to five tensors of any shape and scale, none of them zero."""
    generator = np.random.RandomState(draw(st.integers(0, 2**31 - 1)))
    count = draw(st.integers(1, 5))
    found = {}
    for index in range(count):
        shape = tuple(draw(SHAPES))
        found[f"tensor {index}"] = np.asarray(
            draw(SCALES) * generator.uniform(0.5, 1.0, shape) * generator.choice([-1.0, 1.0], shape)
        )
    return found


def changed(found, name, value):
    return {**found, name: np.asarray(value)}


def verdict(a, b, stage="gradients"):
    return judge_stage(Side(a), Side(b), stage, "fp64")


@given(tensors(), st.sampled_from(STAGES))
def test_identical_sides_pass(found, stage):
    """At every stage, with error 0."""
    result = verdict(found, dict(found), stage)
    assert (
        "PASS" == result.verdict and 0.0 == result.worst.error and len(found) == len(result.tensors)
    )


@given(tensors(), st.sampled_from(STAGES), st.data())
def test_a_perturbation_above_the_threshold_fails_and_is_named(found, stage, data):
    """One element of one tensor, moved by 1.5 times what is allowed; by less than half of it,
    all but weights pass. Either way round."""
    name = data.draw(st.sampled_from(sorted(found)))
    value = found[name]
    place = np.unravel_index(data.draw(st.integers(0, value.size - 1)), value.shape)
    allowed = noise.coverage(stage) * 1e-15 * np.max(np.abs(value))
    for factor in (1.5, 0.4):
        moved = value.copy()
        moved[place] -= factor * allowed * np.sign(moved[place])  # towards zero: the scale stays
        result, swapped = (
            verdict(changed(found, name, moved), found, stage),
            verdict(found, changed(found, name, moved), stage),
        )
        if factor > 1 or stage == "weights":
            assert ("FAIL", name) == (result.verdict, result.worst.name)
            assert (
                1 == result.worst.difference.departing
                and f"1 of {value.size} values" in result.reason
            )
        else:
            assert "PASS" == result.verdict
        assert result.verdict == swapped.verdict


@given(tensors(), st.sampled_from([-1.0, 1.01, 0.99, 0.0, 2.0]), st.data())
def test_sign_flips_and_errors_of_one_percent_fail_at_every_scale(found, factor, data):
    """From 1e-8 to 1e4, whatever stands beside the tensor."""
    name = data.draw(st.sampled_from(sorted(found)))
    result = verdict(changed(found, name, factor * found[name]), found)
    assert ("FAIL", name) == (result.verdict, result.worst.name)


@given(tensors(), st.randoms(use_true_random=False), st.booleans())
def test_the_verdict_does_not_depend_on_the_order_of_tensors(found, random, fault):
    """Nor on the order on the other side."""
    name = sorted(found)[0]
    other = changed(found, name, 1.01 * found[name]) if fault else dict(found)
    first = list(found)
    second = list(found)
    random.shuffle(first)
    random.shuffle(second)
    result = verdict({key: other[key] for key in first}, {key: found[key] for key in second})
    plain = verdict(other, found)
    assert (plain.verdict, plain.worst and plain.worst.error) == (
        result.verdict,
        result.worst and result.worst.error,
    )
    assert {(item.name, item.verdict) for item in plain.tensors} == {
        (item.name, item.verdict) for item in result.tensors
    }


def missing(found, name):
    return {key: value for key, value in found.items() if key != name}


SPOILS = {
    "missing": missing,
    "extra": lambda found, name: changed(found, "another", found[name]),
    "shape": lambda found, name: changed(found, name, found[name][None]),
    "flattened": lambda found, name: changed(found, name, found[name].reshape(1, 1, -1)),
    "float32": lambda found, name: changed(found, name, found[name].astype(np.float32)),
    "int64": lambda found, name: changed(found, name, found[name].astype(np.int64)),
    "nan": lambda found, name: changed(found, name, np.full_like(found[name], np.nan)),
    "infinity": lambda found, name: changed(found, name, np.full_like(found[name], -np.inf)),
    "empty": lambda found, name: changed(found, name, np.zeros((0, 3))),
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("spoil", SPOILS)
@given(found=tensors(), swap=st.booleans(), data=st.data())
def test_what_cannot_be_compared_on_one_side_fails(spoil, stage, found, swap, data):
    """A missing or extra tensor, another shape or dtype, a NaN: on either side, at any stage."""
    name = data.draw(st.sampled_from(sorted(found)))
    spoiled = SPOILS[spoil](found, name)
    result = verdict(spoiled, found, stage) if swap else verdict(found, spoiled, stage)
    if spoiled and (
        found[name].ndim != 3 or found[name].shape[:2] != (1, 1) or spoil != "flattened"
    ):
        assert "FAIL" == result.verdict
    elif not spoiled:
        assert "INCONCLUSIVE" == result.verdict


@pytest.mark.parametrize("stage", STAGES)
@given(found=tensors(), odd=st.sampled_from([np.nan, np.inf, -np.inf]))
def test_the_same_nan_on_both_sides_never_passes(stage, found, odd):
    """Two broken sides are not two equal ones."""
    name = sorted(found)[0]
    broken = changed(found, name, np.full_like(found[name], odd))
    assert "INCONCLUSIVE" == verdict(broken, dict(broken), stage).verdict


@pytest.mark.parametrize("stage", STAGES)
@given(found=tensors())
def test_an_empty_comparison_never_passes(stage, found):
    """No tensors on one side or both, or tensors with nothing in them."""
    hollow = changed(found, "hollow", np.zeros((0, 3)))
    for a, b in (({}, {}), (found, {}), ({}, found), (hollow, hollow)):
        assert "PASS" != verdict(a, b, stage).verdict
