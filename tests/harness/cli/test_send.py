"""`harness send`, and what `harness compare` does with the same options, as commands."""

from __future__ import annotations

import dataclasses
import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from harness.commands import compare as comparison
from harness.report import json_format
from tests.harness.report import sample

ROOT = Path(__file__).parents[3]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run's folder."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "report.json").write_text(json_format.to_json(sample.REPORT), encoding="utf-8")
    return folder


@pytest.fixture
def nowhere() -> str:
    """An address at which nothing listens, with credentials."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://ann:s3cret@127.0.0.1:{free.getsockname()[1]}"


def harness(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "COLUMNS": "1000",
    }
    argv = [sys.executable, "-m", "harness.cli", *words]
    return subprocess.run(
        argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_a_server_that_is_not_there_costs_no_run(run: Path, nowhere: str, tmp_path: Path):
    """Exit code 4, the command to repeat without credentials; the event files are written all
    the same, and nothing is on stdout."""
    done = harness("send", str(run), "--mlflow", nowhere, "--tensorboard", "board", folder=tmp_path)
    shown = nowhere.replace("ann:s3cret@", "")
    assert (4, "") == (done.returncode, done.stdout)
    again = shlex.join(["harness", "send", str(run), "--tensorboard", "board", "--mlflow", shown])
    assert f"Send it again: {again} (with the credentials, which are not shown)" in " ".join(
        done.stderr.split()
    )
    assert "s3cret" not in done.stderr
    assert list((tmp_path / "board").rglob("events.out.tfevents.*"))


def test_runs_are_sent_and_sent_once(run: Path, tmp_path: Path):
    """To a store in files, which the command allows: no setting of MLflow's is needed; nothing
    but progress is printed."""
    for begun in ("new", "was there already"):
        done = harness("send", str(run), "--mlflow", "mlruns", folder=tmp_path)
        assert (0, "") == (done.returncode, done.stdout), done.stderr
        assert f"in experiment parity-harness at mlruns: {begun}; 5 runs in all" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["send"], "no run is named"),
        (["send", "{run}"], "say where to"),
        (["send", "{run}", "--mlflow", "http://ann:s3cret@"], "no address of a server"),
        (["send", "{run}/nothing", "--tensorboard", "board"], "there is no report"),
        (["send", "{run}", "--mlfow", "http://ann:s3cret@host"], "mlfow"),
    ],
)
def test_wrong_usage_ends_with_2_and_keeps_secrets(
    words: list[str], message: str, run: Path, capsys: pytest.CaptureFixture[str]
):
    """What is wrong, and what to do; a password is not repeated, not even with an option that is
    misspelt."""
    with pytest.raises(SystemExit, match="2"):
        main([word.format(run=run) for word in words])
    told = capsys.readouterr().err
    assert message in " ".join(told.split()) and "s3cret" not in told


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("code", "expected"), [(0, 4), (1, 1)])
def test_a_comparison_survives_its_sink(
    code: int,
    expected: int,
    run: Path,
    nowhere: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """The report is shown and kept; the exit code is the comparison's own, or 4 where that would be
    0. The command is kept without credentials."""
    kept: list[str] = []

    def compare(
        _chosen: object, given: comparison.Context, **_: object
    ) -> comparison.ComparisonResult:
        kept.append(given.command)
        return comparison.ComparisonResult(dataclasses.replace(sample.REPORT, exit_code=code), run)

    monkeypatch.setattr(comparison, "compare", compare)
    monkeypatch.setattr(sys, "argv", ["harness", "compare", "--mlflow", nowhere])
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(SystemExit, match=str(expected)):
        main(["compare", "--mlflow", nowhere])
    out, err = capsys.readouterr()
    assert "Not the same model" in " ".join(
        out.split()
    ) and "Send it again: harness send" in " ".join(err.split())
    assert "s3cret" not in out + err + kept[0] and "--mlflow http://127.0.0.1" in kept[0]


@pytest.mark.parametrize(("given", "expected"), [(None, "true"), ("false", "false")])
def test_mlflow_tells_its_makers_nothing(
    given: str | None,
    expected: str,
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    """Unless the user has said otherwise; MLflow itself reads it so."""
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", given or "")
    for name in (
        "DO_NOT_TRACK",
        "CI",
        "GITHUB_ACTIONS",
        *(["MLFLOW_DISABLE_TELEMETRY"] if not given else []),
    ):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit, match="0"):
        main(["send", str(run), "--tensorboard", str(tmp_path / "board")])
    from mlflow.environment_variables import MLFLOW_DISABLE_TELEMETRY

    assert expected == os.environ["MLFLOW_DISABLE_TELEMETRY"]
    assert (expected == "true") == MLFLOW_DISABLE_TELEMETRY.get()
