"""Defaults of options from the file of a project: below the command line, above what the harness
has built in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cyclopts.config import Dict

from harness.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from cyclopts import App
    from cyclopts.argument import Argument, ArgumentCollection

    from harness.environments.project_file import ProjectFile

COMPARE = ("compare",)
#: Arguments that name a pair file, beside which the file may lie.
PAIRS = ("--pair", "--what")
#: Options that a pair file makes meaningless, and the one that only it gives a meaning.
WITHOUT_PAIR, WITH_PAIR = ("backends", "workloads", "ports", "data"), ("path",)
#: What somebody has to say, and no file.
TYPED = ("feedback", "yes")
BESIDE_PAIR = "a pair file says it itself, or it is for pair files alone"


class ProjectDefaults:
    """Puts defaults into the arguments of a command that nobody typed.

    Args:
        said: options that are said in another way than typed. aside: options that are left in the
            file, by what is said of it. place: where options are said, in words.

    Attributes:
        notes: what the last command took from a file, and what it left there. filed: the options
            that the file has for it.
    """

    def __init__(
        self,
        said: Collection[str] = (),
        aside: Mapping[str, Collection[str]] = MappingProxyType({}),
        place: str = "the command line",
    ) -> None:
        self._said, self._aside, self._place = said, aside, place
        self.notes: tuple[str, ...] = ()
        self.filed: frozenset[str] = frozenset()
        self._untold: tuple[str, ...] = ()

    def untold(self) -> tuple[str, ...]:
        """Return the notes, the first time that they are asked for."""
        lines, self._untold = self._untold, ()
        return lines

    def __call__(self, app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
        """Fill in the arguments; called by the application once the command line is read.

        Args:
            app: of the command. commands: its words. arguments: those that were typed have tokens.

        Raises:
            UsageError: the file cannot be used. UnknownName: it has a table or an option that
                there is not.
        """
        # parsed TOML and file rules, which a listing needs not
        from harness.environments import project_file

        self.notes = self._untold = ()
        self.filed = frozenset()
        if len(commands) != 1 or commands[0] not in project_file.COMMANDS:
            return
        pair = _pair(arguments)
        project = project_file.find([*([pair.parent] if pair else []), Path()])
        table = project.defaults.get(commands[0]) if project else None
        if project is None or table is None:
            return
        where = f"{project.where}: [{commands[0]}]"
        options = {item.name.removeprefix("--"): item for item in arguments if _is_option(item)}
        self.filed = frozenset(key.replace("_", "-") for key in table)
        aside = {BESIDE_PAIR: WITHOUT_PAIR if pair else WITH_PAIR} if commands == COMPARE else {}
        reasons = {name: why for why, names in {**aside, **self._aside}.items() for name in names}
        taken: dict[str, Any] = {}
        left: dict[str, list[str]] = {}
        for key, value in table.items():
            name = key.replace("_", "-")
            if name in TYPED:
                raise UsageError(f"{where}: --{name} is for the command line, not for a file.")
            if name not in options:
                known = options.keys() - {*TYPED}
                raise UnknownName(f"option of {where}:", key, known)
            if options[name].tokens or name in self._said:
                continue
            if name in reasons:
                left.setdefault(reasons[name], []).append(name)
                continue
            taken[name] = _value(options[name], value, project)
        Dict({commands[0]: taken}, source=where)(app, commands, arguments)
        written = {name: _written(table, name) for name in taken}
        self.notes = self._untold = _notes(where, self._place, written, left)


PROJECT = ProjectDefaults()


def _written(table: Mapping[str, Any], name: str) -> Any:
    """Return what a table has for an option, whichever way its name is written there."""
    return table[name] if name in table else table[name.replace("-", "_")]


def _notes(
    where: str, place: str, taken: Mapping[str, Any], left: Mapping[str, list[str]]
) -> tuple[str, ...]:
    """Return what is said of a file: what was taken from it, and what not."""
    lines = []
    if taken:
        items = [f"{name} = {_spelled(value)}" for name, value in taken.items()]
        lines.append(f"from {where}, not from {place}: {', '.join(items)}")
    lines += [f"{where}: {', '.join(names)} left aside: {why}" for why, names in left.items()]
    return tuple(lines)


def _spelled(value: Any) -> str:
    """Return a value as it is typed."""
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _pair(arguments: ArgumentCollection) -> Path | None:
    """Return the pair file that was typed."""
    for item in arguments:
        if item.name in PAIRS and item.tokens:
            path = Path(item.tokens[0].value)
            return path if path.suffix == ".py" else None
    return None


def _is_option(item: Argument) -> bool:
    """Whether an argument is typed by its name alone."""
    return item.show and item.index is None and item.name.startswith("--")


def _value(item: Argument, value: Any, project: ProjectFile) -> Any:
    """Return a value of the file with the paths in it as seen from where one stands: they are
    written as seen from the file.

    Raises:
        UsageError: the option takes none such.
    """
    if isinstance(value, dict) or (isinstance(value, list) and any(map(_nested, value))):
        raise UsageError(f"{project.where}: {item.name}: give a text, a number or a list of them.")
    folder = project.path.parent
    if folder.resolve() == Path.cwd().resolve():
        folder = Path()  # as it is written there
    if isinstance(value, list):
        return [_path(item, part, folder, index) for index, part in enumerate(value)]
    return _path(item, value, folder, 0)


def _nested(value: Any) -> bool:
    return isinstance(value, (dict, list))


def _path(item: Argument, value: Any, folder: Path, index: int) -> Any:
    """Return one value with its path, if it has one."""
    if not isinstance(value, str):
        return value
    for name, mark in (("--python", "="), ("--backends", "@")):
        if item.name == name:
            head, between, path = value.partition(mark)
            return f"{head}{between}{_seen(folder, path)}" if between else value
    if item.name == "--export" and index == 0:
        return value  # the name of a format
    if item.name == "--data":
        return _seen(folder, value) if Path(_seen(folder, value)).is_dir() else value
    return _seen(folder, value) if "Path" in str(item.hint) else value


def _seen(folder: Path, path: str) -> str:
    """Return a path of the file as seen from where one stands, `~` being whose home it says.

    Raises:
        UsageError: nobody of that name has one.
    """
    try:
        return str(folder / Path(path).expanduser())
    except RuntimeError as error:
        raise UsageError(f"{path}: {error} Write the path without ~.") from error
