"""What a night would do, without doing any of it: `harness nightly --dry-run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.execution.progress import spell
from harness.nightly import agenda, support

if TYPE_CHECKING:
    from harness.context import Context

COLUMNS = ("cell", "what", "takes about", "here")


def rows(request: agenda.NightRequest, context: Context) -> list[tuple[str, ...]]:
    """Return a row for each cell in the order in which they run, and one with the sum beside the
    budget.

    Args:
        request: the matrix, and which of its cells.
        context: its environment decides what can run here.

    Raises:
        UnknownName: a cell asked for does not exist.
    """
    cells, budget_s = request.cells(), request.config.budget_s
    missing = support.survey(request.config, cells, context, install=False)
    known = agenda.durations(request.nights, request.nights / request.date)
    table: list[tuple[str, ...]] = []
    sum_s = 0.0
    for cell in cells:
        able = support.able(request.config, cell, missing)
        seconds, basis = agenda.estimate(request.config, cell, known)
        if able.reason:
            here = f"unsupported: {able.reason}"
        else:
            fits = sum_s + seconds <= budget_s
            without = " ".join(f"without {item.build}: {item.reason}" for item in able.left_out)
            here = without.strip() or ("yes" if fits else "beyond the budget")
            sum_s += seconds if fits else 0.0
        what = f"{' and '.join(cell.judge)}, {' '.join(cell.precisions)}: {' '.join(cell.builds)}"
        table.append((cell.name, what, f"{spell(seconds)} ({basis})", here))
    table.append(("all", "", spell(sum_s), f"of {spell(budget_s)}"))
    return table
