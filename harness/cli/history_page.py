"""The command that draws a history."""

from __future__ import annotations

from pathlib import Path

from harness.cli.console import say
from harness.cli.history import Which
from harness.history import charts, open_history
from harness.report import history_page, renderers


def page(*, which: Which = Which(), out: Path = Path("history.html")) -> int:
    """Draw every series on one HTML page: ratios, step times, memory and errors over all runs, and
    the verdicts night by night.

    Parameters
    ----------
    out
        The file to write.
    """
    with open_history(which.history, create=False) as history:
        drawn = charts.drawn(history, which.wanted())
    text = history_page.render(
        "History", drawn.histories, drawn.left_out, drawn.stages, drawn.speed
    )
    renderers.save(text, out)
    say(f"wrote {out}: {len(drawn.histories)} series")
    return 0
