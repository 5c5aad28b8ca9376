"""`harness merge`: reports of several machines as one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from harness.cli.console import OUT, context, plain
from harness.commands import merge as merging
from harness.commands.option_groups import SEVERAL, WHAT, WRITTEN
from harness.report import terminal


def merge(
    *reports: Path,
    out: Annotated[Path, WRITTEN],
    machines: Annotated[tuple[str, ...], SEVERAL, WHAT] = (),
) -> int:
    """Make one report of those of several machines: of different workloads, precisions or seeds, or
    of the same work timed on each. What contradicts is refused.

    Parameters
    ----------
    reports
        Runs' folders, or their report.json.
    out
        Folder to write; a new one. E.g. `--out reports/both`.
    machines
        What the machines are called, in the order of the reports; if not given, as the runs'
        records say. E.g. `--machines left right`.
    """
    result = merging.merge(reports, out, machines, context())
    OUT.print(terminal.render(result.report))
    OUT.print(plain(f"report: {result.folder / 'report.md'} (.html .json .xml)"))
    return result.report.exit_code
