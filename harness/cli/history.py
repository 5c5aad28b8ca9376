"""Commands that look at the history of all runs, and add to it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from harness.cli.console import OUT, complain, plain, say, show_table
from harness.commands.option_groups import SEVERAL
from harness.errors import HarnessError, UsageError
from harness.history import (
    DEFAULT,
    History,
    SpeedKey,
    StageKey,
    Wanted,
    folders,
    open_history,
    tables,
)
from harness.history.export import RESULTS
from harness.report import renderers
from harness.report.format import one_line

#: A limit of rows that SQLite takes.
MOST = 2**31 - 1

stored = App(name="history", group_commands="Commands")
stored.command(
    "harness.cli.history_page:page",
    name="page",
    help=(
        "Draw every series on one HTML page: ratios, step times, memory and errors over all runs,"
        " and the verdicts night by night."
    ),
)


@Parameter(name="*")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Which:
    """Which rows of a history.

    Parameters
    ----------
    history
        The history's file.
    workloads
        Only these workloads.
    builds
        Only rows that have one of these builds as a side.
    presets
        Only these presets.
    precision
        Only these precisions.
    of
        Only these stages and actions, e.g. `forward train`.
    hosts
        Only runs of these machines, by the fingerprint that is shown.
    since
        First night, YYYY-MM-DD.
    until
        Last night, YYYY-MM-DD.
    """

    history: Path = DEFAULT
    workloads: Annotated[tuple[str, ...], SEVERAL] = ()
    builds: Annotated[tuple[str, ...], SEVERAL] = ()
    presets: Annotated[tuple[str, ...], SEVERAL] = ()
    precision: Annotated[tuple[str, ...], SEVERAL] = ()
    of: Annotated[tuple[str, ...], SEVERAL] = ()
    hosts: Annotated[tuple[str, ...], SEVERAL] = ()
    since: str | None = None
    until: str | None = None

    def wanted(self, limit: int | None = None) -> Wanted:
        """Return the filter.

        Raises:
            UsageError: a date or a limit that is none.
        """
        for name, date in (("--since", self.since), ("--until", self.until)):
            if date is not None and not tables.is_date(date):
                raise UsageError(f"{name} {date}: must be a date as YYYY-MM-DD, e.g. 2026-11-21.")
        if limit is not None and not 1 <= limit <= MOST:
            raise UsageError(f"--limit {limit}: must be at least 1 and at most {MOST}.")
        self._check_text()
        return Wanted(
            workloads=self.workloads,
            builds=self.builds,
            presets=self.presets,
            precisions=self.precision,
            subjects=self.of,
            since=self.since,
            until=self.until,
            limit=limit,
            hosts=self.hosts,
        )

    def _check_text(self) -> None:
        """Raise UsageError where a filter is no text: the database takes none that is not."""
        filters = ("workloads", "builds", "presets", "precision", "of", "hosts")
        for name in filters:
            for value in getattr(self, name):
                try:
                    value.encode("utf-8")
                except UnicodeEncodeError:
                    raise UsageError(
                        f"--{name} {value}: this is no UTF-8. Give it as `harness history series`"
                        " spells it."
                    ) from None


@stored.default
def show(*, which: Which = Which(), limit: int = 20) -> int:
    """List the newest runs with their verdicts.

    Parameters
    ----------
    limit
        How many.
    """
    with open_history(which.history, create=False) as history:
        rows = tables.runs(history.runs(which.wanted(limit)))
        show_table(tables.RUNS, rows)
        OUT.print(plain(f"{len(rows)} of {history.count()['runs']} runs in {which.history}"))
    return 0


@stored.command(name="add")
def add(*runs: Path, history: Path = DEFAULT) -> int:
    """Add finished runs. One that is there already changes nothing; one that went on since takes
    its old place.

    Parameters
    ----------
    runs
        Folders of runs, their report.json, or folders with runs below them, e.g. all of `reports`.
    history
        The history's file; it is made if there is none.
    """
    if not runs:
        raise UsageError(
            "harness history add: name at least one run, e.g. reports/2026-11-21_tf2-torch"
        )
    codes = [0]
    with open_history(history) as opened:
        for path in runs:
            try:
                codes += [_add(opened, run) for run in folders.finished_runs(path)]
            except HarnessError as error:
                codes.append(_report(error))
    return max(codes)


def _add(opened: History, run: folders.FoundRun) -> int:
    """Add a run, and return an exit code; one that cannot be added keeps no other back."""
    try:
        added = opened.add(renderers.load(run.path), run.folder, run.night)
    except HarnessError as error:
        return _report(error)
    done = "added" if added.new else "went on, replaced" if added.replaced else "is there already"
    say(f"{run.path}: {done} ({one_line(added.id)})")
    return 0


def _report(error: HarnessError) -> int:
    """Print why a run could not be added, and return the exit code that stands for it."""
    complain(str(error))
    return error.exit_code


@stored.command(name="series")
def series(*, which: Which = Which(), limit: int = 50) -> int:
    """Show one series, the oldest point first; where several are meant, list them.

    Parameters
    ----------
    limit
        How many points, the newest.
    """
    wanted = which.wanted(limit)
    with open_history(which.history, create=False) as history:
        every: list[StageKey | SpeedKey] = [
            *history.stage_keys(wanted),
            *history.speed_keys(wanted),
        ]
        # rows that have one of the builds were asked for; a series that has all of them is meant
        both = [key for key in every if tables.sides(key) >= {*which.builds}] or every
        if not both:
            raise UsageError(
                f"{which.history}: no series is of this. See what there is: harness history series"
                f" --history {which.history}"
            )
        if len(both) > 1:
            show_table(tables.KEYS, tables.keys(both))
            hint = "name workload, builds, precision and stage or action to see one"
            OUT.print(plain(f"{len(both)} series; {hint}"))
            return 0
        (key,) = both
        OUT.print(plain(tables.title(key), style="bold"))
        if isinstance(key, StageKey):
            show_table(tables.STAGES, tables.stage_points(history.series(key, wanted)))
        else:
            show_table(tables.SPEED, tables.speed_points(history.series(key, wanted)))
    return 0


@stored.command(name="export")
def export(
    *,
    parquet: Path | None = None,
    csv: Path | None = None,
    table: str = RESULTS,
    which: Which = Which(),
) -> int:
    """Write a table of the history for other programs.

    Parameters
    ----------
    parquet
        File to write as Parquet; needs `pip install 'parity-harness[parquet]'`.
    csv
        File to write as CSV.
    table
        results (all rows of stages and speed), stages, speed, rounds, jobs, quality, runs, builds,
        packages or ports.
    """
    if parquet is None and csv is None:
        raise UsageError(
            "harness history export: name a file with --csv FILE or --parquet FILE, or both."
        )
    with open_history(which.history, create=False) as history:
        for form, path in (("parquet", parquet), ("csv", csv)):
            if path is not None:
                rows = history.export(path, table, form, which.wanted())
                say(f"wrote {path}: {rows} rows of {table}")
    return 0
