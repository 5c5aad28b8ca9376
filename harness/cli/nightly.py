"""The command that runs a matrix of comparisons night by night."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from harness.cli.console import OUT, app, context, say
from harness.cli.progress import working
from harness.commands.options import SEVERAL
from harness.environments import installation
from harness.errors import UsageError
from harness.nightly import beginning, cells, conclusion, config, page, preview, summary
from harness.report.terminal_style import plain_table

CONFIG = Path("nightly.toml")


@app.command(name="nightly")
def nightly(
    *,
    config_file: Annotated[Path | None, Parameter(name="--config")] = None,
    reports: Path = Path("reports"),
    date: str | None = None,
    only: Annotated[tuple[str, ...], SEVERAL] = (),
    python: Annotated[tuple[str, ...], SEVERAL] = (),
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
    python
        BUILD=PATH, the interpreter of a build.
    dry_run
        Show the cells with the time they are thought to take, and what cannot run here; do nothing.
    """
    given = context()
    path = config_file or (
        CONFIG
        if CONFIG.is_file()
        else installation.places(given.environ).config.with_name(CONFIG.name)
    )
    asked = beginning.Asked(config.load(path, python), reports, _date(date, given.now), only)
    if dry_run:
        OUT.print(plain_table(preview.COLUMNS, preview.rows(asked, given)))
        return 0
    with working() as shown:
        found = cells.run(asked, shown)
    OUT.print(
        plain_table(
            ("cell", "status", "fidelity", "speed", "time", "what it says"),
            summary.lines(found.night),
        )
    )
    OUT.print(Text(f"{found.night.verdict}: {found.night.headline}"))
    for one in found.night.changed:
        OUT.print(Text(f"{one.severity}: {one.text}"))
    OUT.print(
        Text(
            f"report: {found.folder / page.NAME} ({conclusion.SUMMARY}); all nights:"
            f" {asked.nights / conclusion.INDEX}"
        )
    )
    if found.night.spent_s > asked.config.budget_s:
        say(
            f"the night took {found.night.spent_s:.0f} s; its budget is"
            f" {asked.config.budget_s:.0f} s"
        )
    return found.night.exit_code or 0


def _date(given: str | None, now: datetime.datetime) -> str:
    """Return the date of the night, checked."""
    if given is None:
        return f"{now:%Y-%m-%d}"
    try:
        return f"{datetime.datetime.strptime(given, '%Y-%m-%d').date():%Y-%m-%d}"
    except ValueError:
        raise UsageError(
            f"--date {given}: must be a date as YYYY-MM-DD, e.g. --date {now:%Y-%m-%d}."
        ) from None
