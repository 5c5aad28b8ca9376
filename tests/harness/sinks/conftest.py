"""A report with seeds, values that are not finite and hostile names, and a real MLflow server to
send it to."""

from __future__ import annotations

import dataclasses
import gc
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.report import json_format
from harness.results.model import Report
from harness.results.series import Curve
from tests.harness.report import sample

STEPS = (1, 5, 10)
START_S = 100.0
CURVES = tuple(
    Curve(
        "cnn",
        build,
        "fp32",
        "tiny",
        "native",
        term,
        2,
        STEPS,
        (1.0, 0.5, float("nan")),
        (1.5, 0.75, float("inf")),
        (2.0, 1.0, None),
        ((1.0, 0.5, float("nan")), (2.0, 1.0, float("inf"))),
        (11, 12),
    )
    for build in ("tf2", "torch@mine/ports [a]")
    for term in ("train/total", "train.total", "loss [x] y")
)
LONE = Curve(
    "cnn",
    "tf2",
    "fp64",
    "tiny",
    "lockstep",
    "train/total",
    1,
    STEPS,
    (),
    (3.0, 2.0, 1.0),
    (),
    (),
    (0,),
)
OLD = Curve(
    "linear",
    "tf2",
    "fp64",
    "tiny",
    "native",
    "train/total",
    8,
    STEPS,
    (3.0, 2.0, 1.0),
    (4.0, 3.0, 2.0),
    (5.0, 4.0, 3.0),
)


@pytest.fixture(scope="session")
def report() -> Report:
    """One of everything; the terms `train/total` and `train.total` would have one name."""
    return dataclasses.replace(sample.REPORT, curves=(*CURVES, LONE, OLD))


@pytest.fixture
def run(report: Report, tmp_path: Path) -> Path:
    """The report in a run's folder."""
    folder = tmp_path / "reports" / "2026-11-21_tf2-torch"
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json_format.to_json(report), encoding="utf-8")
    (folder / "report.md").write_text("# a report\n", encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """MLflow calls nobody, gives a server up at once, and what it leaves open is collected here
    and not in another test."""
    for name, value in (
        ("DISABLE_TELEMETRY", "true"),
        ("ALLOW_FILE_STORE", "true"),
        ("HTTP_REQUEST_MAX_RETRIES", "0"),
    ):
        monkeypatch.setenv(f"MLFLOW_{name}", value)
    yield
    gc.collect()


@dataclasses.dataclass
class Server:
    """An MLflow server in a process group of its own, on a database in a folder; it can be
    killed and started again."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        words = [
            sys.executable,
            "-m",
            "mlflow",
            "server",
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--workers",
            "1",
            "--backend-store-uri",
            f"sqlite:///{self.folder / 'mlflow.db'}",
            "--artifacts-destination",
            str(self.folder / "artifacts"),
        ]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                words,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={
                    **os.environ,
                    "MLFLOW_DISABLE_TELEMETRY": "true",
                    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
                },
            )
        end_s = time.monotonic() + START_S
        while not self._answers():
            assert self.process.poll() is None and time.monotonic() < end_s, (
                self.folder / "server.log"
            ).read_text(encoding="utf-8")
            time.sleep(0.2)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=5.0) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def kill(self) -> None:
        """End it as a power failure would."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


@pytest.fixture(scope="module")  # no longer: other tests look at what this process has started
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    found = Server(tmp_path_factory.mktemp("mlflow"), port)
    found.start()
    yield found
    found.kill()
