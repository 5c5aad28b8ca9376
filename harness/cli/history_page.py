"""The command that draws a history."""

from __future__ import annotations

from pathlib import Path

from harness.cli.console import say
from harness.cli.history import Which, stored
from harness.history import charts, open_history
from harness.report import history_page, rendering


@stored.command(name="page")
def page(*, which: Which = Which(), out: Path = Path("history.html")) -> int:
    """Draw every series on one HTML page: ratios, step times, memory and errors over all runs, and
    the verdicts night by night.

    Parameters
    ----------
    out
        The file to write.
    """
    with open_history(which.history, create=False) as history:
        found = charts.drawn(history, which.wanted())
    rendering.save(
        history_page.render("History", found.histories, found.left_out, found.stages, found.speed),
        out,
    )
    say(f"wrote {out}: {len(found.histories)} series")
    return 0
