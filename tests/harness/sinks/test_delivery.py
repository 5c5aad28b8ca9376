"""What is refused before anything runs."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.results.model import Report
from harness.sinks import delivery
from harness.sinks.delivery import Sinks


def lacking(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let modules be missing."""
    real = importlib.util.find_spec
    monkeypatch.setattr(
        delivery.importlib.util, "find_spec", lambda name: None if name in names else real(name)
    )


@pytest.mark.parametrize(
    ("sinks", "missing", "message"),
    [
        (
            Sinks(mlflow="http://host"),
            "mlflow",
            r"--mlflow: needs mlflow.*pip install 'parity-harness\[mlflow\]'",
        ),
        (
            Sinks(tensorboard=Path("out")),
            "tensorboard",
            r"--tensorboard: needs tensorboard.*pip install 'parity-harness\[tensorboard\]'",
        ),
        (
            Sinks(mlflow="sqlite:///mlflow.db"),
            "alembic",
            "a database needs the whole of MLflow. Install it: pip install mlflow",
        ),
    ],
)
def test_a_missing_extra_is_named(
    sinks: Sinks, missing: str, message: str, monkeypatch: pytest.MonkeyPatch
):
    """With the command that installs it; with it, the same is taken."""
    delivery.check(sinks)
    lacking(monkeypatch, missing)
    with pytest.raises(UsageError, match=message):
        delivery.check(sinks)


def test_no_sink_needs_no_extra(monkeypatch: pytest.MonkeyPatch):
    """Who sends nothing installs nothing."""
    lacking(monkeypatch, "mlflow", "tensorboard", "alembic")
    delivery.check(Sinks())


@pytest.mark.parametrize(
    "uri",
    [
        "",
        " ",
        "http://",
        "http://ann:secret@",
        "http://ann:secret@host:port",
        "http://ann:se/secret@host",
        "http://[::1",
    ],
)
def test_an_address_that_is_none_is_refused(uri: str):
    """Before the work, not after it, and without the password in the message."""
    with pytest.raises(UsageError, match="--mlflow") as caught:
        delivery.check(Sinks(mlflow=uri))
    assert "secret" not in str(caught.value)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path):
    """A file in its place; a new folder is fine, and is not made by asking."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match=r"--tensorboard .*file/sub: .*file is no folder"):
        delivery.check(Sinks(tensorboard=tmp_path / "file" / "sub"))
    delivery.check(Sinks(tensorboard=tmp_path / "a" / "b"))
    assert ["file"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.filterwarnings("default")
def test_a_run_is_its_folder_or_its_report(report: Report, run: Path, tmp_path: Path):
    """Of a folder the report's files go along, of a report.json this one; the experiment is the
    environment's."""
    from mlflow import MlflowClient

    said: list[str] = []
    for number, place in enumerate((run, run / "report.json")):
        sinks = Sinks(mlflow=str(tmp_path / "mlruns"), tensorboard=tmp_path / "board")
        delivery.send(
            report, place, sinks, {"MLFLOW_EXPERIMENT_NAME": f"mine {number}"}, said.append
        )
    client = MlflowClient(tracking_uri=str(tmp_path / "mlruns"))
    names = []
    for number in (0, 1):
        (whole,) = client.search_runs(
            [client.get_experiment_by_name(f"mine {number}").experiment_id],
            "tags.`parity.part` = 'comparison'",
        )
        names.append([item.path for item in client.list_artifacts(whole.info.run_id, "report")])
    assert [["report/report.json", "report/report.md"], ["report/report.json"]] == names
    assert (
        4 == len(said)
        and said[0].startswith("TensorBoard: 9 event files")
        and "experiment mine 0" in said[1]
    )
