"""The protocol's other end with workers that break it: small scripts stand for a worker, the
pipes and processes are real."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from harness.errors import JobFailed
from harness.execution import processes, verbs, worker_environment
from harness.execution.processes import Limits, WorkerProcess
from harness.execution.worker_environment import clean_environment

ENVIRON = clean_environment(os.environ)
LIMITS = Limits(request_s=10.0)
#: What every script begins with: `requests` to iterate over, `send` to answer with.
HEAD = """
import json, os, signal, sys, time
control, answers = (int(word) for word in sys.argv[1:])
requests = (json.loads(line) for line in os.fdopen(control))
def send(**answer): os.write(answers, json.dumps(answer).encode() + b"\\n")
"""
ECHO = """
for request in requests:
    print("got", request["verb"], flush=True)
    send(id=request["id"], status="ok", result=request)
"""


@pytest.fixture
def start(tmp_path: Path):
    """Start scripts as workers; all are ended with the test."""
    started: list[WorkerProcess] = []

    def make(script: str, limits: Limits = LIMITS, cold: bool = False) -> WorkerProcess:
        (tmp_path / "backends").mkdir(exist_ok=True)
        (tmp_path / "backends/__init__.py").touch()
        (tmp_path / "backends/worker.py").write_text(HEAD + script)
        started.append(
            WorkerProcess(
                Path(sys.executable), tmp_path, ENVIRON, tmp_path / "worker.log", limits, cold
            )
        )
        return started[-1]

    yield make
    for worker in started:
        worker.close()


def failure(worker: WorkerProcess, **arguments) -> JobFailed:
    """Return how a request fails; the worker's process must have ended."""
    with pytest.raises(JobFailed) as caught:
        worker.request("work", **arguments)
    return caught.value


@pytest.mark.parametrize(
    ("end", "cold"), [(WorkerProcess.close, False), (WorkerProcess.kill, True)]
)
def test_a_worker_leaves_no_temporary_files(
    start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end, cold: bool
) -> None:
    """A worker's temporary files are its own and go with it, however it ends; what inductor
    compiles outlives it unless it is cold."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "system"))
    (tmp_path / "system").mkdir()
    worker = start(
        """
import tempfile
kept = tempfile.NamedTemporaryFile(delete=False)
for request in requests:
    inductor = os.environ["TORCHINDUCTOR_CACHE_DIR"]
    send(id=request["id"], status="ok", result={"file": kept.name, "inductor": inductor})
""",
        cold=cold,
    )
    said = worker.request("where")
    scratch = Path(said["file"]).parent
    assert scratch.parent == tmp_path / "system" and Path(said["file"]).exists()
    assert Path(said["inductor"]).is_relative_to(scratch) == cold
    end(worker)
    assert list((tmp_path / "system").iterdir()) == []


def test_requests(start) -> None:
    """A worker answers in turn, lives between requests, and ends when its pipe closes; its
    chatter is in the log."""
    worker = start(ECHO)
    assert worker.request("first", value=1.5) == {"id": 1, "verb": "first", "value": 1.5}
    assert worker.request("second")["id"] == 2
    worker.close()
    assert worker.process.returncode == 0
    assert worker.log.read_text() == "got first\ngot second\n"


def test_several_workers_at_work(start, tmp_path: Path) -> None:
    """Each answers only when it has seen the other at work; asked one after the other, the first
    would wait forever."""
    meet = """
for request in requests:
    open(request["own"], "w").close()
    while not os.path.exists(request["other"]): time.sleep(0.01)
    send(id=request["id"], status="ok", result={"met": request["other"]})
"""
    workers = [start(meet), start(meet)]
    places = [str(tmp_path / "one"), str(tmp_path / "two")]
    for worker, own, other in zip(workers, places, places[::-1], strict=True):
        worker.send("work", own=own, other=other)
    assert places[::-1] == [worker.receive().plain["met"] for worker in workers]
    alone = start(meet)
    never = {"own": str(tmp_path / "three"), "other": str(tmp_path / "never")}
    assert "timeout" == failure(alone, timeout_s=0.5, **never).status


def test_large_request(start) -> None:
    """A request larger than a pipe's buffer arrives whole."""
    assert len(start(ECHO).request("work", text="x" * (1 << 20))["text"]) == 1 << 20


def test_answer_in_pieces(start) -> None:
    """An answer that arrives byte by byte is put together."""
    worker = start("""
for request in requests:
    answer = {"id": request["id"], "status": "ok", "result": {"whole": True}}
    for byte in json.dumps(answer).encode() + b"\\n":
        os.write(answers, bytes([byte]))
""")
    assert worker.request("work") == {"whole": True}


def test_status_of_the_worker(start) -> None:
    """A status other than ok becomes the error's, and the worker goes on."""
    worker = start("""
for request in requests:
    status = "unsupported" if request["id"] == 1 else "ok"
    send(id=request["id"], status=status, reason="no such precision", result={})
""")
    error = failure(worker)
    assert ("unsupported", "no such precision") == (error.status, error.reason)
    assert worker.alive and worker.request("work") == {}


@pytest.mark.parametrize(
    ("script", "status", "reason"),
    [
        (
            "next(requests); os.kill(os.getpid(), signal.SIGSEGV)",
            "crashed",
            "killed by SIGSEGV during 'work'",
        ),
        ("next(requests); os.kill(os.getpid(), 40)", "crashed", "signal 40"),
        (
            "next(requests); print('bye'); sys.exit(5)",
            "crashed",
            "exited with status 5 during 'work'; its log ends with: bye",
        ),
        ("sys.exit(0)", "crashed", "exited with status 0"),
        ("import nothing_of_this_name", "crashed", "ModuleNotFoundError"),
        (
            "next(requests); os.write(answers, b'not json\\n'); time.sleep(60)",
            "error",
            "is not JSON",
        ),
        ("next(requests); os.write(answers, b'[1]\\n'); time.sleep(60)", "error", "not an object"),
        (
            "next(requests); send(id=7, status='ok', result={}); time.sleep(60)",
            "error",
            "is one to request 7 instead of 1",
        ),
        ("next(requests); os.close(answers); time.sleep(60)", "error", "closed its pipe"),
        (
            "next(requests); os.write(answers, b'{\"id\": 1'); time.sleep(60)",
            "timeout",
            "no answer to 'work' within 1 s",
        ),
        ("time.sleep(60)", "timeout", "no answer to 'work' within 1 s"),
        (
            "signal.signal(signal.SIGTERM, signal.SIG_IGN); [None for _ in iter(int, 1)]",
            "timeout",
            "within 1 s",
        ),
    ],
)
def test_broken_protocol(start, script: str, status: str, reason: str) -> None:
    """Whatever a worker does instead of answering has a status and a reason, and nothing of it
    is left."""
    worker = start(script, Limits(request_s=1.0))
    error = failure(worker)
    assert status == error.status and reason in error.reason
    assert not worker.alive and not psutil.pid_exists(worker.process.pid)


def test_worker_that_does_not_read(start) -> None:
    """A request that the worker never takes off the pipe runs out of time too."""
    assert (
        failure(start("time.sleep(60)", Limits(request_s=0.5)), text="x" * (1 << 20)).status
        == "timeout"
    )


TELLS = (
    'next(requests); [(os.write(answers, b\'{"doing": "x"}\\n\'), time.sleep({each}))'
    " for _ in {times}]"
)
ANSWERS = "; send(id=1, status='ok', result={'tensors': [], 'files': {}}); time.sleep(60)"


def test_a_recording_may_be_long_and_not_silent(start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sign gives it its limit again; a request of another kind has one limit for all of it,
    and one that tells without end is ended."""
    script = TELLS.replace("{each}", "0.2").replace("{times}", "range(10)") + ANSWERS
    assert () == start(script, Limits(request_s=1.0)).request(verbs.RECORD).content.tensors
    assert "timeout" == failure(start(script, Limits(request_s=1.0))).status
    monkeypatch.setattr(processes, "MOST_SIGNS", 5)
    endless = TELLS.replace("{each}", "0.01").replace("{times}", "iter(int, 1)")
    with pytest.raises(JobFailed) as caught:
        start(endless, Limits(request_s=0.5)).request(verbs.RECORD)
    assert "no answer to 'record', nor a sign of it, within 0.5 s" in caught.value.reason


def test_time_limit_of_one_request(start) -> None:
    """One request can be given less time than the others."""
    told = failure(start("time.sleep(60)", Limits(request_s=60.0)), timeout_s=0.2).reason
    assert told == "no answer to 'work' within 0.2 s; --limit gives it longer"


def test_memory_of_the_tree(start) -> None:
    """What a worker's child takes counts as the worker's."""
    worker = start(
        """
next(requests)
if os.fork() == 0:
    held = bytearray(os.urandom(1 << 20)) * 200
time.sleep(60)
""",
        Limits(request_s=20.0, memory_bytes=120 << 20),
    )
    assert failure(worker).status == "out of memory"
    assert worker.peak_bytes > 120 << 20


def test_group_is_killed(start) -> None:
    """A worker's children end with it, also when it ended politely."""
    worker = start("""
request = next(requests)
child = os.fork()
if child == 0:
    time.sleep(60)
send(id=request["id"], status="ok", result={"child": child})
next(requests, None)
os._exit(0)
""")
    child = psutil.Process(worker.request("work")["child"])
    worker.close()
    gone, alive = psutil.wait_procs([child], timeout=5)
    assert alive == [] and len(gone) == 1


def test_interpreter_that_cannot_start(tmp_path: Path) -> None:
    """An interpreter that is not there is a job's error, and leaks no pipe."""
    before = psutil.Process().num_fds()
    with pytest.raises(JobFailed, match="cannot start") as caught:
        WorkerProcess(tmp_path / "none", tmp_path, ENVIRON, tmp_path / "log", Limits())
    assert caught.value.status == "error" and psutil.Process().num_fds() == before


def test_no_pipe_is_leaked(start) -> None:
    """However a worker ends, its pipes are closed, once."""
    before = psutil.Process().num_fds()
    for script in (ECHO, "sys.exit(1)"):
        worker = start(script)
        worker.kill()
        worker.close()
    assert psutil.Process().num_fds() == before


def test_ending_after_interrupt(start) -> None:
    """An interrupt ends all workers of a block at once."""
    workers = [start(ECHO), start("time.sleep(60)")]
    with pytest.raises(KeyboardInterrupt), processes.ending(workers):
        raise KeyboardInterrupt
    assert [worker.process.returncode for worker in workers] == [-signal.SIGKILL] * 2


def test_environment() -> None:
    """Nothing that leads to the harness's own packages reaches a worker."""
    given = dict.fromkeys(worker_environment.PRIVATE, "/ours") | {"HOME": "/home/me"}
    assert clean_environment(given, MORE="1") == {
        "HOME": "/home/me",
        "PYTHONNOUSERSITE": "1",
        "MORE": "1",
    }


def test_run_logged(tmp_path: Path) -> None:
    """A command's output is appended to its log; one that takes too long is killed."""
    log = tmp_path / "logs/command.log"
    for status in (0, 3):
        script = f"print('out'); raise SystemExit({status})"
        assert (
            processes.run_logged(
                [sys.executable, "-c", script], cwd=tmp_path, env=ENVIRON, log=log, timeout_s=10
            )
            == status
        )
    assert log.read_text() == "out\nout\n"
    with pytest.raises(JobFailed, match=r"longer than 0 s.*command\.log") as caught:
        processes.run_logged(["sleep", "60"], cwd=tmp_path, env=ENVIRON, log=log, timeout_s=0.2)
    assert caught.value.status == "timeout"


def test_capture() -> None:
    """A short command gives its status and output; what cannot start or end has a status as a
    shell gives it."""
    assert processes.capture([sys.executable, "-c", "print(5)"], env=ENVIRON, timeout_s=10) == (
        0,
        "5\n",
    )
    assert processes.capture(["/nowhere/python"], env=ENVIRON, timeout_s=10)[0] == 127
    assert processes.capture(["sleep", "60"], env=ENVIRON, timeout_s=0.2) == (124, "")
