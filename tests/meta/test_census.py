"""The census of mutants, on real builds: where a mutant is found out, and that the honest port is
asked first."""

from __future__ import annotations

import dataclasses

import pytest

from harness.execution import runner
from tests.evaluation.mutation import alive, census, unreached
from tests.evaluation.mutation.census import EQUIVALENT, ERROR, KILLED, SURVIVED, UNREACHED, Census
from tests.evaluation.mutation.explained import Unreached
from tests.evaluation.mutation.reach import probed
from tests.evaluation.zoo.mutant import SHIPPED


@pytest.fixture(scope="module")
def trials(laboratory, tmp_path_factory):
    """A census of the linear port with records of its own."""
    return Census(laboratory, tmp_path_factory.mktemp("cache"), tmp_path_factory.mktemp("mutants"))


@pytest.fixture(scope="module")
def linear(trials):
    """The linear port, surveyed."""
    return trials.subject("linear")


def _becoming(subject, becomes):
    (found,) = (
        item
        for item in subject.mutations
        if becomes in item.applied(subject.modules[item.file].text)
    )
    return found


def test_a_mutant_is_killed_at_its_stage_or_by_an_error_or_survives(trials, linear):
    """The judge names the stage; what cannot run is an error; a square of exchanged arguments is
    the same."""
    chosen = {
        becomes: _becoming(linear, becomes)
        for becomes in (
            "square().mean()",
            'mse_loss(arrays["y"], prediction)',
            "mse - l2",
            'config["features"], 2)',
            "activations(noise, arrays)",
        )
    }
    found = {item.mutation: item for item in trials.findings(linear, chosen.values())}
    kinds = {
        becomes: (found[mutation].kind, found[mutation].outcome.stage)
        for becomes, mutation in chosen.items()
    }
    assert {
        "square().mean()": (KILLED, "loss"),
        'mse_loss(arrays["y"], prediction)': (EQUIVALENT, ""),
        "mse - l2": (KILLED, "loss"),
        'config["features"], 2)': (KILLED, "weights"),
        "activations(noise, arrays)": (ERROR, "error"),
    } == kinds
    killed = found[chosen["square().mean()"]].outcome
    assert ("linear fp64", "train/l2") == (killed.where, killed.place) and killed.margin > 1e6
    assert [] == census.stale(linear, list(found.values()))


def test_the_judge_of_a_comparison_says_the_same(trials, linear, laboratory, tmp_path):
    """With honest variations of its own, as `harness compare` records it, the mutant fails at
    the same stage and tensor."""
    from tests.evaluation.zoo.mutant import write

    mutation = _becoming(linear, "square().mean()")
    folder = write(
        "linear",
        {SHIPPED / mutation.file: mutation.applied(linear.modules[mutation.file].text)},
        tmp_path / "mean",
    )
    rows = laboratory.rows("linear", [laboratory.side("tf2"), laboratory.side("torch", folder)])
    first = next(row for row in rows if row.verdict != "PASS")
    assert ("loss", "FAIL", "train/l2") == (first.stage, first.verdict, first.worst)


def test_an_unexplained_survivor_and_code_that_nobody_gets_to(trials, linear, monkeypatch):
    """Without its explanation an equivalent mutant has survived; one that never runs needs an
    explanation of its own."""
    swapped = _becoming(linear, 'mse_loss(arrays["y"], prediction)')
    monkeypatch.setattr(alive, "ALIVE", ())
    nowhere = dataclasses.replace(linear, reached=(frozenset(),) * len(linear.circumstances))
    assert [SURVIVED, SURVIVED] == [
        next(trials.findings(subject, [swapped])).kind for subject in (linear, nowhere)
    ]
    monkeypatch.setattr(
        unreached, "UNREACHED", (Unreached("linear.py", "a test", ("mse = functional",)),)
    )
    assert (
        UNREACHED != next(trials.findings(nowhere, [swapped])).kind
    )  # beside the piece, not in it
    monkeypatch.setattr(
        unreached, "UNREACHED", (Unreached("linear.py", "a test", ('(prediction, arrays["y"])',)),)
    )
    assert (UNREACHED, "a test") == (
        (found := next(trials.findings(nowhere, [swapped]))).kind,
        found.reason,
    )


def test_a_port_that_is_not_honest_ends_the_census(trials, monkeypatch):
    """The survey's own control: where the port with probes does not pass, nothing is judged."""

    def broken(module, found, noted):
        return probed(module, found, noted).replace("0.5", "0.25")

    monkeypatch.setattr(census, "probed", broken)
    other = Census(trials.laboratory, trials.cache, trials.folder / "broken")
    with pytest.raises(RuntimeError, match=r"does not pass.*train/l2"):
        other.subject("linear")


def test_honest_sides_run_once(trials, linear, monkeypatch):
    """Nothing but what decides a record makes another one: the sides are found again, and
    another step count is not."""
    ran = []
    monkeypatch.setattr(
        runner,
        "run_job",
        lambda run_context, job: ran.append(job) or pytest.fail("an honest side ran again"),
    )
    again = Census(trials.laboratory, trials.cache, trials.folder / "again").subject("linear")
    assert [] == ran and linear.reached == again.reached
    spec = trials.laboratory.stand.workloads["linear"]
    other = type(
        "Other",
        (type(spec),),
        {"hyperparameters": lambda self, preset: {**spec.hyperparameters(preset), "l2": 0.5}},
    )()
    monkeypatch.setitem(trials.laboratory.stand.workloads, "linear", other)
    with pytest.raises(pytest.fail.Exception, match="ran again"):
        Census(trials.laboratory, trials.cache, trials.folder / "other").subject("linear")
