"""From the arguments of a Python call to the options of the command: one has every option, its
default and its checks, so that both mean the same. What a project's file has stands between the
two, as it does for the command.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypedDict

from backends.contract import STAGE_LETTERS, STAGES
from harness import plan
from harness.api import project_options
from harness.commands.options import Options
from harness.errors import UnknownName, UsageError
from harness.pairs import file

Names: TypeAlias = str | Sequence[str]
Place: TypeAlias = str | os.PathLike[str]
Places: TypeAlias = Place | Sequence[Place]


class CompareOptions(TypedDict, total=False):
    """Keyword arguments of `compare`; what is not given, or None, is as the command has it.

    Attributes:
        backends: builds to compare, e.g. `["tf2", "torch"]`; a pair file names its own. workloads:
            by name. data: what workloads train on.
        precision: of fp64, fp32, tf32, bf16, fp16. preset: tiny, small or paper. device: cpu, gpu
            or tpu. execution: default, eager, graph, compiled, cudagraph or callable.
        stages: of the ladder, by name or letter. until: in place of it, the last one:
            `"update"` is weights, forward, loss, gradients and update.
        steps: of the trajectory. seed: of the first tape. seeds: how many. threads: of a worker.
        ports: folders with ports of one's own. path: folders of packages that a pair file imports.
        python: interpreters by build, or by a side's label.
        speed, fidelity: whether it is judged; both are. budget: seconds for all timing. warmup:
            `"2s"`, or steps, `"500"`. allow_settings: whether speed is compared although settings
            differ. per_phase: whether single phases are timed too. fail_if_slower: whether a side
            materially slower than the first is a failure.
        accept: names of differences that are taken for the same.
        out: folder in which the run's own folder is made. resume: whether the newest unfinished
            run there goes on. keep: whether all recorded tensors are kept.
        limit: longest time that one request to a worker may take, seconds. pass_env: names of
            further environment variables that workers see.
    """

    backends: Names | None
    workloads: Names | None
    data: Place | None
    precision: Names | None
    preset: str | None
    device: str | None
    execution: str | None
    stages: Names | None
    until: str | None
    steps: int | None
    seed: int | None
    seeds: int | None
    threads: int | None
    ports: Places | None
    path: Places | None
    python: Mapping[str, Place] | None
    budget: float | None
    warmup: str | int | None
    allow_settings: bool | None
    per_phase: bool | None
    speed: bool | None
    fidelity: bool | None
    fail_if_slower: bool | None
    accept: Names | None
    out: Place | None
    resume: bool | None
    keep: bool | None
    limit: float | None
    pass_env: Names | None


#: Arguments that are called as no option is: what each sets, and how.
INVERTED = {"speed": "no_speed", "fidelity": "no_fidelity"}
RENAMED = {"out": "reports"}
ALONE = ("until",)
KNOWN = frozenset(CompareOptions.__annotations__)
_FIELDS = {field.name: field for field in dataclasses.fields(Options)}
_TYPES = typing.get_type_hints(Options)


@dataclasses.dataclass(frozen=True)
class Named:
    """What a call asks for.

    Attributes:
        pair: the pair file; None for workloads. options: all of them.
        spelled: names of those that the command has to be told. notes: what is said of those that
            a project's file has.
    """

    pair: Path | None
    options: Options
    spelled: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The command that does the same: it reads the same file of a project."""
        words = ["harness", "compare", *([str(self.pair)] if self.pair else [])]
        for name in _FIELDS:
            if name in self.spelled:
                words += _words(name, getattr(self.options, name))
        return shlex.join(words)


def read(what: Place | Names | None, given_options: Mapping[str, Any]) -> Named:
    """Return what a call asks for.

    Args:
        what: a pair file, which ends in `.py`; or names of workloads; or None for those that run
            by default. given_options: the keyword arguments, as in `CompareOptions`.

    Raises:
        UnknownName: no such argument, or stage. UsageError: a value of the wrong kind, or
            arguments that exclude each other; or a project's file that cannot be used.
    """
    for name in given_options:
        if name not in KNOWN:
            raise UnknownName("argument", name, KNOWN)
    chosen = {name: value for name, value in given_options.items() if value is not None}
    until = chosen.pop("until", None)
    if until is not None:
        if "stages" in chosen:
            raise UsageError("until and stages: one says what the other does. Drop one of them.")
        chosen["stages"] = stages_until(until)
    pair, workloads = _split(what)
    if workloads and "workloads" in chosen:
        raise UsageError("workloads are named twice. Name them in one place.")
    if workloads:
        chosen["workloads"] = workloads
    fields: dict[str, Any] = {}
    for name, value in chosen.items():
        if name in INVERTED:
            fields[INVERTED[name]] = not _convert(name, bool, value)
        elif name == "python":
            fields[name] = _interpreters(value)
        else:
            option = RENAMED.get(name, name)
            fields[option] = _convert(name, _TYPES[option], value)
    for name, value in fields.items():
        if value == () != _FIELDS[name].default:
            raise UsageError(
                f"{name}={value!r}: nothing is named. Name at least one, or give None."
            )
    project = project_options.read(pair, fields)
    options = dataclasses.replace(project.options, **fields)
    differing = (name for name in fields if fields[name] != _FIELDS[name].default)
    return Named(pair, options, project.filed.intersection(fields).union(differing), project.notes)


def stages_until(last: str) -> tuple[str, ...]:
    """Return the stages of the ladder up to one, the last one among them.

    Args:
        last: its name or letter.

    Raises:
        UnknownName: there is none, or it is none of the ladder that is climbed in lockstep.
    """
    known = [str(stage) for stage in plan.LOCKSTEP_STAGES]
    name = str(STAGE_LETTERS.get(str(last).upper(), str(last).lower()))
    if name not in known:
        raise UnknownName("stage", str(last), known)
    return tuple(str(stage) for stage in STAGES[: known.index(name) + 1])


def _split(what: Place | Names | None) -> tuple[Path | None, tuple[str, ...]]:
    """Return the pair file that is named, or else the workloads."""
    if what is None:
        return None, ()
    if isinstance(what, os.PathLike) or (isinstance(what, str) and _is_path(what)):
        return Path(what), ()
    return None, _convert("what is compared", tuple[str, ...], what)


def _is_path(text: str) -> bool:
    """Whether a text names a file: no workload's name has an ending or a folder."""
    return text.endswith(file.SUFFIX) or os.sep in text


def _interpreters(value: Any) -> tuple[str, ...]:
    if not isinstance(value, Mapping):
        raise UsageError(
            f"python={value!r}: give the interpreters by build, e.g. {{'tf1': '/opt/py37/python'}}."
        )
    return tuple(f"{build}={os.fspath(path)}" for build, path in value.items())


def _convert(name: str, kind: Any, value: Any) -> Any:
    """Return a value of the type that the option has.

    Raises:
        UsageError: it cannot be had of this one.
    """
    kinds = [part for part in _alternatives(kind) if part is not types.NoneType]
    if typing.get_origin(kinds[0]) is tuple:
        single = isinstance(value, (str, os.PathLike))
        if not single and not isinstance(value, Sequence):
            raise _wrong(name, value, "a name or a sequence of them")
        each = typing.get_args(kinds[0])[0]
        return tuple(_convert(name, each, part) for part in ((value,) if single else value))
    wanted, fits, make = _READERS[kinds[0]]
    if not fits(value):
        raise _wrong(name, value, wanted)
    return make(value)


def _alternatives(kind: Any) -> tuple[Any, ...]:
    union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    return typing.get_args(kind) if union else (kind,)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


#: By the type of an option: what is wanted in words, whether a value is that, and what is made
#: of it. A truth is no number here, though it is one of Python's.
_READERS: dict[Any, tuple[str, Callable[[Any], bool], Callable[[Any], Any]]] = {
    bool: ("True or False", lambda value: isinstance(value, bool), bool),
    int: (
        "a whole number",
        lambda value: hasattr(value, "__index__") and not isinstance(value, bool),
        int,
    ),
    float: ("a number", _is_number, float),
    str: (
        "a text",
        lambda value: isinstance(value, (str, os.PathLike)) or _is_number(value),
        lambda value: str(value) if _is_number(value) else os.fspath(value),
    ),
    Path: ("a path", lambda value: isinstance(value, (str, os.PathLike)), Path),
}


def _wrong(name: str, value: Any, wanted: str) -> UsageError:
    return UsageError(f"{name}={value!r}: this is {type(value).__name__}; give {wanted}.")


def _words(name: str, value: Any) -> list[str]:
    """Return the words of a command line that set one option, also to what it is without them: a
    project's file may have it otherwise."""
    option = "--" + name.replace("_", "-")
    if isinstance(value, bool):
        return [option if value else f"{option}=false"]
    return [option, *(map(str, value) if isinstance(value, tuple) else [str(value)])]
