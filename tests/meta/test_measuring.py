"""From honest comparisons to the factors of the judge."""

from __future__ import annotations

import runpy

import pytest

from harness.fidelity import honest_spread, noise
from harness.fidelity.verdict import StageVerdict, TensorVerdict
from tests.evaluation.zoo.honest import Comparison
from tests.evaluation.zoo.measuring import measure, text


def comparison(
    ratio,
    *,
    workload="cnn",
    kind="builds",
    stage="forward",
    precision="fp64",
    floor=1e-15,
    necessary=None,
):
    """Return an honest comparison of one tensor whose error is `ratio` floors."""
    tensor = TensorVerdict(
        "x", "PASS", "", ratio * floor, floor, noise.coverage(stage) * floor, None, necessary
    )
    return Comparison(
        kind,
        workload,
        "tiny",
        precision,
        0,
        "a",
        "b",
        (StageVerdict(stage, "PASS", "", tensor, (tensor,)),),
    )


def test_the_largest_ratio_of_each_stage_and_precision_is_kept():
    """Whatever the workload."""
    found = measure(
        [
            comparison(1.5),
            comparison(2.5, workload="linear"),
            comparison(0.5, stage="loss"),
            comparison(3.0, precision="fp32"),
        ]
    )
    assert {
        "fp64": {"forward": pytest.approx(2.5), "loss": pytest.approx(0.5)},
        "fp32": {"forward": pytest.approx(3.0)},
    } == found.largest
    assert pytest.approx(3.0 * found.surprise) == found.factor(
        "forward"
    ) and found.surprise == found.factor("loss")
    assert (4, 4, 1e-15) == (found.comparisons, found.tensors, found.float64_floor)


@pytest.mark.parametrize(
    ("changed", "surprise"), [({"workload": "linear"}, 2.0), ({"kind": "threads"}, 2.0), ({}, 1.0)]
)
def test_the_surprise_is_how_much_one_left_out_exceeds_the_others(changed, surprise):
    """A workload, or a kind of comparison, with an error of 4 floors where the others have 2;
    nothing left out is no surprise."""
    found = measure([comparison(2.0), comparison(4.0, **changed)])
    assert surprise == pytest.approx(found.surprise)


def test_the_least_cost_is_that_of_the_lower_precision():
    """Error over what rounding alone costs."""
    found = measure(
        [
            comparison(1.0, stage="precision", precision="bf16", floor=1e-3, necessary=value)
            for value in (2e-3, 1e-3)
        ]
    )
    assert {"bf16": pytest.approx(0.5)} == found.least_cost


def test_the_module_holds_what_was_measured_rounded_up(tmp_path):
    """And is read as it was written."""
    found = measure([comparison(2.001), comparison(4.0, workload="linear")])
    path = tmp_path / "measured.py"
    path.write_text(text(found), encoding="utf-8")
    read = runpy.run_path(str(path))
    assert ({"fp64": {"forward": 4.0}}, 2) == (read["LARGEST"], read["COMPARISONS"])
    assert found.surprise <= read["SURPRISE"] < found.surprise + 0.01
    assert {name for name in vars(honest_spread) if name.isupper()} == {
        name for name in read if name.isupper()
    }


def test_what_the_judge_rests_on_was_really_measured():
    """At least two hundred comparisons, every stage of the ladder that has a tolerance."""
    assert honest_spread.COMPARISONS >= 200
    assert {"forward", "loss", "gradients", "update", "trajectory"} <= {
        *honest_spread.LARGEST["fp64"]
    } & {*honest_spread.LARGEST["fp32"]}
