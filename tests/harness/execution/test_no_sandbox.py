"""A worker is a process and no sandbox: what SECURITY.md says that nothing prevents, done by
one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from harness.execution.processes import Limits, WorkerProcess
from harness.execution.worker_environment import clean_environment
from tests.harness.execution.test_processes import HEAD

REACHES = """
import socket
request = next(requests)
seen = {"uid": os.getuid(), "file": open(request["file"]).read()}
open(request["file"] + ".written", "w").close()
with socket.create_connection(("127.0.0.1", request["port"]), timeout=10) as line:
    line.sendall(b"hello")
if os.path.exists("/proc/self/environ"):
    seen["environment"] = open("/proc/%d/environ" % request["pid"]).read()
    seen["harness"] = open("/proc/%d/environ" % request["harness"], errors="replace").read()
os.kill(request["pid"], signal.SIGTERM)
send(id=request["id"], status="ok", result=seen)
"""


@pytest.fixture
def worker(tmp_path: Path):
    """A worker whose port is after whatever it can reach."""
    folder = tmp_path / "staged"
    (folder / "backends").mkdir(parents=True)
    (folder / "backends/__init__.py").touch()
    (folder / "backends/worker.py").write_text(HEAD + REACHES)
    environ, log = clean_environment(os.environ), tmp_path / "log"
    with WorkerProcess(Path(sys.executable), folder, environ, log, Limits(20.0)) as made:
        yield made


def test_a_worker_reaches_files_network_and_processes(worker: WorkerProcess, tmp_path: Path):
    """With the user's own rights: a file that is not its own, a server, and another process, whose
    environment has the secret that its own was spared; and so may the harness's own."""
    secret = tmp_path / "secret"
    secret.write_text("of patients")
    other = [sys.executable, "-c", "input()"]
    environ = {**os.environ, "MY_TOKEN": "s3cret"}
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        subprocess.Popen(other, stdin=subprocess.PIPE, env=environ) as process,
    ):
        port = server.getsockname()[1]
        asked_for = {"file": str(secret), "port": port, "pid": process.pid}
        seen = worker.request("reach", **asked_for, harness=os.getpid())
        with server.accept()[0] as line:
            assert b"hello" == line.recv(10)
        assert -15 == process.wait(timeout=10)
    assert (os.getuid(), "of patients") == (seen["uid"], seen["file"])
    assert (tmp_path / "secret.written").exists()
    assert "MY_TOKEN=s3cret" in seen.get("environment", "MY_TOKEN=s3cret")
    own = Path("/proc/self/environ")
    assert not own.exists() or own.read_text(errors="replace") == seen["harness"]
