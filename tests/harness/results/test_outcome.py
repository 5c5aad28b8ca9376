"""From rows to one answer: the exit code is the first that applies, in the order that the design
gives."""

from __future__ import annotations

import dataclasses
import io
import re

import pytest
from rich.console import Console

from backends.contract import STATUSES
from harness.report import html, markdown, terminal
from harness.results import outcome
from harness.results.model import JobRow, Report, SpeedRow, StageRow


def stage(verdict: str, name: str = "forward") -> StageRow:
    """One judged row."""
    return StageRow("cnn", "tf1", "torch", "fp64", name, verdict, "because", worst="conv1/kernel")


def job(status: str) -> JobRow:
    """One job."""
    return JobRow("name", "torch", "cnn", "fidelity", "fp64", status, "because", 1.0, "log")


def speed(verdict: str, material: bool = True, action: str = "train") -> SpeedRow:
    """One timed row."""
    return SpeedRow(
        workload="cnn",
        a="tf1",
        b="torch",
        precision="fp32",
        preset="small",
        action=action,
        verdict=verdict,
        reason="because",
        material=material,
    )


FAIL, PASS, UNSURE = stage("FAIL"), stage("PASS"), stage("INCONCLUSIVE")
OK, CRASHED, UNSUPPORTED = job("ok"), job("crashed"), job("unsupported")
SLOWER = speed("SLOWER")


@pytest.mark.parametrize(
    ("expected", "stages", "speeds", "jobs", "if_slower"),
    [
        (0, [PASS, stage("INFO")], [SLOWER], [OK], False),
        (0, [PASS], [speed("UNCLEAR")], [OK, UNSUPPORTED], True),
        (0, [], [speed("FASTER")], [OK], True),
        (0, [PASS], [speed("SLOWER", material=False)], [OK], True),
        (3, [PASS], [SLOWER], [OK], True),
        (6, [PASS, UNSURE], [SLOWER], [OK], True),
        (5, [], [], [UNSUPPORTED, UNSUPPORTED], True),
        (5, [], [], [], False),
        (5, [], [], [OK, UNSUPPORTED], False),
        (4, [UNSURE], [SLOWER], [OK, CRASHED], True),
        (4, [], [], [UNSUPPORTED, CRASHED], True),
        (1, [PASS, UNSURE, FAIL], [SLOWER], [OK, CRASHED, UNSUPPORTED], True),
    ],
)
def test_exit_code(expected: int, stages, speeds, jobs, if_slower: bool) -> None:
    """A FAIL before a broken job, that before nothing measured, then inconclusive, then slower,
    then success."""
    assert expected == outcome.exit_code(stages, speeds, jobs, "tf1" if if_slower else None)
    assert outcome.exit_code([PASS], [SLOWER], [OK], "tf2") == 0


def test_single_phases_decide_nothing() -> None:
    """Neither the exit code nor the count of comparisons that are settled: a dozen of them would
    drown the two that count."""
    phase = speed("SLOWER", action="joint/vae")
    assert 0 == outcome.exit_code([PASS], [speed("SAME"), phase], [OK], "tf1")
    said = outcome.headline([], [speed("SAME"), phase, phase], [OK])
    assert said.endswith("Against tf1, torch is as fast in training.")
    assert "unclear in training" in outcome.headline([], [speed("UNCLEAR"), phase], [OK])


@pytest.mark.parametrize("status", STATUSES)
def test_every_status(status: str) -> None:
    """Every way in which a job can end has its exit code beside one that ended well."""
    assert outcome.exit_code([PASS], [], [OK, job(status)], None) == (
        0 if status in ("ok", "unsupported") else 4
    )


def test_recorded_code() -> None:
    """A run that compares nothing fails with a broken job, and with nothing recorded."""
    assert [
        outcome.recorded_code(jobs)
        for jobs in ([OK, UNSUPPORTED], [OK, CRASHED], [UNSUPPORTED], [])
    ] == [0, 4, 5, 5]


@pytest.mark.parametrize("status", ["crashed", "timeout", "interrupted"])
def test_what_broke_is_not_passed(status: str) -> None:
    """Where a job broke, what is left may agree, and what was asked for did not pass; a broken
    round takes nothing from it, and neither does what a build cannot do."""
    broken = dataclasses.replace(job(status), build="tf2@ports", kind="fidelity")
    assert "INCONCLUSIVE" == outcome.fidelity([PASS], [OK, broken])
    assert "FAIL" == outcome.fidelity([PASS, FAIL], [OK, broken])
    assert "NONE" == outcome.fidelity([], [broken])
    for fine in (dataclasses.replace(broken, kind=outcome.SPEED), UNSUPPORTED):
        assert "PASS" == outcome.fidelity([PASS], [OK, fine])
    said = outcome.headline([PASS], [], [OK, broken])
    assert said.startswith("Undecided for tf2@ports in ") and f"ended with {status}" in said
    assert said.endswith("what could be judged agrees. 1 job did not end well.")


def test_fidelity() -> None:
    """The worst verdict counts, a row that only informs does not, and nothing is not PASS."""
    assert [
        outcome.fidelity(rows)
        for rows in (
            [PASS, FAIL, UNSURE],
            [PASS, UNSURE],
            [PASS, stage("INFO")],
            [stage("INFO")],
            [],
        )
    ] == [
        "FAIL",
        "INCONCLUSIVE",
        "PASS",
        "NONE",
        "NONE",
    ]


def test_first_failure() -> None:
    """The first FAIL in the order of the ladder is the one to look at."""
    later = stage("FAIL", "update")
    assert (
        outcome.first_failure([PASS, FAIL, later]) is FAIL and outcome.first_failure([PASS]) is None
    )


@pytest.mark.parametrize(
    ("said", "stages", "speeds", "jobs"),
    [
        (
            (
                "Not the same model: tf1 and torch part in cnn (fp64) at forward, first in"
                " conv1/kernel."
            ),
            [PASS, FAIL],
            [],
            [OK],
        ),
        ("Same function: 1 comparison agrees", [PASS, PASS], [], [OK]),
        (
            "Undecided for tf1 and torch in cnn (fp64) at forward: because.",
            [UNSURE],
            [],
            [OK, CRASHED],
        ),
        ("1 job did not end well.", [PASS], [], [OK, CRASHED]),
        ("2 jobs did not end well.", [PASS], [], [CRASHED, CRASHED]),
        ("everything asked for is unsupported here", [], [], [UNSUPPORTED]),
        (
            "Speed only; fidelity was not judged. Against tf1, torch is slower in training and"
            " unclear in generate.",
            [],
            [SLOWER, speed("UNCLEAR", action="generate")],
            [OK],
        ),
        ("Against tf1, torch is unclear in training.", [PASS], [speed("UNCLEAR")], [OK]),
        ("Nothing was judged.", [], [], [OK]),
    ],
)
def test_headline(said: str, stages, speeds, jobs) -> None:
    """The answer in a sentence."""
    assert said in outcome.headline(stages, speeds, jobs)


@pytest.mark.parametrize("verdict", ["PASS", "FAIL", "INCONCLUSIVE"])
@pytest.mark.parametrize("name", ["forward", "precision", "distribution"])
def test_the_verdict_is_said_once(verdict: str, name: str) -> None:
    """In the terminal, in Markdown and on the page: the word comes before the headline, and not
    again in it."""
    rows = [stage(verdict, name)]
    said = outcome.headline(rows, [], [OK])
    shown = Report(
        "t",
        "now",
        "0",
        "harness compare",
        outcome.fidelity(rows),
        said,
        tuple(rows),
        (),
        (OK,),
        (),
        {},
    )
    stream = io.StringIO()
    Console(file=stream, width=300).print(terminal.render(shown))
    page = re.search('<p class="answer .*?</p>', html.render(shown), re.DOTALL)
    assert page is not None
    for first in (
        stream.getvalue().splitlines()[0],
        markdown.render(shown).splitlines()[2],
        page[0].partition(">")[2],
    ):
        assert 1 == first.lower().count(verdict.lower()), first


def test_headlines_of_results() -> None:
    """The same function and the same results are two answers."""
    passed, failed = stage("PASS", "distribution"), stage("FAIL", "distribution")
    assert outcome.headline([passed], [], [OK]).startswith(
        "Same results: models trained from 0 independent seeds a build are equivalent"
    )
    both = outcome.headline([PASS, passed], [], [OK])
    assert both.startswith("Same function: 1 comparison") and "Same results" in both
    assert (
        outcome.headline([failed], [], [OK])
        == "Not the same results: the models that tf1 and torch train differ in cnn (fp64), most in"
        " conv1/kernel."
    )
    assert outcome.headline([FAIL, failed], [], [OK]).startswith("Not the same model")


def test_an_accepted_difference_is_a_pass_that_says_so():
    """Only what is excused, and only where the user takes it; the command that repeats it does,
    too."""
    failed = dataclasses.replace(
        stage("FAIL"),
        excuse="float32-constants",
        reason="5 tensors depart",
        command="harness compare",
    )
    (kept,) = outcome.accept([failed], ())
    (accepted,) = outcome.accept([failed], ("float32-constants",))
    (other,) = outcome.accept([dataclasses.replace(failed, excuse="")], ("float32-constants",))
    assert ("FAIL", "PASS", "FAIL") == (kept.verdict, accepted.verdict, other.verdict)
    assert "ACCEPTED" == accepted.shown and accepted.command.endswith("--accept float32-constants")
    assert "Accepted: float32-constants." in outcome.headline([accepted], [], [])
    assert "Same function to float32" in outcome.headline([kept], [], [])
    assert 1 == outcome.exit_code([kept], [], [], None) and 0 == outcome.exit_code(
        [accepted], [], [], None
    )
