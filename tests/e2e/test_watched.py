"""A real comparison under Python's audit hook, in the orchestrator and in its workers: nobody uses
the network, the processes are those that SECURITY.md names, and so is what is in its folder."""

from __future__ import annotations

import collections
import dataclasses
import itertools
import json
import socket
import subprocess
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.records import archives
from harness.workloads import registry
from tests.e2e.conftest import HOSTILE, MARK, ROOT, Harness, Running

#: Imported by every interpreter of the environment before anything else.
WATCHING = """
import json, os, sys
STARTS = "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system", "pty."
def watch(event, args):
    if event.startswith(("socket.", *STARTS)):
        if event in ("socket.__new__", "socket.gethostname"):
            return
        words = args[1] if event == "subprocess.Popen" else repr(args)
        words = words if isinstance(words, str) else [os.fspath(word) for word in words]
        with open(LOG, "a") as file:
            file.write(json.dumps({"event": event, "words": words, "by": os.getpid()}) + "\\n")
sys.addaudithook(watch)
"""
PASSED, SECRET = "MY_DATA", "MY_UNNAMED"


@dataclasses.dataclass
class Watched:
    """An interpreter that tells what it does: `python`, of an environment that writes `log`."""

    python: Path
    log: Path

    def events(self) -> list[dict[str, Any]]:
        """Return what has been done so far."""
        text = self.log.read_text(encoding="utf-8") if self.log.exists() else ""
        return [json.loads(line) for line in text.splitlines()]


@dataclasses.dataclass
class Compared:
    """A comparison that has ended: its own process, all that was done, and its run's folder."""

    pid: int
    events: list[dict[str, Any]]
    run: Path


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """An environment with the packages of this one."""
    folder = tmp_path_factory.mktemp("watched")
    venv.create(folder / "venv", symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    packages = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "watching.py").write_text(
        f"LOG = {str(folder / 'log')!r}\n{WATCHING}", encoding="utf-8"
    )
    lines = [*sorted(packages), "import watching"]
    (site / "watching.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Watched(folder / "venv/bin/python", folder / "log")


@pytest.fixture(scope="module")
def compared(watched: Watched, new_harness: Callable[[], Harness]) -> Compared:
    """A comparison of three sides, one of which departs and one of which crashes."""
    harness = new_harness()
    environ = {**harness.environ, PASSED: "its value", SECRET: "its value", "OMP_NUM_THREADS": "1"}
    words = harness.compare("", "promotes", "segfault", options=("--no-speed", "--pass-env"))
    at = words.index("--backends")
    words = (*words[:at], PASSED, *words[at:])
    argv = [str(watched.python), "-m", "harness.cli", *map(str, words)]
    harness.started.append(Running(argv, harness.folder, environ))
    done = harness.started[-1].done()
    assert "Not the same model" in done.out, done.err
    (run,) = harness.folder.glob("reports/*/run.json")
    return Compared(harness.started[-1].process.pid, watched.events(), run.parent)


def test_a_comparison_asks_no_other_machine(compared: Compared):
    """Neither the orchestrator nor a worker touches a socket."""
    assert [] == [item for item in compared.events if item["event"].startswith("socket.")]


def test_a_connection_is_seen(watched: Watched):
    """Planted: by the interpreter that the orchestrator and the workers had."""
    before = len(watched.events())
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        text = f"import socket; socket.create_connection({address!r})"
        subprocess.run([watched.python, "-c", text], check=True, timeout=60)
    assert "socket.connect" in {item["event"] for item in watched.events()[before:]}


def test_the_processes_of_a_comparison_are_those_of_the_page(compared: Compared, watched: Watched):
    """Keepers with workers behind them, interpreters that are asked what they have, and git; each
    from a list of words, and nothing by any other way."""
    kinds = collections.Counter()
    own = [item for item in compared.events if item["by"] == compared.pid]
    for before, item in itertools.pairwise([{"event": "", "words": []}, *own]):
        if item["event"] == "os.posix_spawn":  # how Python's Popen starts it, from 3.13 on
            assert "subprocess.Popen" == before["event"], item
            assert all(repr(word) in item["words"] for word in before["words"][1:]), item
        else:
            assert ("subprocess.Popen", list) == (item["event"], type(item["words"])), item
            program, *words = item["words"]
            kinds[_kind(program, words, str(watched.python))] += 1
    assert {"keeper of a worker", "interpreter", "git"} == {*kinds}, kinds
    assert kinds["keeper of a worker"] >= 3


def _kind(program: str, words: list[str], python: str) -> str:
    """Return which of the page's processes this is, or all its words."""
    if program == python and words[:3] == ["-I", "-S", "-E"]:
        assert str(ROOT / "harness/execution/keeper.py") == words[3]
        assert [python, "-m", "backends.worker"] == words[7:10]
        return "keeper of a worker"
    if program == python and words[:2] == ["-I", "-c"] and "platform.python_version()" in words[2]:
        return "interpreter"
    if program == "git" and "describe" in words:
        return "git"
    return " ".join([program, *words])


def test_a_report_holds_what_the_page_says(compared: Compared, watched: Watched):
    """The command, paths, versions, the system, what crashed, and variables of the fixed list;
    names of variables that were passed on, and no value of these or of others."""
    document = json.loads((compared.run / "report.json").read_text(encoding="utf-8"))
    assert f"--pass-env HOSTILE_GATE {MARK}" in document["command"]
    assert document["command"].startswith("harness compare --ports ")
    build = document["builds"][0]
    assert build["versions"] and build["platform"] and build["effective"]["cores"]
    assert str(HOSTILE) in document["command"] and str(HOSTILE) in build["port"]["hostile"]
    assert build["origin"] == "the harness's own interpreter"
    assert build["effective"]["environment"]["OMP_NUM_THREADS"] == "1"
    assert any("SIGSEGV" in row["reason"] for row in document["jobs"])
    for path in compared.run.glob("report.*"):
        text = path.read_text(encoding="utf-8")
        assert "its value" not in text and SECRET not in text, path
        assert PASSED in text or path.suffix == ".xml"


def test_a_run_that_did_not_pass_keeps_the_data(compared: Compared):
    """As they are, for whoever opens the folder."""
    (path,) = (compared.run / "tapes").glob("data-*.npz")
    workload = registry.get("hostile", [HOSTILE])
    data = workload.data(workload.hyperparameters("tiny"))
    kept = archives.read_arrays(path)
    assert {*data} <= {*kept} and all(np.array_equal(data[name], kept[name]) for name in data)


def test_when_the_data_stay(harness: Harness):
    """Not after a comparison that passed; with `--keep` they do, and after `harness run`."""
    for name, words in (
        ("passed", harness.compare("", "")),
        ("kept", harness.compare("", "", options=("--no-speed", "--keep"))),
        ("ran", ("run", *harness.compare("", options=())[1:])),
    ):
        done = harness.run(*words, "--reports", name)
        assert done.code == 0, done.err
        (log, *_) = harness.folder.glob(f"{name}/*/jobs/*/worker.log")
        assert log.is_file()
        assert (name != "passed") == bool([*harness.folder.glob(f"{name}/*/tapes/data-*.npz")])
