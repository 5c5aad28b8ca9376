"""Plain objects beside the ports: an error that is larger by more than a floor is told, however
small the tensor, and so is a stage that was not looked at."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from harness.plan import LOCKSTEP_STAGES
from tests.evaluation.wild import __main__ as program
from tests.evaluation.wild import beside_ports
from tests.evaluation.wild.catalogue import chosen

FLOORS = {"u": 2e-16, "v": 4e-13}


def row(stage: str, ratios: dict[str, float]) -> dict[str, Any]:
    """A stage of a report: errors in floors, by tensor."""
    compared = {
        "names": list(ratios),
        "errors": [ratio * FLOORS[name] for name, ratio in ratios.items()],
        "floors": [FLOORS[name] for name in ratios],
    }
    return {"a": "tf1", "b": "torch", "stage": stage, "verdict": "PASS", "compared": compared}


def report(**ratios: float) -> dict[str, Any]:
    """A report of one comparison: the same errors at every stage but the first, where all are
    equal."""
    equal = dict.fromkeys(ratios, 0.0)
    weights, *others = (stage.value for stage in LOCKSTEP_STAGES)
    stages = [row(weights, equal), *(row(stage, ratios) for stage in others)]
    return {"summary": {"fidelity": "PASS", "headline": "Same function."}, "stages": stages}


def test_errors_within_a_floor_of_the_ports_are_right():
    """Smaller ones too; of each stage the largest counts, in floors of its own tensor."""
    every = beside_ports.beside("linear", report(u=0.5, v=2.5), report(u=1.75))
    assert [stage.value for stage in LOCKSTEP_STAGES] == [item.stage for item in every]
    assert all(item.right for item in every)
    assert {"v"} == {item.plain.tensor for item in every[1:] if item.plain}
    assert all(item.right for item in beside_ports.beside("linear", report(u=0.0), report(u=1.75)))
    assert "yes" in beside_ports.rows(every) and "no" not in beside_ports.rows(every).split()


@pytest.mark.parametrize("stage", range(len(LOCKSTEP_STAGES)))
@pytest.mark.parametrize("floors", [2.8, 10.0])
def test_a_larger_error_in_one_tensor_of_one_stage_is_told(stage: int, floors: float):
    """Still far below its threshold: no verdict would show it."""
    plain = report(u=0.5, v=1.5)
    plain["stages"][stage]["compared"]["errors"][0] = floors * FLOORS["u"]
    every = beside_ports.beside("linear", plain, report(u=1.75))
    if stage == 0:  # the ports' weights are equal to the bit
        assert not every[0].right
        return
    assert [stage] == [index for index, item in enumerate(every) if not item.right]
    assert "u" == every[stage].plain.tensor  # type: ignore[union-attr]
    assert "FURTHER APART" in beside_ports.plain_line(every[stage])
    assert "**no**" in beside_ports.rows(every)


@pytest.mark.parametrize("stage", ["loss", "gradients"])
@pytest.mark.parametrize(("floors", "right"), [(2.7, True), (2.8, False)])
def test_a_loss_that_two_builds_of_the_ports_have_equal_by_chance(
    stage: str, floors: float, right: bool
):
    """It is one number: what the ports of any two builds make of it counts. Of other stages it
    does not."""
    plain, ports = report(u=floors), report(u=1.75)
    for whole, ratios in ((plain, {"u": floors}), (ports, {"u": 0.0})):
        whole["stages"].append({**row(stage, ratios), "b": "tf2"})
    every = beside_ports.beside("linear", plain, ports)
    (found,) = (item for item in every if (item.b, item.stage) == ("tf2", stage))
    assert found.right == (right and stage == "loss")


def test_what_was_not_looked_at_is_not_right():
    """A stage, or a pair of builds."""
    plain = report(u=0.5)
    less = copy.deepcopy(plain)
    del less["stages"][-1]
    assert [False] == [
        item.right
        for item in beside_ports.beside("linear", less, plain)
        if item.stage == LOCKSTEP_STAGES[-1].value
    ]
    other = copy.deepcopy(plain)
    for stage in other["stages"]:
        stage["b"] = "tf2"
    assert not any(item.right for item in beside_ports.beside("linear", plain, other))


def test_rows_that_compare_no_builds_are_left_out():
    """A build with itself, for information."""
    plain = report(u=0.5)
    plain["stages"].append(dict(row("trajectory", {"u": 1e9}), a="tf2", b="tf2", verdict="INFO"))
    assert all(item.right for item in beside_ports.beside("linear", plain, report(u=0.5)))


def test_a_comparison_that_does_not_pass_is_beside_nothing():
    failed = report(u=1.0)
    failed["summary"] = {"fidelity": "FAIL", "headline": "Not the same model."}
    with pytest.raises(ValueError, match="Not the same model"):
        beside_ports.beside("linear", failed, report(u=1.0))


def test_the_program_ends_with_1_where_an_error_is_larger(monkeypatch, capsys):
    """And with 0 where all are within a floor."""
    for ratio, status in ((1.5, 0), (9.0, 1)):
        every = beside_ports.beside("linear", report(u=ratio), report(u=1.0))
        monkeypatch.setattr(beside_ports, "measured", lambda *_, every=every: every)
        assert status == program.main(["--beside-ports", "--only", "linear"])
        assert ("FURTHER APART" in capsys.readouterr().out) == bool(status)


def test_there_are_plain_objects_for_every_workload_with_ports():
    """Their sides are those of the builds that are compared."""
    for name in beside_ports.NAMES:
        (entry,) = (entry for entry in chosen([name]) if entry.name == name)
        for build in beside_ports.BUILDS:
            assert f'@pair.side("{build}")' in entry.text()
