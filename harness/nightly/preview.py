"""What a night would do, without doing any of it: `harness nightly --dry-run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.execution.progress import spell
from harness.nightly import beginning, support

if TYPE_CHECKING:
    from harness.context import Context

COLUMNS = ("cell", "what", "takes about", "here")


def rows(asked: beginning.Asked, context: Context) -> list[tuple[str, ...]]:
    """Return a row for each cell in the order in which they run, and one with the sum beside the
    budget."""
    cells = asked.cells()
    missing = support.survey(asked.config, cells, context, install=False)
    known = beginning.durations(asked.nights, asked.nights / asked.date)
    found: list[tuple[str, ...]] = []
    sum_s = 0.0
    for cell in cells:
        able = support.able(asked.config, cell, missing)
        seconds, basis = beginning.estimate(asked.config, cell, known)
        here = (
            f"unsupported: {able.reason}"
            if able.reason
            else "".join(f"without {lack.build}: {lack.reason} " for lack in able.lacking)
        )
        fits = sum_s + seconds <= asked.config.budget_s
        if not able.reason:
            here = here.strip() or ("yes" if fits else "beyond the budget")
            sum_s += seconds if fits else 0.0
        what = f"{' and '.join(cell.judge)}, {' '.join(cell.precisions)}: {' '.join(cell.builds)}"
        found.append((cell.name, what, f"{spell(seconds)} ({basis})", here))
    found.append(("all", "", spell(sum_s), f"of {spell(asked.config.budget_s)}"))
    return found
