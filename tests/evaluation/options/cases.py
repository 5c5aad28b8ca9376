"""What is tried: every option and argument of every command, as the application itself lists them,
each with every bad or odd value.

A command's other options are such that nothing dear begins, whatever the value does: see `BASES`,
and `trying.stopped` for what stands behind it.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping

from cyclopts import App

from harness.cli import app

Options = Mapping[str, tuple[str, ...]]
TORCH = {"--backends": ("torch", "torch"), "--workloads": ("linear",)}
NUMPY = {"--backends": ("numpy",), "--workloads": ("linear",)}
HISTORY = {"--history": ("history.sqlite",)}
RUN = "run/report.json"
#: What else a command is given, by command; more than one where it has more than one way to go.
BASES: dict[tuple[str, ...], tuple[Options, ...]] = {
    ("bisect",): (
        {"--from": ("torch==2.4.0",), "--to": ("torch==2.4.1",), "--workload": ("linear",)},
    ),
    ("check",): ({"--pair": ("mine.py",)},),
    ("clean",): ({},),
    ("compare",): (TORCH, {**TORCH, "--dry-run": ()}, {"--pair": ("mine.py",)}),
    ("completion",): ({},),
    ("convert",): (
        {
            "--source": ("folder",),
            "--to": ("numpy",),
            "--out": ("converted",),
            "--from": ("tf1",),
            "--workload": ("linear",),
        },
        {"--source": ("model",), "--to": ("numpy",), "--out": ("converted",)},
    ),
    ("describe",): ({"--what": ("linear",)}, {"--what": ("mine.py",)}),
    ("diff",): ({"--before": (RUN,), "--after": (RUN,)},),
    ("doctor",): ({"--quick": ()},),
    ("generate",): ({"--model": ("model",)},),
    ("history",): (HISTORY,),
    ("history", "add"): ({"RUNS": ("run",), **HISTORY},),
    ("history", "export"): ({"--csv": ("rows.csv",), **HISTORY},),
    ("history", "page"): (HISTORY,),
    ("history", "series"): (HISTORY,),
    ("init",): ({"--name": ("fresh",)},),
    ("list",): ({},),
    ("map",): ({"--pair": ("mine.py",)},),
    ("merge",): ({"REPORTS": ("run", RUN), "--out": ("merged",)},),
    ("nightly",): (
        {"--config": ("night.toml",)},
        {"--config": ("night.toml",), "--dry-run": ()},
    ),
    ("report",): ({"--run": ("run",)}, {"--run": ("run",), "--format": ("json",)}),
    ("reference", "list"): ({},),
    ("reference", "record"): ({},),
    ("reference", "verify"): ({},),
    ("repeat",): (NUMPY,),
    ("run",): (TORCH,),
    ("selfcheck",): (NUMPY,),
    ("send",): ({"RUNS": ("run",), "--tensorboard": ("events",)},),
    ("train",): ({"--workload": ("linear",), "--out": ("made",)},),
}
#: The values, by what is odd about them. Paths are in the folder that `places.made` fills.
VALUES: dict[str, str] = {
    "empty": "",
    "spaces": "   ",
    "negative": "-1",
    "zero": "0",
    "one": "1",
    "half": "0.5",
    "above every number": "1e400",
    "nan": "nan",
    "10**23": str(10**23),
    "99999999999": "99999999999",
    "400 digits": "9" * 400,
    "5000 digits": "9" * 5000,
    "above": "../..",
    "not UTF-8": os.fsdecode(b"\xff\xfe\x80"),
    "not UTF-8, a pair": os.fsdecode(b"torch=\xff"),
    "very long": "x" * 10_000,
    "JSON": '{"a": [1, null]}',
    "dashes": "--",
    "a name": "linear",
    "a date": "2026-02-30",
    "unicode": "µ漢字\u202e🦀",
    "control characters": "\x1b[31mred\x07\r",
    "lines": "a\nb\tc",
    "a build": "torch",
    "a folder": "folder",
    "a file": "file",
    "below a file": "file/below",
    "a full disk": "full",
    "a FIFO": "fifo",
    "no permission": "forbidden/below",
    "read only": "/sys/none",
    "a loop of links": "loop",
    "not there": "none/below",
    "a broken database": "broken.sqlite",
    "a pattern": "[a-*",
}


@dataclasses.dataclass(frozen=True)
class Case:
    """One command line. `option`: what is tried; `odd`: the key of its value."""

    command: tuple[str, ...]
    option: str
    odd: str
    words: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Option:
    """One option of a command. `flag`: takes no value of its own; `positional`: may stand without
    its name."""

    name: str
    flag: bool
    positional: bool


def commands(at: App = app, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], App]]:
    """Yield every command with its words, those of groups of commands included."""
    if path and at.default_command:
        yield path, at
    for name in at:
        if not name.startswith("-"):
            yield from commands(at[name], (*path, name))


def options(command: App) -> Iterator[Option]:
    """Yield every option and argument of a command."""
    for argument in command.assemble_argument_collection():
        if argument.show:
            yield Option(argument.name, argument.hint is bool, argument.index is not None)


def every() -> list[Case]:
    """Return all cases; a value alone, in place of a command, too."""
    made = [Case((), "the command", odd, (value,)) for odd, value in VALUES.items()]
    for path, command in commands():
        for option in options(command):
            for base in BASES[path]:
                made += _cases(path, option, base)
    return made


def _cases(path: tuple[str, ...], option: Option, base: Options) -> Iterator[Case]:
    """Yield the cases of one option, beside a command's others."""
    others: list[str] = []
    for name, values in base.items():
        if name != option.name:
            others += [*([name] if name.startswith("-") else []), *values]
    for odd, value in VALUES.items():
        for words in _spellings(option, value):
            yield Case(path, option.name, odd, (*path, *others, *words))


def _spellings(option: Option, value: str) -> Iterator[tuple[str, ...]]:
    """Yield the ways to give an option a value. A flag is given none that would set it."""
    if option.name.startswith("-"):
        yield (f"{option.name}={value}",)
        if value.startswith("-") and not option.flag:
            yield option.name, value
    if option.positional and not option.name.startswith("-"):
        yield "--", value
