"""The command line as a user runs it: a process of its own, in a folder of its own, with workers
that can be told from others."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).parents[2]
HOSTILE = Path(__file__).parent / "hostile"
MARK = "PARITY_TEST_MARK"
TIMEOUT_S = 120.0


@dataclasses.dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


def wait_until(condition: Callable[[], Any], what: str, timeout_s: float = 30.0) -> None:
    """Poll until a condition holds; fail the test at the deadline."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {timeout_s:g} s"
        time.sleep(0.02)


class Running:
    """A command that is running, its output in files."""

    def __init__(self, argv: Sequence[str], cwd: Path, environ: dict[str, str]) -> None:
        self.out, self.err = (cwd / f"{uuid.uuid4().hex[:8]}.{kind}" for kind in ("out", "err"))
        with self.out.open("wb") as out, self.err.open("wb") as err:
            # A test run started in the background inherits an ignored SIGINT; a person at a
            # terminal does not.
            self.process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                # This process has one thread.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
            )

    def says(self, text: str, timeout_s: float = 30.0) -> None:
        """Wait until a line of progress has this text."""
        wait_until(
            lambda: text in self.err.read_text() or self.process.poll() is not None,
            f"'{text}' on stderr",
            timeout_s,
        )
        assert text in self.err.read_text()

    def kill(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def done(self, timeout_s: float = TIMEOUT_S) -> Done:
        """Wait for the end."""
        code = self.process.wait(timeout=timeout_s)
        return Done(code, self.out.read_text(), self.err.read_text())


class Harness:
    """Starts `harness` commands in one folder.

    Attributes:
        folder: the working directory. gate: while this file exists, the port `stuck` is stuck.
    """

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder, self.gate, self.mark = folder, folder / "gate", uuid.uuid4().hex
        self.environ = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "XDG_CACHE_HOME": str(cache),
            "COLUMNS": "1000",
            "HOSTILE_GATE": str(self.gate),
            MARK: self.mark,
        }
        self.started: list[Running] = []

    def start(self, *words: object, before: Sequence[str] = ()) -> Running:
        """Start a command; `before` is what the interpreter's command line begins with."""
        argv = [*before, sys.executable, "-m", "harness.cli", *map(str, words)]
        self.started.append(Running(argv, self.folder, self.environ))
        return self.started[-1]

    def run(self, *words: object, before: Sequence[str] = ()) -> Done:
        """Run a command to its end."""
        return self.start(*words, before=before).done()

    def compare(
        self, *faults: str, options: Sequence[object] = ("--no-speed",)
    ) -> tuple[object, ...]:
        """Return the words that compare ports of the workload `hostile`, each with its fault; ""
        is the honest port."""
        sides = [f"numpy@{HOSTILE / fault}" if fault else "numpy" for fault in faults]
        return (
            "compare",
            "--ports",
            HOSTILE,
            "--workloads",
            "hostile",
            "--precision",
            "fp64",
            "--pass-env",
            "HOSTILE_GATE",
            MARK,
            *options,
            "--backends",
            *sides,
        )

    def report(self) -> dict[str, Any]:
        """Return the JSON of the only run."""
        (path,) = self.folder.glob("reports/*/report.json")
        return dict(json.loads(path.read_text()))

    def processes(self) -> list[psutil.Process]:
        """Return all living processes that descend from this object's commands, wherever they
        have gone."""
        found = []
        for process in psutil.process_iter():
            try:
                if (
                    process.status() != psutil.STATUS_ZOMBIE
                    and process.environ().get(MARK) == self.mark
                ):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    wait_until = staticmethod(wait_until)

    def close(self) -> None:
        """End what a failed test has left."""
        for running in self.started:
            if running.process.poll() is None:
                running.process.kill()
                running.process.wait()
        for process in self.processes():
            process.kill()


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that all commands share, and no other program."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def harness(tmp_path: Path, cache: Path) -> Iterator[Harness]:
    """Commands in an empty folder; nothing of them outlives the test."""
    made = Harness(tmp_path, cache)
    yield made
    made.close()


@pytest.fixture(scope="module")
def new_harness(
    tmp_path_factory: pytest.TempPathFactory, cache: Path
) -> Iterator[Callable[[], Harness]]:
    """Make one for what the tests of a module share."""
    made: list[Harness] = []

    def make() -> Harness:
        made.append(Harness(tmp_path_factory.mktemp("shared"), cache))
        return made[-1]

    yield make
    for one in made:
        one.close()
