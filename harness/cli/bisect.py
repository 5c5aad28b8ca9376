"""The command that finds the release of a framework at which a verdict changed."""

from __future__ import annotations

from harness.bisecting import record, run, summary
from harness.bisecting.request import BisectOptions
from harness.cli.console import OUT, plain, show_table
from harness.cli.progress import working


def bisect(request: BisectOptions) -> int:
    """Find the release of a framework at which a fidelity verdict or a step time changed. Installs
    those that it looks at."""
    with working() as at_work:
        result = run.run(request, at_work)
    series, tried, conclusion = result.series, result.tried, result.conclusion
    show_table(summary.COLUMNS, summary.lines(series, tried))
    OUT.print(plain(summary.answer(result.package, series, tried, conclusion)))
    beside = summary.moved(series, tried, result.package, conclusion)
    if beside:
        OUT.print(plain(beside))
    OUT.print(
        plain(f"written: {result.folder / record.FILE}, and the report of each release beside it")
    )
    return summary.EXIT_CODES[conclusion.kind]
