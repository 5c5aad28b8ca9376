"""Whatever a worker answers takes its own job alone; and the program that counts would see more."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest

from harness.execution import answers as protocol
from harness.execution.verbs import Said, Verb
from tests.evaluation.hostile_answers import __main__ as program
from tests.evaluation.hostile_answers import answers, trying
from tests.evaluation.hostile_answers.trying import Case, Finding

#: One of each kind of fault that a line can have.
LINES = (
    "no status",
    "status: unknown",
    "status: text that steers",
    "result: number",
    "number: another",
    "deep: line",
    "line: no JSON",
    "telling for ever",
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the faulty port."""
    folder = tmp_path_factory.mktemp("answers")
    program.plant(folder)
    return folder


def tried(root: Path, name: str, verb: str = "record", scenario: str = "fidelity") -> Finding:
    """Alter the first answer to a verb."""
    mutate = answers.all_of_them(root / "line")[name]
    return trying.attempt(root / "reports", Case(scenario, verb, 0, name, mutate, 0))


@pytest.mark.parametrize("name", LINES)
def test_an_altered_answer_ends_its_job(root: Path, name: str) -> None:
    """With a reason that says which answer it was; the other jobs are judged."""
    finding = tried(root, name)
    assert finding.altered and () == finding.faults and finding.reason


@pytest.mark.parametrize(
    ("scenario", "verb"), [("rounds", "describe"), ("rounds", "block"), ("training", "advance")]
)
def test_in_a_round_and_in_a_training(root: Path, scenario: str, verb: str) -> None:
    """A turn's answer is looked at like any other."""
    finding = tried(root, "result: number", verb, scenario)
    assert finding.altered and () == finding.faults and finding.reason


def test_every_mutation_is_chosen_and_every_verb(tmp_path: Path) -> None:
    """Before any comes again."""
    met = {"fidelity": {"open": 1, "record": 3}, "rounds": {"block": 40}, "training": {"start": 1}}
    table = answers.all_of_them(tmp_path / "line")
    first = list(itertools.islice(program.cases(tmp_path / "line", met, 0), len(table)))
    assert set(table) == {case.name for case in first}
    assert {"open", "record", "block", "start"} == {case.verb for case in first}
    assert all(case.number < met[case.scenario][case.verb] for case in first)


def test_mutations_alter(tmp_path: Path) -> None:
    """An answer of three fields, all of whose lines stay one line."""
    line = b'{"id": 2, "status": "ok", "result": {"digests": {"W": [1.0, 2.5]}, "steps": 2}}'
    for name, mutate in answers.all_of_them(tmp_path / "line").items():
        altered = mutate(line, random.Random(1))
        assert line != altered and b"\n" not in altered, name


# -- planted faults: what the program is for ------------------------------------------------------


def test_a_harness_that_checks_no_answer_is_seen(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends in a traceback."""

    def unchecked(answer: Any, _: str, __: int) -> protocol.Answer:
        return protocol.Answer(**{"id": 0, "reason": "", **answer})

    monkeypatch.setattr(protocol, "read", unchecked)
    assert "traceback" in tried(root, "result: number").faults


def test_a_harness_that_believes_the_status_is_seen(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training that goes on though an answer was none, and a job whose reason names no answer."""
    read = protocol.read

    def mended(answer: Any, verb: Verb[Any], number: int) -> Said[Any]:
        return read({**answer, "id": number}, verb, number)

    monkeypatch.setattr(protocol, "read", mended)
    assert ("false PASS",) == tried(root, "number: another", "advance", "training").faults

    def mute(answer: Any, verb: Verb[Any], number: int) -> Said[Any]:
        try:
            return read(answer, verb, number)
        except protocol.CorruptRecord:
            raise protocol.CorruptRecord("something was wrong") from None

    monkeypatch.setattr(protocol, "read", mute)
    assert ("no verb named",) == tried(root, "no status").faults


@pytest.mark.parametrize(
    ("verdict", "bad", "taken"),
    [("PASS", set(), False), ("INCONCLUSIVE", set(), True), ("PASS", {"a", "b"}, True)],
)
def test_other_jobs_that_are_not_judged(verdict: str, bad: set[str], taken: bool) -> None:
    rows = [
        {"a": "numpy", "b": "numpy#2", "verdict": verdict},
        {"a": "numpy", "b": f"numpy@{trying.FAULTY}", "verdict": "FAIL"},
    ]
    assert taken == trying.taken_down({"stages": rows}, bad)


def test_the_count_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == program.main(["--count", "2"]), capsys.readouterr().out
    assert "2 altered answers, 0 at fault" in capsys.readouterr().out
