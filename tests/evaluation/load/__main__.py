"""Does a busy machine make false verdicts on speed? Comparisons under load, counted (`tox run -e
load`).

    python -m tests.evaluation.load --pairs 60 --kept load.jsonl      60 comparisons; run again, it
    goes on where it stopped

Loads: a program on every core; four on each; one on each that comes and goes. Pairs: builds with
themselves, and `cnn` on tf2 and torch, of which a run without load says first what is true (where
it is settled: keep the machine quiet for that). Prints a table; exits with 1 if anything was called
FASTER or SLOWER under load that is not so.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.evaluation.load import comparing

Compare = Callable[[comparing.Asked, float], list[comparing.Said]]


def main(words: Sequence[str] | None = None, compare: Compare = comparing.compare) -> int:
    """Compare and count.

    Args:
        words: of the command line. compare: runs one comparison within so many seconds.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.load", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument(
        "--pairs", type=int, default=60, help="comparisons under load (%(default)s)"
    )
    parser.add_argument(
        "--budget",
        type=float,
        default=20.0,
        help="of each, seconds; undisturbed, five rounds run (%(default)s)",
    )
    parser.add_argument(
        "--quiet-budget",
        type=float,
        default=120.0,
        help="of the one without load; 0 for none (%(default)s)",
    )
    parser.add_argument(
        "--kept",
        type=Path,
        default=Path("load.jsonl"),
        help="where what was said is kept (%(default)s)",
    )
    chosen = parser.parse_args(words)
    found = comparing.read(chosen.kept)
    different = (
        [pair for pair in comparing.PAIRS if pair[0] != pair[1]] if chosen.quiet_budget else []
    )
    undisturbed = [comparing.Asked(-1 - at, "none", *pair) for at, pair in enumerate(different)]
    todo = [(one, chosen.quiet_budget) for one in undisturbed]
    todo += [(one, chosen.budget) for one in comparing.asked(chosen.pairs)]
    for one, budget_s in todo:
        if one.number in {row.number for row in found}:
            continue
        rows = compare(one, budget_s)
        comparing.add(chosen.kept, rows)
        found += rows
        print(
            one.number + 1,
            one.load,
            one.pair,
            *(f"{row.action} {row.verdict} {row.ratio and round(row.ratio, 3)}" for row in rows),
            sep="  ",
            flush=True,
        )
    truth = comparing.quiet(found)
    wrong = comparing.contradicted(found, truth)
    print(comparing.table(found, truth))
    for one in wrong:
        print(f"FALSE: {one}")
    lacking = {one.pair for one in found if (one.pair, one.action) not in truth}
    for pair in sorted(lacking):
        print(f"no quiet run has settled {pair}: its verdicts could not be held against one")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
