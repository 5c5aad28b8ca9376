"""A Dockerfile as steps, and the files of the folder it is built in. Knows the few instructions
that the images of this project have, and refuses all others: what is not understood is not run."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

KNOWN = ("FROM", "ARG", "COPY", "RUN", "USER", "WORKDIR", "ENTRYPOINT", "CMD")
VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")


class NotUnderstood(Exception):
    """A Dockerfile has what is not run here."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One instruction. `line`: where it begins."""

    word: str
    text: str
    line: int


@dataclasses.dataclass(frozen=True)
class Image:
    """What a Dockerfile makes. `base`: of its last stage. `others`: images of others, by name.
    `steps`: behind the last FROM. `entry`: ENTRYPOINT and CMD."""

    base: str
    others: Mapping[str, str]
    steps: tuple[Step, ...]
    entry: tuple[str, ...]
    command: tuple[str, ...]


def read(path: Path) -> Image:
    """Return what a Dockerfile says.

    Args:
        path: of the file.

    Raises:
        NotUnderstood: it has an instruction that is not known here, or no FROM.
    """
    others: dict[str, str] = {}
    base, steps = "", list[Step]()
    last: dict[str, tuple[str, ...]] = {"ENTRYPOINT": (), "CMD": ()}
    for step in _steps(path.read_text(encoding="utf-8")):
        if step.word not in KNOWN:
            raise NotUnderstood(f"{path.name}:{step.line}: {step.word} is not run here")
        if step.word == "FROM":
            image, _, name = step.text.partition(" AS ")
            base, steps = image, []
            if name:
                others[name] = image
        elif step.word in last:
            last[step.word] = tuple(json.loads(step.text))
        else:
            steps.append(step)
    if not base:
        raise NotUnderstood(f"{path.name}: there is no FROM")
    return Image(base, others, tuple(steps), last["ENTRYPOINT"], last["CMD"])


def _steps(text: str) -> Iterator[Step]:
    parts: list[str] = []
    begun = 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not line.strip() and not parts):
            continue
        begun = begun if parts else number
        parts.append(line.strip().removesuffix("\\").strip())
        if not line.rstrip().endswith("\\"):
            word, _, rest = " ".join(parts).partition(" ")
            yield Step(word.upper(), rest.strip(), begun)
            parts = []


def expanded(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its variables replaced; those that are not known are empty.

    Args:
        text: of an instruction. values: of ARG, by name.
    """
    return VARIABLE.sub(lambda found: values.get(found[1] or found[2], ""), text)


@dataclasses.dataclass(frozen=True)
class Copy:
    """A COPY: `stage` it is from, empty for the folder the image is built in; its owner."""

    sources: tuple[str, ...]
    target: str
    stage: str = ""
    owner: str = ""


def copied(step: Step) -> Copy:
    """Return what a COPY says.

    Args:
        step: the instruction.

    Raises:
        NotUnderstood: it has another option than `--from` and `--chown`.
    """
    words, options = [], {"--from": "", "--chown": ""}
    for word in shlex.split(step.text):
        name, mark, value = word.partition("=")
        if mark and name in options:
            options[name] = value
        elif word.startswith("--"):
            raise NotUnderstood(f"line {step.line}: COPY {word}")
        else:
            words.append(word)
    *sources, target = words
    return Copy(tuple(sources), target, options["--from"], options["--chown"])


def context(folder: Path) -> list[Path]:
    """Return the files that an image can copy, relative: all that `.dockerignore` leaves.

    Args:
        folder: in which the image is built.
    """
    lines = (folder / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    compiled = [(re.compile(_pattern(rule.lstrip("!"))), rule[0] == "!") for rule in rules]
    return sorted(_left(folder, Path(), compiled))


def _left(folder: Path, below: Path, rules: list[tuple[re.Pattern[str], bool]]) -> Iterator[Path]:
    for path in sorted((folder / below).iterdir()):
        name = below / path.name
        kept = True
        for pattern, again in rules:
            if pattern.fullmatch(name.as_posix()):
                kept = again
        if path.is_dir() and not path.is_symlink():
            if kept:
                yield from _left(folder, name, rules)
        elif kept:
            yield name


def _pattern(rule: str) -> str:
    """Return a rule as a regular expression: `**` any folders, `*` within a name."""
    pattern = re.escape(rule.strip("/")).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
    return pattern.replace(r"\?", "[^/]")
