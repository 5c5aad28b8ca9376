"""One trial: a command is struck once or more often, goes on each time, and ends at last."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import random
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.nightly.agenda import MOST_KILLED
from tests.evaluation.kills import leftovers, striking
from tests.evaluation.kills.commands import Command

#: What must never be; each is counted.
FAULTS = ("lost", "repeated", "half-written", "orphans", "wrong ending", "temporary")
#: Of one trial.
MOST_STRIKES = 3


@dataclasses.dataclass
class Tally:
    """What was counted of one command.

    Attributes:
        strikes: by kind. trials: how many. late: it had ended before it was struck.
        refused: it would not go on before the user had cleared its place.
        scratch: temporary folders of workers that outlived all. faults: lines, by fault.
    """

    strikes: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    trials: int = 0
    late: int = 0
    refused: int = 0
    scratch: int = 0
    faults: dict[str, list[str]] = dataclasses.field(
        default_factory=lambda: {name: [] for name in FAULTS}
    )

    def clean(self) -> bool:
        """Whether nothing was found that must not be."""
        return not any(self.faults.values())


@dataclasses.dataclass(frozen=True)
class Usual:
    """What a command does when nobody strikes it.

    Attributes:
        folder: as it is before. code, verdict: how it ends. lasts_s: how long it takes.
    """

    folder: Path
    code: int
    verdict: Any
    lasts_s: float


@dataclasses.dataclass(frozen=True)
class Bench:
    """Where trials run, and how.

    Attributes:
        folder: of their own. environ: of commands. most_strikes: of one trial, at least one.
        patience: with what is struck. draw: returns a strike at a command that usually takes so
            many seconds.
    """

    folder: Path
    environ: Mapping[str, str]
    most_strikes: int = MOST_STRIKES
    patience: striking.Patience = striking.USUAL
    draw: Callable[[random.Random, float], striking.Strike] = striking.drawn

    def usual(self, command: Command) -> Usual:
        """Run what has to have run before, and the command once without a strike.

        Raises:
            RuntimeError: what has to have run before has failed.
        """
        start, ended = (self.folder / f"{command.name}-{word}" for word in ("start", "usual"))
        start.mkdir(parents=True)
        for name, text in command.files.items():
            (start / name).write_text(text, encoding="utf-8")
        for argv in command.before:
            done = striking.run(argv, start, self.environ, None, self.patience)
            if done.code:
                raise RuntimeError(f"{command.name} cannot be prepared: {done.err[-500:]}")
        shutil.copytree(start, ended)
        began = time.monotonic()
        done = striking.run(command.argv, ended, self.environ, None, self.patience)
        lasts_s = time.monotonic() - began
        return Usual(start, done.code, verdict(command, ended, done), lasts_s)

    def trial(self, command: Command, usual: Usual, rng: random.Random, tally: Tally) -> None:
        """Strike one or more times, let it end, and count."""
        tally.trials += 1
        scratch = self.folder / f"{command.name}-{tally.trials:04d}"
        shutil.copytree(usual.folder, scratch)
        temporary = scratch.with_name(f"{scratch.name}.tmpdir")
        temporary.mkdir()
        environ = {**self.environ, "TMPDIR": str(temporary)}
        before = leftovers.finished(scratch)
        argv = command.argv
        for number in range(rng.randint(1, self.most_strikes)):
            strike = self.draw(rng, usual.lasts_s)
            done = striking.run(argv, scratch, environ, strike, self.patience)
            self._look(scratch, before, tally, done)
            before = {**before, **leftovers.finished(scratch)}
            resumes = command.begun is None or (scratch / command.begun).exists()
            argv = (command.again if resumes else None) or command.argv
            if strike.kind == "worker" or number + 1 >= MOST_KILLED:
                argv = command.retried or argv
            if not done.struck:
                tally.late += 1
                break
            tally.strikes[strike.kind] += 1
            self._clear(command, scratch, tally)
        else:
            done = striking.run(argv, scratch, environ, None, self.patience)
            self._look(scratch, before, tally, done)
        if command.takes_over:  # else the runs that were struck are abandoned, as they are
            tally.faults["temporary"] += leftovers.temporary(scratch)
        tally.faults["lost"] += leftovers.lost(scratch, before, command.takes_over)
        tally.scratch += sum(1 for _ in temporary.iterdir())
        said = verdict(command, scratch, done)
        if (done.code, said) != (usual.code, usual.verdict):
            what = f"{command.name}: {done.code} instead of {usual.code}, {str(said)[:200]}"
            tally.faults["wrong ending"].append(f"{what}: {done.err[-300:]}")
        if tally.clean():
            shutil.rmtree(scratch)
        shutil.rmtree(temporary, ignore_errors=True)

    def _look(
        self, scratch: Path, before: leftovers.Jobs, tally: Tally, done: striking.Ended
    ) -> None:
        """Look at what is there after a strike."""
        tally.faults["orphans"] += striking.orphans(scratch, self.patience.orphans_s)
        tally.faults["half-written"] += leftovers.damaged(scratch)
        tally.faults["repeated"] += leftovers.repeated(scratch, before)
        if done.stuck:
            tally.faults["wrong ending"].append("it did not end")
        if "Traceback" in done.err and "harness/cli/__main__" in done.err:
            tally.faults["wrong ending"].append(f"a traceback: {done.err[-600:]}")

    def _clear(self, command: Command, scratch: Path, tally: Tally) -> None:
        """Get rid of what the command would refuse, as its message tells the user to."""
        if command.clears is None or not (scratch / command.clears.parent).exists():
            return
        if any((scratch / command.clears.parent).iterdir()):
            tally.refused += 1
        shutil.rmtree(scratch / command.clears.parent)


def verdict(command: Command, scratch: Path, done: striking.Ended) -> Any:
    """Return what a folder says in the end, or why it says nothing."""
    with contextlib.suppress(Exception):
        return command.verdict(scratch)
    return f"nothing can be read: {done.err[-300:]}"


def table(tallies: Mapping[str, Tally]) -> str:
    """Return a counted table, a line for each command."""
    titles = ["command", "trials", *striking.STRIKES, "(came too late)", *FAULTS]
    titles += ["(refused)", "(workers' folders left)"]
    lines = [f"| {' | '.join(titles)} |", f"|{' - |' * len(titles)}"]
    for name, tally in tallies.items():
        struck = [*(tally.strikes[kind] for kind in striking.STRIKES), tally.late]
        faults = [len(tally.faults[fault]) for fault in FAULTS]
        cells = [name, tally.trials, *struck, *faults, tally.refused, tally.scratch]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)
