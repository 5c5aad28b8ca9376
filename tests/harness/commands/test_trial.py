"""Steps that are tried so that a dry run can tell how long a comparison takes."""

from __future__ import annotations

import dataclasses
import datetime
import os
import sys
from pathlib import Path

import pytest

from harness import plan
from harness.commands import compare, listing, options, resolution, trial
from harness.errors import JobFailed
from harness.speed import forecast
from harness.workloads import registry

TURNS = Path(__file__).parents[2] / "e2e/turns"


def asked(**more: object) -> options.Options:
    """Return what a comparison of a port of one's own with itself asks for."""
    return options.Options(
        **{
            "backends": ("numpy", "numpy"),
            "workloads": ("turns",),
            "precision": ("fp64",),
            "ports": (TURNS,),
            "no_fidelity": True,
            "threads": 1,
            **more,
        }
    )  # type: ignore[arg-type]


def side(train_s: float) -> forecast.TriedSide:
    """Return a side that is ready after a second, trains so slowly and generates at once."""
    return forecast.TriedSide(
        1.0, {"train": train_s, "generate": 0.0001}, {"train": train_s, "generate": 0.0001}
    )


def test_only_what_nobody_has_timed_is_tried() -> None:
    """Ports of the user's; of the shipped ones the size of a paper."""
    (own,) = plan.make(resolution.resolve(asked())).speed
    both = options.Options(backends=("torch", "tf2"), workloads=("ehr_mgan",), no_fidelity=True)
    shipped = [
        plan.make(resolution.resolve(dataclasses.replace(both, preset=preset))).speed
        for preset in ("tiny", "paper")
    ]
    assert [True, False, True] == [
        trial.unknown(own),
        trial.unknown(shipped[0][0]),
        trial.unknown(shipped[1][0]),
    ]


def test_a_step_of_each_side_is_run() -> None:
    """In a worker of its own; a build that is not here is not installed for it."""
    (job,) = plan.make(resolution.resolve(asked())).speed
    setup = trial.Setup({"numpy": Path(sys.executable)}, os.environ, registry.known((TURNS,)))
    found = trial.tried(job, setup)
    assert found is not None and 2 == len(found) and found[0] is found[1]
    assert all(
        0.0 < found[0].step_s[action] < 10.0 and found[0].first_s[action] > 0.0
        for action in ("train", "generate")
    )
    assert trial.tried(job, trial.Setup({}, os.environ, {})) is None


@pytest.mark.parametrize(
    ("train_s", "budget_s", "rounds", "least_s"),
    [
        (5.0, 30.0, 0, 12.0),  # ready, and two steps of the first side
        (5.0, 75.0, 1, 73.0),
        (5.0, 2000.0, 5, 325.0),
        (60.0, 30.0, 0, 31.0),  # it is not even waited for
        (60.0, 100.0, 0, 122.0),
        (0.001, 30.0, None, None),
    ],
)
def test_a_run_is_forecast_as_it_will_stop(
    train_s: float, budget_s: float, rounds: int | None, least_s: float | None
) -> None:
    """Where the real one does; short steps decide nothing."""
    found = trial.run([side(train_s), side(train_s)], budget_s)
    assert (rounds is None) == (found is None)
    if found is not None and least_s is not None:
        assert rounds == found.rounds and found.least_s == pytest.approx(least_s, rel=0.15)


@pytest.mark.parametrize(
    ("train_s", "said"),
    [
        (
            5.0,
            (
                "0 of 5 rounds fit into the budget: it ends after about 15 s without a verdict",
                "about 15 s of work, up to 0 s more",
            ),
        ),
        (0.001, ("a step or two of each was run: numpy train 0.001 s", "about 40 s of work")),
    ],
)
def test_a_dry_run_says_what_it_tried(
    monkeypatch: pytest.MonkeyPatch, train_s: float, said: tuple[str, str]
) -> None:
    """And how long the comparison takes by that."""
    monkeypatch.setattr(trial, "tried", lambda job, setup: [side(train_s), side(train_s)])
    context = compare.Context(
        os.environ, datetime.datetime(2026, 1, 1), "harness", lambda line: None
    )
    rows = dict(listing.dry_run(asked(budget=30.0), context))
    assert said[0] in rows["tried turns fp64"] and said[1] in rows["time"]


def test_what_cannot_be_tried_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that fails fails in the comparison, not here."""

    def fails(*_: object) -> None:
        raise JobFailed("error", "no")

    monkeypatch.setattr(trial, "_try", fails)
    context = compare.Context(
        os.environ, datetime.datetime(2026, 1, 1), "harness", lambda line: None
    )
    assert (
        "no step could be run here" in dict(listing.dry_run(asked(), context))["tried turns fp64"]
    )
