"""The commands that write, as they are typed, and what their folder says in the end."""

from __future__ import annotations

import csv
import dataclasses
import json
import sqlite3
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from harness.models import training

Words = tuple[str, ...]
CLI: Words = (sys.executable, "-m", "harness.cli")
NIGHT = """\
[night]
budget_s = 600
limit_s = 120
[[matrix]]
name = "function"
priority = 30
workloads = ["linear"]
builds = ["numpy", "numpy"]
precisions = ["fp64", "fp32"]
presets = ["tiny"]
judge = ["fidelity"]
"""


@dataclasses.dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        name: as `--only` takes it. argv: as it is run first.
        verdict: what its folder says in the end, the same whenever it ends well.
        again: as it is run after a strike; None where that is the same.
        retried: as it is run where a night has given a cell up: after one of its workers was
            killed, or the harness for the second time; None where that is as `again`.
        begun: what has to be there for `again` to have anything to go on with; else `argv` is run.
        before: what has to have run before, in turn. files: what has to lie there, by name.
        clears: of a folder that a strike has left without this file, and that the command refuses,
            the user has to get rid. takes_over: it goes on with what was finished.
    """

    name: str
    argv: Words
    verdict: Callable[[Path], Any]
    again: Words | None = None
    retried: Words | None = None
    begun: Path | None = None
    before: tuple[Words, ...] = ()
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    clears: Path | None = None
    takes_over: bool = True


def told(value: Any) -> list[str]:
    """Return what a report says, in order; of speed, which is never twice the same, nothing."""
    if isinstance(value, list):
        return [word for item in value for word in told(item)]
    if not isinstance(value, dict):
        return []
    words = [f"{key} {value[key]}" for key in ("verdict", "status", "exit_code") if key in value]
    for key in sorted(value):
        if key not in ("speed", "price"):
            words += told(value[key])
    return words


def newest(scratch: Path, pattern: str) -> list[str]:
    """Return what the newest report says."""
    paths = sorted(scratch.glob(pattern), key=lambda path: path.stat().st_mtime_ns)
    return told(json.loads(paths[-1].read_text())) if paths else ["nothing"]


def distinct(scratch: Path, pattern: str) -> list[str]:
    """Return the different words of what the newest report says: how many rounds there were is the
    machine's affair."""
    return sorted({*newest(scratch, pattern)})


def _statuses(scratch: Path) -> list[str]:
    paths = sorted(scratch.glob("reports/*/run.json"), key=lambda path: path.stat().st_mtime_ns)
    jobs = sorted(paths[-1].parent.glob("jobs/*/manifest.json")) if paths else []
    return [f"{path.parent.name} {json.loads(path.read_text())['status']}" for path in jobs]


def _model(scratch: Path) -> list[Any]:
    model = training.checked(scratch / "model")
    with (scratch / "model" / training.LOSSES).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [model.step, model.saving, [(int(step), name) for step, name, _ in rows]]


def _converted(scratch: Path) -> list[Any]:
    model = training.checked(scratch / "converted")
    return [model.build, model.step, model.converted.build]


def _generated(scratch: Path) -> list[Any]:
    with np.load(scratch / "generated.npz", allow_pickle=False) as archive:
        return [(name, archive[name].tobytes()) for name in archive.files]


def _history(scratch: Path) -> list[Any]:
    connection = sqlite3.connect(scratch / "history.sqlite")
    try:
        listed = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = sorted(name for (name,) in listed.fetchall())
        counts = [connection.execute(f'SELECT count(*) FROM "{name}"') for name in names]
        return [(name, rows.fetchone()[0]) for name, rows in zip(names, counts, strict=True)]
    finally:
        connection.close()


def commands(pythons: Words) -> list[Command]:
    """Return all of them; `pythons`: what `--python` is given."""
    sides: Words = ("--backends", "numpy", "numpy", "--workloads", "linear")
    compare: Words = (*CLI, "compare", *sides)
    fidelity: Words = (*compare, "--no-speed", "--precision", "fp64", "fp32")
    speed: Words = (*compare, "--precision", "fp64", "--budget", "0", "--threads", "1")
    record: Words = (*CLI, "run", *sides[:2], *sides[3:], "--precision", "fp64")
    repeat: Words = (*CLI, "repeat", *sides[:2], *sides[3:], "--precision", "fp64", "--no-speed")
    named: Words = ("--python", *pythons) if pythons else ()
    train: Words = (*CLI, "train", "linear", "--build", "torch", "--out", "model", *named)
    begun: Words = (*train, "--steps", "400")
    generate: Words = (*CLI, "generate", "model", "--rows", "64", *named)
    convert: Words = (*CLI, "convert", "model", "--to", "tf2", "--out", "converted", *named)
    night: Words = (*CLI, "nightly", "--config", "night.toml", "--date", "2026-01-01")
    report, added = "reports/*/report.json", (*CLI, "history", "add", "--history", "history.sqlite")
    return [
        Command("compare", fidelity, lambda at: newest(at, report), (*fidelity, "--resume")),
        Command("speed", speed, lambda at: distinct(at, report), (*speed, "--resume")),
        Command("run", record, _statuses, (*record, "--resume")),
        Command("repeat", repeat, lambda at: newest(at, "reports/*/repeat.json"), takes_over=False),
        Command(
            "nightly",
            night,
            lambda at: newest(at, "reports/nightly/*/night.json"),
            retried=(*night, "--only", "function-linear"),
            files={"night.toml": NIGHT},
        ),
        Command("train", begun, _model, (*begun, "--resume"), begun=Path("model")),
        Command("train-on", (*train, "--steps", "800", "--resume"), _model, before=(begun,)),
        Command("generate", generate, _generated, before=(begun,)),
        Command(
            "convert", convert, _converted, before=(begun,), clears=Path("converted/model.json")
        ),
        Command("history", (*added, "reports"), _history, before=(fidelity, fidelity)),
    ]
