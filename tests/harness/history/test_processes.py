"""Several processes write one history, and any of them is killed at any moment: nothing that was
told to be on disk is missing."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.history import open_history

WRITER = [sys.executable, str(Path(__file__).with_name("writer.py"))]
TIMEOUT_S = 240.0
PROCESSES, EACH = 4, 6
KILLS = 50
#: Every so many kills the file is a new one, so that some fall into its making.
FRESH = 5


def test_several_processes_write_at_once(path: Path, sample):
    """They make the file together, add runs of their own and one that all have; a reader only
    ever sees whole runs."""
    firsts = [1 + number * EACH for number in range(PROCESSES)]
    path.parent.mkdir()
    running = [
        subprocess.Popen(
            [*WRITER, str(path), first, count],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for first, count in [*((str(first), str(EACH)) for first in firsts), *[("0", "1")] * 2]
    ]
    with open_history(path) as history:
        a_run = len(sample.report().stages)
        while any(process.poll() is None for process in running):
            with history._database.reading() as connection:
                runs, stages = (
                    connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
                    for table in ("runs", "stages")
                )
            assert stages == a_run * runs
        assert [(0, "")] * len(running) == [
            (process.returncode, process.stderr.read()) for process in running
        ]
        for process in running:
            process.communicate()
        assert 1 + PROCESSES * EACH == history.count()["runs"]
        assert [] == history.faults()


class Server:
    """The process that forks writers, and the lines that they print."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            WRITER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self.rest = b""
        self.early: list[str] = []

    def start(self, path: Path, first: int) -> int:
        """Let a writer begin; return its process id."""
        self.process.stdin.write(f"{path} {first}\n".encode())
        line, *self.early = self.lines(until=bool)
        return int(line.removeprefix("pid "))

    def lines(self, until=lambda found: False, seconds: float = TIMEOUT_S) -> list[str]:
        """Return what is printed until a condition holds or the time is over."""
        found, self.early = self.early, []
        deadline = time.monotonic() + seconds
        while not until(found) and (left := deadline - time.monotonic()) > 0:
            if select.select([self.process.stdout], [], [], left)[0]:
                *whole, self.rest = (
                    self.rest + os.read(self.process.stdout.fileno(), 1 << 16)
                ).split(b"\n")
                found += [line.decode() for line in whole]
        return found


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.process.stdin.close()
    made.process.wait(timeout=TIMEOUT_S)
    made.process.stdout.close()


def wrong(path: Path, told: set[int], sample) -> list[str]:
    """Return what a history lacks of the runs that were told to be in it, which of its runs are not
    whole, and SQLite's own findings.

    Runs that are there are added to `told`.
    """
    made = sample.report()
    rows = {
        "stages": len(made.stages),
        "speed": len(made.speed),
        "jobs": len(made.jobs),
        "builds": len(made.builds),
    }
    with open_history(path) as history:
        stored = {
            round((run.created_s - sample.BEGAN.timestamp()) / 86400) for run in history.runs()
        }
        counts, found = history.count(), history.faults()
    found += [f"run {number} is missing" for number in sorted(told - stored)]
    found += [
        f"{counts[name]} rows of {name} for {len(stored)} runs"
        for name in rows
        if counts[name] != rows[name] * len(stored)
    ]
    told |= stored
    return found


def test_a_writer_is_killed_at_fifty_random_moments(tmp_path: Path, server: Server, sample):
    """Every run that was reported as added is there, each run that is there is whole, and SQLite
    finds nothing wrong."""
    draw = random.Random(20261121)
    started = time.monotonic()
    child = server.start(tmp_path / "measured.sqlite", 0)
    server.lines(until=lambda found: len(found) >= 3)
    typical_s = (time.monotonic() - started) / 3
    os.kill(child, signal.SIGKILL)
    server.lines(until=lambda found: "ended" in found)
    told: set[int] = set()
    path = tmp_path
    for number in range(KILLS):
        if number % FRESH == 0:
            path, told = tmp_path / f"{number}.sqlite", set()
        child = server.start(path, 1000 * number)
        lines = server.lines(seconds=draw.uniform(0.0, 2.0 * typical_s))
        os.kill(child, signal.SIGKILL)
        lines += server.lines(until=lambda found: "ended" in found)
        told |= {int(line) for line in lines if line.isdecimal()}
        assert [] == wrong(
            path, told, sample
        )  # which adds what is there to `told`: that stays, whoever is killed later
    assert told


#: Writers with a fault; each kills itself in the middle of adding run 0.
FAULTS = {
    # tells of the run before the end of its transaction
    "early": (
        (
            "ingest.add(connection, made, found, origin); print(0, flush=True);"
            " os.kill(os.getpid(), signal.SIGKILL)"
        ),
        "run 0 is missing",
    ),
    # has no transaction: everything is on disk at once, and the run only half there
    "autocommit": (
        (
            "connection.exec_driver_sql('COMMIT'); insertion._insert_builds = lambda *_:"
            " os.kill(os.getpid(), signal.SIGKILL); ingest.add(connection, made, found, origin)"
        ),
        "0 rows of builds for 1 runs",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_writer_with_a_fault_is_found_out(path: Path, sample, fault: str):
    """The check after each kill can fail: it sees a run that was told too early, and one that is
    not whole."""
    deed, finding = FAULTS[fault]
    program = (
        "import os, signal, sys; from pathlib import Path; sys.path.insert(0, sys.argv[2]); import"
        " sample\nfrom harness.history import evidence, ingest, insertion, open_history\nmade ="
        " sample.report(); found = evidence.gather(made, None); origin = ingest.Origin('',"
        " '2026-11-01', 0.0)\nwith open_history(Path(sys.argv[1]))._database.writing() as"
        f" connection:\n    {deed}\n"
    )
    words = [sys.executable, "-c", program, str(path), str(Path(__file__).parent)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert -signal.SIGKILL == done.returncode, done.stderr
    assert finding in wrong(path, {int(line) for line in done.stdout.split()}, sample)
