"""`harness selfcheck`: a real run on the cheapest build, and what the command says and returns
where a verdict cannot be trusted."""

from __future__ import annotations

import datetime
import functools
import json
import os
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness import cli
from harness.commands import selfcheck as selfchecking
from harness.commands.selfcheck import Checked, check
from harness.context import Context
from harness.errors import JobFailed, UnknownName, UsageError
from harness.execution import rounds
from harness.records import store
from harness.speed import selfcheck
from tests.harness import contents
from tests.harness.speed.test_selfcheck import ignoring_rounds, measured

HERE = (
    "--backends",
    "numpy",
    "--python",
    f"numpy={sys.executable}",
    "--preset",
    "tiny",
    "--threads",
    "1",
    "--budget",
    "0",
)


@pytest.fixture(autouse=True)
def few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the runs: what is told apart here differs by more."""
    monkeypatch.setattr(selfcheck, "FALSE_TRIES", 300)
    monkeypatch.setattr(selfcheck, "POWER_TRIES", 50)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    environ = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    return Context(
        environ, datetime.datetime.now().astimezone(), "harness selfcheck", lambda _line: None
    )


@pytest.fixture
def chosen(tmp_path: Path) -> Checked:
    return Checked(
        backends=("numpy",),
        python=(f"numpy={sys.executable}",),
        preset="tiny",
        threads=1,
        budget=0.0,
        reports=tmp_path / "reports",
    )


def test_a_real_run_measures_and_injects(
    chosen: Checked, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve rounds of real processes: half identical, the others slowed down inside the worker by
    what is asked; a doubling is beyond any noise, and is found where it was injected."""
    monkeypatch.setattr(rounds, "WARMUP_S", 0.02)
    monkeypatch.setattr(rounds, "MEASURE_S", 0.1)
    monkeypatch.setattr(selfcheck, "INJECTED", (1.0,) * 3)
    result = check(chosen, context)
    assert ["train", "generate"] == [section.action for section in result.sections]
    for section in result.sections:
        found = section.findings
        assert (
            (12, 6) == (found.rounds, found.identical)
            and found.round_s > 0.0
            and found.spread > 0.0
        )
        identical, slowed = found.injections[0].estimate.ratio, found.injections[1].estimate.ratio
        assert slowed > 1.4 * identical
    assert result.exit_code == int(any(section.findings.problems for section in result.sections))
    written = json.loads((result.folder / "selfcheck.json").read_text(encoding="utf-8"))
    assert ["train", "generate"] == [section["action"] for section in written["sections"]]
    for action in ("train", "generate"):
        ElementTree.parse(result.folder / f"selfcheck-linear-numpy-{action}.svg")
    assert json.loads((result.folder / "run.json").read_text(encoding="utf-8"))["finished"]


@pytest.fixture
def from_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds of the recording in place of an hour on this machine; all else is as it is."""

    def measure(*_: object) -> list[tuple[float, store.Record]]:
        found = []
        for one in measured(40):
            palindromes = [
                {"numpy": palindrome.steps_s["a"], "numpy#2": palindrome.steps_s["b"]}
                for palindrome in one.round.palindromes
            ]
            action = {"palindromes": palindromes, "prepared": {"numpy": {}, "numpy#2": {}}}
            result = contents.round_of({"train": action, "generate": action}, "numpy", "numpy#2")
            found.append((one.slowdown, store.Record(Path("nowhere"), {}, "ok", "", result, 3.0)))
        return found

    monkeypatch.setattr(selfchecking, "_measure", measure)


def run(words: tuple[str, ...], tmp_path: Path) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(["selfcheck", *words, "--reports", str(tmp_path / "reports")])
    return int(str(ended.value.code))


def test_the_command_prints_rates_power_and_a_plot(
    from_recording: None,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In 80 columns, with bars; nothing wrong is exit code 0."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert 0 == run(HERE, tmp_path)
    out = capsys.readouterr().out
    for words in (
        "linear tiny train on numpy, fp32, 1 thread against itself",
        "40 rounds of 3.0 s: 20 of identical sides",
        "no change",
        "1 % slower",
        "resolves",
        "████ 100 %",
        "Of 8 runs of five rounds",
        "drawn from the 40 measured",
        "false alarms are within bounds",
    ):
        assert words in " ".join(out.split()), words
    assert max(len(line) for line in out.splitlines()) <= 80


def test_an_estimator_that_ignores_rounds_fails_the_check(
    from_recording: None,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its false-alarm rate is out of bounds: said, and exit code 1."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(
        selfcheck, "examine", functools.partial(selfcheck.examine, rule=ignoring_rounds)
    )
    assert selfchecking.FAILED == run(HERE, tmp_path)
    out = " ".join(capsys.readouterr().out.split())
    assert "✗ false alarms out of bounds" in out and "✓" not in out


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"backends": ()}, UsageError, "name at least one build"),
        ({"backends": ("nunpy",)}, UnknownName, "Did you mean 'numpy'"),
        ({"workloads": ("liner",)}, UnknownName, "Did you mean 'linear'"),
        ({"workloads": ("cnn",)}, UsageError, "workload cnn has ports for"),
        ({"budget": float("nan")}, UsageError, "--budget nan"),
        ({"precision": "fp31"}, UnknownName, "fp31"),
    ],
)
def test_what_cannot_be_checked_is_refused_before_anything_runs(
    changed, error, said, chosen: Checked, context: Context
) -> None:
    """With what is allowed; and no folder is left behind."""
    with pytest.raises(error, match=said):
        check(Checked(**{**vars(chosen), **changed}), context)
    assert not chosen.reports.exists()


def test_a_worker_that_fails_ends_the_check_with_its_status(
    chosen: Checked, context: Context
) -> None:
    """Here one that cannot run the precision asked for."""
    with pytest.raises(JobFailed, match="bf16"):
        check(Checked(**{**vars(chosen), "precision": "bf16"}), context)
