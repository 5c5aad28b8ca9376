"""Starts a command as a user does, strikes it at a moment, and looks for what outlives it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

MARK = "KILLS_SCRATCH"
#: How a command is struck, and how often: it alone, one of its workers, or politely its group.
STRIKES = {"kill": 6, "worker": 2, "terminate": 1, "interrupt": 1}
POLITE = {"terminate": signal.SIGTERM, "interrupt": signal.SIGINT}


@dataclasses.dataclass(frozen=True)
class Patience:
    """How long something is waited for, seconds.

    Attributes:
        longest_s: a command by itself. asked_s: one that was asked to end.
        orphans_s: what is still there when its command has ended.
    """

    longest_s: float = 900.0
    asked_s: float = 60.0
    orphans_s: float = 10.0


USUAL = Patience()


@dataclasses.dataclass(frozen=True)
class Strike:
    """One strike.

    Attributes:
        kind: one of `STRIKES`. after_s: how long after the start. writing: not then, but as soon
            after that as a temporary file is seen.
    """

    kind: str
    after_s: float
    writing: bool = False


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a command has ended: its exit code, what it said, and whether it was struck before it
    ended by itself; `stuck` if it did not end, or took no notice of a polite signal."""

    code: int
    err: str
    struck: bool = False
    stuck: bool = False


def drawn(rng: random.Random, usual_s: float) -> Strike:
    """Draw a strike at a command that usually takes so long."""
    kind = rng.choices(list(STRIKES), list(STRIKES.values()))[0]
    return Strike(kind, rng.uniform(0.0, 1.05 * usual_s), rng.random() < 0.25)


def run(
    argv: Sequence[str],
    scratch: Path,
    environ: Mapping[str, str],
    strike: Strike | None,
    patience: Patience = USUAL,
) -> Ended:
    """Run a command in a folder; strike it unless it ends before. One that never ends is `stuck`,
    and killed."""
    said = scratch.with_name(f"{scratch.name}.said")
    with said.open("wb") as sink:
        process = subprocess.Popen(
            argv,
            cwd=scratch,
            env={**environ, MARK: str(scratch)},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            # Started in the background it would ignore SIGINT. This process has one thread.
            preexec_fn=_heed_interrupts,  # noqa: PLW1509
        )
    try:
        struck = strike is not None and _strike(process, scratch, strike)
        polite = struck and strike is not None and strike.kind in POLITE
        stuck = False
        try:
            process.wait(patience.asked_s if polite else patience.longest_s)
        except subprocess.TimeoutExpired:
            stuck = True
    finally:
        process.kill()  # nothing, if it has ended
        code = process.wait()
    return Ended(code, said.read_text(encoding="utf-8", errors="replace"), struck, stuck)


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _strike(process: subprocess.Popen[bytes], scratch: Path, strike: Strike) -> bool:
    """Strike at the moment; whether the command was still there."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(strike.after_s)
    while strike.writing and process.poll() is None and not _writing(scratch):
        time.sleep(0.002)
    if process.poll() is not None:
        return False
    if strike.kind in POLITE:
        os.killpg(process.pid, POLITE[strike.kind])
    elif strike.kind == "worker":
        _strike_worker(process.pid)
    else:
        process.kill()
    return True


def _strike_worker(number: int) -> None:
    """Kill one of the command's workers; where it has none, nothing happens."""
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(number).children(recursive=True):
            if ["-m", "backends.worker"] == child.cmdline()[1:3]:  # its keeper names it too
                child.kill()
                return


def _writing(scratch: Path) -> bool:
    """Whether a file is being written."""
    return any(name.endswith(".tmp") for _, _, names in os.walk(scratch) for name in names)


def carrying(scratch: Path) -> Iterator[psutil.Process]:
    """Yield the living processes that carry a folder's path in their environment or command."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            words = [*process.cmdline(), *process.environ().values()]
            if any(str(scratch) in word for word in words):
                yield process


def orphans(scratch: Path, patience_s: float) -> list[str]:
    """Return the command lines of what is still alive after a while; it is ended then."""
    deadline = time.monotonic() + patience_s
    while True:
        alive = list(carrying(scratch))
        if not alive or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    lines = []
    for process in alive:
        with contextlib.suppress(psutil.Error):
            lines.append(" ".join(process.cmdline())[:200])
            process.kill()
    return lines
