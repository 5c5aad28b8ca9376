"""`harness diff`: what differs between two stored runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from harness.cli.console import OUT, put
from harness.commands import diff as diffing
from harness.errors import UnknownName
from harness.report import terminal_diff


def diff(
    before: Path,
    after: Path,
    *,
    format: Annotated[  # noqa: A002
        str, Parameter(help="terminal, markdown, html or json")
    ] = "terminal",
) -> int:
    """Say what differs between two finished runs: verdicts, figures, versions, settings, data,
    jobs; and what of it is the likeliest cause.

    Ends with 3 where a PASS was lost or a build became, or may have become, materially slower, and
    with 2 where nothing can be compared.

    Parameters
    ----------
    before
        A run's folder, or its report.json.
    after
        The run that is held against it.
    """
    if format not in diffing.FORMATS:
        raise UnknownName("format", format, diffing.FORMATS)
    difference = diffing.compare(before, after)
    if format == "terminal":
        OUT.print(terminal_diff.render(difference))
    else:
        put(diffing.render(difference, format))
    return difference.exit_code
