"""The command that finds the release of a framework at which a verdict changed."""

from __future__ import annotations

from rich.text import Text

from harness.bisecting import record, run, summary
from harness.bisecting.request import Asked
from harness.cli.console import OUT, app
from harness.cli.progress import working
from harness.report.terminal_style import plain_table


@app.command(name="bisect")
def bisect(asked: Asked) -> int:
    """Find the release of a framework at which a fidelity verdict or a step time changed. Installs
    those that it looks at."""
    with working() as given:
        found = run.run(asked, given)
    OUT.print(plain_table(summary.COLUMNS, summary.lines(found.series, found.tried)))
    OUT.print(Text(summary.answer(found.package, found.series, found.tried, found.conclusion)))
    beside = summary.moved(found.series, found.tried, found.package, found.conclusion)
    if beside:
        OUT.print(Text(beside))
    OUT.print(
        Text(f"written: {found.folder / record.FILE}, and the report of each release beside it")
    )
    return summary.EXIT_CODES[found.conclusion.kind]
