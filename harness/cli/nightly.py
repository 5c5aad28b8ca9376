"""The command that runs a matrix of comparisons night by night."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from harness.cli.console import OUT, context, plain, say, show_table
from harness.cli.progress import working
from harness.commands.option_groups import SEVERAL
from harness.commands.options import PassEnv
from harness.context import Context
from harness.environments import installation
from harness.errors import UsageError
from harness.nightly import agenda, cells, conclusion, config, page, preview, summary
from harness.nightly.night import Night

CONFIG = Path("nightly.toml")


@Parameter(name="*")
@dataclasses.dataclass(frozen=True, kw_only=True)
class MachineOptions:
    """What this machine adds to the matrix.

    Parameters
    ----------
    python
        BUILD=PATH, the interpreter of a build.
    """

    python: Annotated[tuple[str, ...], SEVERAL] = ()
    pass_env: PassEnv = ()


def nightly(
    *,
    config_file: Annotated[Path | None, Parameter(name="--config")] = None,
    reports: Path = Path("reports"),
    date: str | None = None,
    only: Annotated[tuple[str, ...], SEVERAL] = (),
    site: MachineOptions = MachineOptions(),
    dry_run: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Run the comparisons of nightly.toml, the most important first, until its time is used up. A
    night that was cut off goes on.

    Parameters
    ----------
    config_file
        The matrix; nightly.toml of this folder if there is one, else the shipped one.
    reports
        Folder of reports; a night lies in nightly/YYYY-MM-DD below it.
    date
        Of the night, YYYY-MM-DD; today, if not given.
    only
        Names of cells to run; the others are left as they are.
    dry_run
        Show the cells with the time they are thought to take, and what cannot run here; do nothing.
    """
    around = context()
    matrix = config.load(config_file or _config_here(around), site.python, site.pass_env)
    request = agenda.NightRequest(matrix, reports, _date(date, around.now), only)
    if dry_run:
        show_table(preview.COLUMNS, preview.rows(request, around))
        return 0
    with working() as at_work:
        result = cells.run(request, at_work)
    _show(result.night)
    written = f"report: {result.folder / page.NAME} ({conclusion.SUMMARY})"
    OUT.print(plain(f"{written}; all nights: {request.nights / conclusion.INDEX}"))
    spent_s, budget_s = result.night.spent_s, request.config.budget_s
    if spent_s > budget_s:
        say(f"the night took {spent_s:.0f} s; its budget is {budget_s:.0f} s")
    return result.night.exit_code or 0


def _show(night: Night) -> None:
    """Print a night's cells, its verdict and what changed."""
    columns = ("cell", "status", "fidelity", "time", "what it says")
    show_table(columns, summary.lines(night))
    OUT.print(plain(f"{night.verdict}: {night.headline}"))
    for change in night.changed:
        OUT.print(plain(f"{change.severity}: {change.text}"))


def _config_here(around: Context) -> Path:
    """Return the matrix of this folder if there is one, else the shipped one."""
    if CONFIG.is_file():
        return CONFIG
    return installation.places(around.environ).config.with_name(CONFIG.name)


def _date(text: str | None, now: datetime.datetime) -> str:
    """Return the date of the night, checked."""
    if text is None:
        return f"{now:%Y-%m-%d}"
    try:
        return f"{datetime.datetime.strptime(text, '%Y-%m-%d').date():%Y-%m-%d}"
    except ValueError:
        raise UsageError(
            f"--date {text}: must be a date as YYYY-MM-DD, e.g. --date {now:%Y-%m-%d}."
        ) from None
