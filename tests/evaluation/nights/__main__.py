"""Is "what changed" calibrated? `python -m tests.evaluation.nights` (`tox run -e nights`).

    python -m tests.evaluation.nights                 simulate, print the tables
    python -m tests.evaluation.nights --write-docs    also write them into docs/changes.md

Two nights are drawn from recorded rounds of identical processes (`tests/data/timing_rounds.json`,
the half that no threshold has seen), with the sequential rule that ends a night's rounds, and with
nights that differ beside their rounds. Series are drawn from noise of several kinds. Exit status 1
if more than 1 % of nights, or of series without a change, have a false alarm.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from harness.speed.estimate import ALPHA
from harness.speed.replay import bound
from tests.evaluation import pages
from tests.evaluation.nights import pairs, series
from tests.evaluation.zoo.mutant import ROOT

PAGE = ROOT / "docs/changes.md"


def main(words: Sequence[str]) -> int:
    """Simulate; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.nights")
    parser.add_argument(
        "--tries",
        type=int,
        default=200,
        help="pairs of nights drawn for each figure; thrice as many series (%(default)s)",
    )
    parser.add_argument(
        "--write-docs", action="store_true", help="write the tables into docs/changes.md"
    )
    asked = parser.parse_args(words)
    started = time.monotonic()
    nights = [pairs.simulate(point, asked.tries) for point in pairs.POINTS]
    quiet = [series.simulate(kind, 3 * asked.tries) for kind in series.KINDS]
    followed = [series.follow(kind, max(20, asked.tries // 2)) for kind in series.KINDS]
    found = [
        series.power(kind, share, max(50, asked.tries // 2))
        for kind in series.STEADY
        for share in series.SHARES
    ]
    sections = {
        "NIGHTS": pairs.table(nights),
        "SERIES": series.null_table(quiet, followed),
        "STEPS": series.power_table(found),
    }
    print("\n\n".join(sections.values()), end="\n\n")
    wrong = [
        f"two nights: {one}"
        for one in nights
        if one.point.promised and one.false > bound(ALPHA, one.tries)
    ]
    wrong += [
        f"series: {one}"
        for one in quiet
        if one.kind.promised and one.found > bound(ALPHA, one.tries)
    ]
    print(
        *(f"NOT CALIBRATED: {line}" for line in wrong),
        f"{time.monotonic() - started:.0f} s",
        sep="\n",
    )
    if asked.write_docs:
        pages.write(PAGE, sections)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
