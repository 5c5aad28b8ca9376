"""Runs in MLflow, read back with its own client: on a real server, in a database and in files,
also after an upload was cut off."""

from __future__ import annotations

import dataclasses
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import SendingFailed
from harness.results.model import Report
from harness.sinks import figures, mlflow
from harness.sinks.mlflow import Target
from tests.harness.sinks.conftest import STEPS, Server

pytestmark = pytest.mark.filterwarnings("default")
#: All that changes something there.
WRITES = (
    "create_experiment",
    "create_run",
    "log_batch",
    "log_artifact",
    "set_tag",
    "set_terminated",
)
RATIO = "speed/cnn/small/fp32/seed 0/tf1-compat - torch/train/ratio"
BUILDS = 4


class Cut(OSError):
    """The connection is gone."""


@dataclasses.dataclass(frozen=True)
class Found:
    """What MLflow has of one run."""

    name: str
    status: str
    tags: dict[str, str]
    parameters: dict[str, str]
    points: dict[str, list[tuple[int, str]]]
    files: tuple[str, ...]


def read(uri: str, experiment: str) -> dict[str, Found]:
    """Return all runs of an experiment by part; fails on two of one part."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    place = client.get_experiment_by_name(experiment)
    found: dict[str, Found] = {}
    for run in client.search_runs([place.experiment_id]) if place else ():
        points = {}
        for (
            key,
            newest,
        ) in (
            run.data.metrics.items()
        ):  # a server's database keeps one value of a figure; files could keep more
            one = "://" in uri and not key.startswith("loss")
            items = [] if one else client.get_metric_history(run.info.run_id, key)
            points[key] = (
                [(0, repr(newest))]
                if one
                else sorted((item.step, repr(item.value)) for item in items)
            )
        files = tuple(
            sorted(item.path for item in client.list_artifacts(run.info.run_id, mlflow.ARTIFACTS))
        )
        part = run.data.tags[mlflow.PART]
        assert part not in found
        tags = {key: value for key, value in run.data.tags.items() if key != "mlflow.parentRunId"}
        found[part] = Found(
            run.info.run_name, run.info.status, tags, dict(run.data.params), points, files
        )
    return found


def files(run: Path) -> list[Path]:
    return sorted(run.iterdir())


@pytest.mark.parametrize("kind", ["server", "database", "files"])
def test_a_report_arrives_whole(
    kind: str,
    report: Report,
    run: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
):
    """Parameters, figures, curves by step with what is not finite, and the report's files; the
    second time nothing is added."""
    monkeypatch.chdir(
        tmp_path
    )  # beside a database MLflow puts files into a folder of the working folder
    places: dict[str, Callable[[], str]] = {
        "server": lambda: request.getfixturevalue("server").uri,
        "database": lambda: f"sqlite:///{tmp_path / 'mlflow.db'}",
        "files": lambda: str(tmp_path / "mlruns"),
    }
    target = Target(places[kind](), f"whole [{kind}]")
    sent = mlflow.send(report, files(run), target)
    found = read(target.uri, target.experiment)
    whole = found.pop(mlflow.WHOLE)
    assert ("new", BUILDS + 1) == (sent.begun, sent.runs) and BUILDS == len(found)
    assert (figures.title(report), "FINISHED", ("report/report.json", "report/report.md")) == (
        whole.name,
        whole.status,
        whole.files,
    )
    assert (
        "2.13.0" == whole.parameters["build/torch/version torch"]
        and "torch, tf1-compat" == whole.parameters["builds"]
    )
    assert [(0, "1.2345")] == whole.points[RATIO]
    judged = figures.figures(report)
    assert len(judged) == len(whole.points) and whole.tags["mlflow.note.content"].startswith(
        "**FAIL** Not the same model"
    )
    nan = "fidelity/cnn/preset/fp64/seed 0/tf1-compat - torch/gradients/error"
    assert [(0, "nan")] == whole.points[nan]
    curves = next(
        one for one in found.values() if one.parameters["build"] == "torch@mine/ports [a]"
    )
    assert {"loss", "loss_p10", "loss_p90"} == {key.split("/")[0] for key in curves.points}
    top = {"files": "inf"}.get(
        kind, repr(1.7976931348623157e308)
    )  # what a database has in place of infinity
    assert [(1, "1.5"), (5, "0.75"), (10, top)] == curves.points["loss/loss _x_ y"]
    assert [(1, "1.0"), (5, "0.5"), (10, "nan")] == curves.points["loss_p10/loss _x_ y"]
    assert STEPS[:2] == tuple(
        step for step, _ in curves.points["loss_p90/loss _x_ y"]
    )  # the third is missing
    assert "was there already" == mlflow.send(report, files(run), target).begun
    assert {**found, mlflow.WHOLE: whole} == read(target.uri, target.experiment)


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A function that lets so many writes through; the next one is cut off: of a batch, half
    arrives."""
    from mlflow import MlflowClient

    real = {name: getattr(MlflowClient, name) for name in WRITES}
    left = [0]

    def wrapped(name: str) -> Callable[..., Any]:
        def call(client: Any, *given: Any, **named: Any) -> Any:
            if not left[0]:
                if name == "log_batch":
                    kind, items = next(iter(named.items()))
                    real[name](client, *given, **{kind: items[: len(items) // 2]})
                raise Cut("connection reset")
            left[0] -= 1
            return real[name](client, *given, **named)

        return call

    def after(writes: int) -> None:
        left[0] = writes

    for name in WRITES:
        monkeypatch.setattr(MlflowClient, name, wrapped(name))
    return after


def test_an_upload_cut_off_anywhere_goes_on_without_duplicates(
    report: Report, run: Path, tmp_path: Path, cut: Callable[[int], None]
):
    """Cut off at every write in turn, in a store that would keep a second point beside the
    first: then it is as if sent once."""
    short = dataclasses.replace(
        report, stages=report.stages[:3], speed=(), quality=(), curves=report.curves[:1], builds=()
    )
    cut(10**6)
    once = Target(str(tmp_path / "once"), "runs")
    mlflow.send(short, files(run), once)
    expected = read(once.uri, "runs")
    for writes in range(100):
        cut(writes)
        target = Target(str(tmp_path / f"cut {writes}"), "runs")
        try:
            mlflow.send(short, files(run), target)
            break
        except SendingFailed as error:
            told = str(error)
        assert told.endswith("connection reset")
        cut(10**6)
        assert mlflow.send(short, files(run), target).begun == ("went on" if writes > 1 else "new")
        assert expected == read(target.uri, "runs"), writes
    assert 12 < writes < 30 and 2 == len(expected)


def test_without_looking_for_what_is_there_a_second_upload_would_leave_duplicates(
    report: Report,
    run: Path,
    tmp_path: Path,
    cut: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
):
    """The planted fault: points are sent whether they are there or not. The comparison of the
    test above sees it."""
    monkeypatch.setattr(mlflow._Upload, "_missing", lambda _self, _run, points: list(points))
    found = []
    for name, writes in (("once", ()), ("twice", (4,))):
        target = Target(str(tmp_path / name), "runs")
        for count in writes:
            cut(count)
            with pytest.raises(SendingFailed):
                mlflow.send(report, files(run), target)
        cut(10**6)
        mlflow.send(report, files(run), target)
        found.append(read(target.uri, "runs"))
    assert found[0] != found[1]


def test_a_server_killed_in_the_midst_gets_the_rest_when_it_is_back(
    report: Report, run: Path, server: Server, monkeypatch: pytest.MonkeyPatch
):
    """Killed before the second batch: what is sent again after it came back is there once; no
    credentials are told."""
    from mlflow import MlflowClient

    target = Target(server.uri.replace("//", "//ann:secret@"), "killed")
    real, calls = MlflowClient.log_batch, []

    def killing(client: Any, *given: Any, **named: Any) -> Any:
        calls.append(named)
        if len(calls) == 2:
            server.kill()
        return real(client, *given, **named)

    with monkeypatch.context() as planted:
        planted.setattr(MlflowClient, "log_batch", killing)
        with pytest.raises(
            SendingFailed, match=f"MLflow at {server.uri} did not take the run"
        ) as caught:
            mlflow.send(report, files(run), target)
    assert "secret" not in str(caught.value)
    server.start()
    left = read(server.uri, "killed")
    assert [mlflow.WHOLE] == list(left) and "RUNNING" == left[mlflow.WHOLE].status
    assert "went on" == mlflow.send(report, files(run), target).begun
    found = read(server.uri, "killed")
    assert BUILDS + 1 == len(found) and {"FINISHED"} == {one.status for one in found.values()}
    clean = Target(server.uri, "clean")
    mlflow.send(report, files(run), clean)
    assert read(server.uri, "clean") == found


def test_a_server_that_refuses_is_quoted(report: Report, run: Path, tmp_path: Path):
    """An experiment that was deleted there: which, and what to do."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=str(tmp_path / "mlruns"))
    client.delete_experiment(client.create_experiment("gone"))
    with pytest.raises(
        SendingFailed,
        match=r"'gone' was deleted there; restore it, or name another with MLFLOW_EXPERIMENT_NAME",
    ):
        mlflow.send(report, files(run), Target(str(tmp_path / "mlruns"), "gone"))


def test_a_folder_that_is_gone_is_told(report: Report, run: Path, tmp_path: Path):
    """MLflow remembers having made it, and raises an Exception of no other type."""
    target = Target(str(tmp_path / "mlruns"), "runs")
    mlflow.send(report, files(run), target)
    shutil.rmtree(tmp_path / "mlruns")
    with pytest.raises(SendingFailed, match="does not exist"):
        mlflow.send(report, files(run), target)


def test_a_broken_experiment_of_others_is_not_our_concern(
    report: Report, run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """MLflow logs a traceback of it, which no user of ours can do anything about."""
    from mlflow import MlflowClient

    (tmp_path / "mlruns/another").mkdir(parents=True)
    assert "new" == mlflow.send(report, files(run), Target(str(tmp_path / "mlruns"), "runs")).begun
    assert [] == caplog.records
    MlflowClient(str(tmp_path / "mlruns")).get_experiment_by_name("nowhere")
    assert "Malformed experiment" in caplog.text  # so it would have been


def test_many_points_are_sent_in_batches(report: Report, tmp_path: Path):
    """More than one request takes: a long name of a metric, and thousands of points."""
    steps = tuple(range(1, 1201))
    long = dataclasses.replace(
        report.curves[0],
        term="x" * 400,
        steps=steps,
        middle=tuple(map(float, steps)),
        low=(),
        high=(),
        each=(),
    )
    target = Target(str(tmp_path / "mlruns"), "long")
    mlflow.send(
        dataclasses.replace(report, curves=(long,), stages=(), speed=(), quality=()), [], target
    )
    (curves,) = (one for part, one in read(target.uri, "long").items() if part != mlflow.WHOLE)
    ((key, points),) = curves.points.items()
    assert 1200 == len(points) and len(key) <= 250 and math.isclose(1200.0, float(points[-1][1]))
