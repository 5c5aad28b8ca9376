"""Reads `nightly.toml`, the matrix of a night, which users write: every key has one type, and a
name that does not exist is an error.

An error names the file, the key, the value met and what is allowed. Nothing is guessed: an unknown
key is an error too.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from backends.contract import DEVICES, EXECUTIONS, PRECISIONS, STAGE_LETTERS, STAGES
from harness import plan
from harness.commands import options, resolution
from harness.environments.builds import BUILDS
from harness.errors import CorruptRecord, HarnessError, UnknownName, UsageError
from harness.execution.worker_environment import check_names
from harness.nightly import matrix
from harness.nightly.matrix import JUDGED, Cell, MatrixEntry
from harness.records import files, pages
from harness.workloads import registry
from harness.workloads.spec import Workload

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclasses.dataclass(frozen=True)
class Config:
    """A matrix, checked.

    Attributes:
        budget_s: for all cells of a night together, without installing environments. limit_s: of
            one request to a worker.
        ports: folders with workloads and ports of the user's own. python: interpreters, BUILD=PATH.
        pass_env: names of further variables that workers see.
        workloads: all that there are by name, those of `ports` too, which are loaded once a night.
        requests: what each cell asks for on all its builds, by the cell's name.
    """

    path: Path
    budget_s: float
    limit_s: float
    ports: tuple[Path, ...]
    python: tuple[str, ...]
    pass_env: tuple[str, ...]
    cells: tuple[Cell, ...]
    workloads: Mapping[str, Workload]
    requests: Mapping[str, plan.Request] = dataclasses.field(default_factory=dict)

    def request(self, cell: Cell, builds: Sequence[str]) -> plan.Request:
        """Return what a cell asks for on some of its builds."""
        if tuple(builds) == cell.builds:
            return self.requests[cell.name]
        return resolution.resolve(self.options(cell, builds), self.workloads)

    def options(self, cell: Cell, builds: Sequence[str], budget_s: float = 0.0) -> options.Options:
        """Return the options of `harness compare` for a cell, on some of its builds."""
        return options.Options(
            backends=tuple(builds),
            workloads=(cell.workload,),
            data=cell.data,
            precision=cell.precisions,
            preset=cell.preset,
            device=cell.device,
            execution=cell.execution,
            steps=cell.steps,
            seed=cell.seed,
            threads=cell.threads,
            ports=self.ports,
            python=self.python,
            pass_env=self.pass_env,
            budget=budget_s,
            no_speed=not cell.timed,
            no_fidelity=matrix.FIDELITY not in cell.judge,
            limit=self.limit_s,
            stages=cell.stages or options.Options().stages,
        )


@dataclasses.dataclass(frozen=True)
class ValueKind:
    """What a key takes: a test of the value, in words, and for lists what each item must be."""

    words: str
    fits: Callable[[Any], bool]


def _number(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and 0 < value < float("inf")


def _integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _several(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return a test of lists that are not empty, whose items all pass a test."""
    return lambda value: isinstance(value, list) and bool(value) and all(map(fits, value))


def _text(value: Any) -> bool:
    return isinstance(value, str)


TEXT = ValueKind("a string", _text)
TEXTS = ValueKind("a list of strings, with at least one", _several(_text))
INTEGER = ValueKind("a whole number", _integer)
INTEGERS = ValueKind("a list of whole numbers, with at least one", _several(_integer))
SECONDS = ValueKind("a number of seconds above 0", _number)
TABLES = ValueKind(
    "tables, each under a line [[matrix]]", _several(lambda item: isinstance(item, dict))
)
TABLE = ValueKind("a table, under a line [night]", lambda value: isinstance(value, dict))

TOP = {"night": TABLE, "matrix": TABLES}
NIGHT = {
    "budget_s": SECONDS,
    "limit_s": SECONDS,
    "ports": TEXTS,
    "python": TEXTS,
    "pass_env": TEXTS,
}
ENTRY = {
    "name": TEXT,
    "priority": INTEGER,
    "workloads": TEXTS,
    "builds": TEXTS,
    "devices": TEXTS,
    "precisions": TEXTS,
    "presets": TEXTS,
    "seeds": INTEGERS,
    "judge": TEXTS,
    "stages": TEXTS,
    "execution": TEXT,
    "threads": INTEGER,
    "steps": INTEGER,
    "data": TEXT,
    "timing_s": SECONDS,
    "estimate_s": SECONDS,
}
NEEDED = ("name", "workloads", "builds")


def load(path: Path, python: Sequence[str] = (), pass_env: Sequence[str] = ()) -> Config:
    """Return the matrix of a file.

    Args:
        path: the file; folders in it are relative to its own.
        python: interpreters, BUILD=PATH, that go before those of the file.
        pass_env: names of variables that workers see beside those that the file names.

    Raises:
        UsageError: the file, a key or a value in it is wrong; says which and what is allowed.
    """
    document = _parsed(path)
    _check(str(path), document, TOP, ("night", "matrix"))
    night, entries = document["night"], document["matrix"]
    _check(f"{path}: [night]", night, NIGHT, ("budget_s",))
    defaults = options.Options()
    ports = tuple(path.parent / folder for folder in night.get("ports", ()))
    try:
        known = registry.known(ports)
    except UsageError as error:
        raise UsageError(f"{path}: [night]: ports: {error}") from error
    made = []
    for number, table in enumerate(entries, 1):
        where = f"{path}: [[matrix]] {number}"
        _check(where, table, ENTRY, NEEDED)
        where = f"{path}: [[matrix]] '{table['name']}'"
        _names(where, table, tuple(known))
        made.append(_entry(table, path.parent, defaults))
    config = Config(
        path=path,
        budget_s=float(night["budget_s"]),
        limit_s=float(night.get("limit_s", defaults.limit)),
        ports=ports,
        python=(*night.get("python", ()), *python),
        pass_env=check_names((*night.get("pass_env", ()), *pass_env)),
        cells=matrix.cells(made),
        workloads=known,
    )
    try:
        resolution.interpreters(config.python)
    except UsageError as error:
        # with --python, the one at fault need not stand in the file
        message = str(error) if python else f"{path}: [night]: python: {error}"
        raise UsageError(message) from error
    return dataclasses.replace(config, requests=_requests(config))


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return dict(tomllib.loads(files.read_text(path)))
    except FileNotFoundError as error:
        raise UsageError(
            f"--config {path}: there is no such file. Write one"
            f" ({pages.address('nightly.md')}), or name one that exists."
        ) from error
    except CorruptRecord as error:  # a device or a FIFO, which may never end, too
        raise UsageError(f"--config {error} Give a TOML file.") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: this is no TOML: {error}.") from error
    except RecursionError as error:
        raise UsageError(f"{path}: this is nested too deep. Write it flatter.") from error
    except ValueError as error:  # a number with more digits than Python converts
        raise UsageError(f"{path}: a value in it cannot be read: {error}.") from error


def _check(
    where: str, table: Mapping[str, Any], kinds: Mapping[str, ValueKind], needed: Sequence[str]
) -> None:
    """Refuse unknown keys, wrong types and missing keys of one table."""
    for key, value in table.items():
        if key not in kinds:
            raise UsageError(f"{where}: {UnknownName('key', key, kinds)}")
        if not kinds[key].fits(value):
            raise UsageError(f"{where}: {key} = {value!r}: must be {kinds[key].words}.")
    for key in needed:
        if key not in table:
            raise UsageError(f"{where}: the key '{key}' is missing; it is {kinds[key].words}.")


def _names(where: str, table: Mapping[str, Any], workloads: Sequence[str]) -> None:
    """Refuse names that do not exist."""
    if not NAME.fullmatch(table["name"]):
        raise UsageError(
            f"{where}: name: may hold letters, digits, '_', '.' and '-', and begins with a letter"
            " or a digit."
        )
    for key, kind, known in (
        ("workloads", "workload", workloads),
        ("builds", "build", tuple(BUILDS)),
        ("devices", "device", DEVICES),
        ("precisions", "precision", PRECISIONS),
        ("presets", "preset", options.PRESETS),
        ("judge", "judgement", JUDGED),
        ("stages", "stage", (*STAGES, *STAGE_LETTERS)),
        ("execution", "execution", EXECUTIONS),
    ):
        values = table.get(key, ())
        for value in [values] if isinstance(values, str) else values:
            if value.partition("@")[0] not in known or ("@" in value and key != "builds"):
                raise UsageError(f"{where}: {key}: {UnknownName(kind, value, known)}")


def _entry(table: Mapping[str, Any], folder: Path, defaults: options.Options) -> MatrixEntry:
    """Return an entry, with the defaults of `harness compare`, its folders relative to the file."""
    builds = []
    for item in table["builds"]:
        name, at, ports = item.partition("@")
        builds.append(f"{name}@{folder / ports}" if at else name)

    def several(key: str, default: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(table.get(key, default)))

    return MatrixEntry(
        name=table["name"],
        priority=table.get("priority", 0),
        workloads=several("workloads", ()),
        builds=tuple(builds),
        devices=several("devices", (defaults.device,)),
        precisions=several("precisions", defaults.precision),
        presets=several("presets", ()),
        seeds=several("seeds", (defaults.seed,)),
        judge=several("judge", JUDGED),
        stages=several("stages", ()),
        execution=table.get("execution", defaults.execution),
        timing_s=float(table.get("timing_s", defaults.budget)),
        threads=table.get("threads"),
        steps=table.get("steps"),
        data=_data(table.get("data"), folder),
        estimate_s=table.get("estimate_s"),
    )


def _data(source: str | None, folder: Path) -> str | None:
    """Return a data set's name as it is, and a folder relative to the file."""
    if source is None or not (folder / source).exists():
        return source
    return str(folder / source)


def _requests(config: Config) -> Mapping[str, plan.Request]:
    """Return what the cells ask for, by their names.

    Raises:
        UsageError: two cells have one name, or `harness compare` would refuse a cell.
    """
    requests: dict[str, plan.Request] = {}
    for cell in config.cells:
        if cell.name in requests:
            raise UsageError(
                f"{config.path}: two cells are called {cell.name}; give each [[matrix]] a name of"
                " its own."
            )
        chosen = config.options(cell, cell.builds)
        try:
            requests[cell.name] = resolution.resolve(chosen, config.workloads)
        except HarnessError as error:
            raise UsageError(f"{config.path}: the cell {cell.name}: {error}") from error
    return requests
