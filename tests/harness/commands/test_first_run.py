"""The first check: which ports are tried and how, and what is left of a plan when some have
failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import plan
from harness.commands import first_run, options, resolution


@pytest.fixture
def ports(tmp_path: Path) -> Path:
    """A folder that has a port of `linear` for each backend."""
    for place in ("own", "other"):
        for backend in ("numpy", "torch", "tf2"):
            (tmp_path / place / backend).mkdir(parents=True)
            (tmp_path / place / backend / "linear.py").touch()
    return tmp_path


def planned(*backends: str, **more) -> tuple[plan.Request, plan.Plan]:
    """Return a request for `linear` and its plan."""
    request = resolution.resolve(options.Options(backends=backends, workloads=("linear",), **more))
    return request, plan.make(request)


def test_only_ports_of_the_users_are_tried(ports: Path):
    """One check a side, in the precision that comes first, with the others behind it; shipped
    ports are tried by nobody."""
    request, made = planned(
        "tf2", f"torch@{ports / 'own'}", precision=("fp64", "bf16"), stages=("W", "L")
    )
    (check,) = first_run.jobs(made, request)
    ((workload, attempts),) = check.attempts
    assert ("torch@own", "linear") == (check.side, workload)
    assert ["fp64", "bf16"] == [attempt.opening.setting.precision for attempt in attempts]
    assert ("weights", "forward", "loss", "gradients") == attempts[0].stages
    assert attempts[0].opening.only and (str(ports / "own"),) == attempts[0].opening.folders
    assert [] == first_run.jobs(*reversed(planned("tf2", "torch")))


def test_a_folder_for_all_sides_is_tried_where_it_has_a_port(ports: Path):
    """`--ports` may have some."""
    (ports / "own/tf2/linear.py").unlink()
    request, made = planned("tf2", "torch", ports=(ports / "own",))
    assert ["torch"] == [check.side for check in first_run.jobs(made, request)]


def test_where_only_speed_is_asked_for_training_and_inference_are_tried(ports: Path):
    """At the sizes that are timed."""
    request, made = planned("tf2", f"torch@{ports / 'own'}", no_fidelity=True, precision=("fp32",))
    (check,) = first_run.jobs(made, request)
    ((_, (attempt,)),) = check.attempts
    assert (None, "small") == (attempt.stages, attempt.opening.preset)


def test_other_pairs_go_on(ports: Path):
    """Without the jobs, bounds, rounds and gains of the side that failed."""
    request, made = planned(
        "tf2", "torch", f"torch@{ports / 'own'}", precision=("fp64", "fp32", "bf16")
    )
    left = first_run.reduced(made, {("torch@own", "linear")})
    assert {("tf2", "torch")} == {(pair.a.side, pair.b.side) for pair in left.pairs} and 3 == len(
        left.pairs
    )
    assert (
        {"tf2", "torch"} == {job.side for job in left.jobs} == {low.side for low, _ in left.bounds}
    )
    labels = [[side.label for side in job.sides] for job in left.speed]
    assert [["tf2", "torch"]] * 2 + [
        ["tf2-fp32", "tf2-bf16"],
        ["torch-fp32", "torch-bf16"],
    ] == labels
    assert {"linear"} == {item.name for item in request.workloads}


def test_where_no_pair_is_left_nothing_runs(ports: Path):
    """The other side's jobs, samples and gains would be compared with nothing. Another workload
    is another matter."""
    _, made = planned("tf2", f"torch@{ports / 'own'}", precision=("fp64", "fp32", "bf16"))
    assert plan.Plan((), (), (), (), ()) == first_run.reduced(made, {("torch@own", "linear")})
    assert made == first_run.reduced(made, {("torch@own", "cnn")}) == first_run.reduced(made, set())


def test_one_side_alone_is_recorded_all_the_same(ports: Path):
    """Nobody compares it, so nothing is missing; if it fails itself, it is left out."""
    _, made = planned(f"torch@{ports / 'own'}", precision=("fp32",))
    assert () == made.pairs and made == first_run.reduced(made, {("torch@other", "linear")})
    assert () == first_run.reduced(made, {("torch@own", "linear")}).jobs
