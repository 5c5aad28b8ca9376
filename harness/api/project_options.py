"""What a project's file has for a comparison that is asked for from Python: read as the command
reads it, by the same parser."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path

from cyclopts import App, CycloptsError

from harness.commands import typed_values
from harness.commands.options import Options
from harness.commands.project_defaults import ProjectDefaults
from harness.errors import UsageError
from harness.sinks.delivery import Sinks

#: Options that the command alone has: it writes files of them, or sends the run.
COMMANDS_OWN = ("dry_run", "export", "history", "json")
SENT = tuple(field.name for field in dataclasses.fields(Sinks))
BUILT_IN, NOWHERE = Options(), Sinks()
LEFT = "the command does that, and no call from Python"


@dataclasses.dataclass(frozen=True)
class ProjectOptions:
    """What a file has.

    Attributes:
        options: those of the file, or else those that are built in.
        filed: names of the options that the file has, whether they count or not.
        notes: what was taken from the file, and what was left there.
    """

    options: Options
    filed: frozenset[str]
    notes: tuple[str, ...]


def read(pair: Path | None, said: Collection[str]) -> ProjectOptions:
    """Return what the file beside a pair file, or in the working folder, has.

    Args:
        pair: the pair file; None for workloads. said: names of the options that the call has.

    Raises:
        UsageError: the file cannot be used. UnknownName: it has a table or an option that there is
            not.
    """
    aside = {LEFT: [_dashed(name) for name in (*COMMANDS_OWN, *SENT)]}
    project = ProjectDefaults([_dashed(name) for name in said], aside, "the call")
    made = App(config=(project, typed_values.check))
    made.command(application())
    words = ["compare", *([f"--pair={pair}"] if pair else [])]
    try:
        _, bound, _ = made.parse_args(words, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        raise UsageError(str(error)) from error
    options = bound.arguments.get("chosen", BUILT_IN)
    filed = frozenset(name.replace("-", "_") for name in project.filed)
    return ProjectOptions(options, filed, project.notes)


def application() -> App:
    """Return what has the options of the command, and runs nothing."""
    made = App(name="compare")
    made.default(_compare)
    return made


def _compare(
    pair: Path | None = None, *, chosen: Options = BUILT_IN, sinks: Sinks = NOWHERE
) -> None: ...


def _dashed(name: str) -> str:
    return name.replace("_", "-")
