"""Is the verdict on speed calibrated? `python -m tests.evaluation.replay` (`tox run -e replay`).

    python -m tests.evaluation.replay                 replay the recorded rounds, print the tables
    python -m tests.evaluation.replay --write-docs    also write them into docs/speed.md

The rule as shipped is replayed on the held-out half of recorded rounds of identical processes, with
slow-downs injected into the samples; other ways to do it on the half by which it was chosen; the
rules of other tools on single processes, one after another. Exit status 1 if the rule as shipped
calls identical builds different too often, ever calls them materially different, or finds a
slow-down less often than promised.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from harness.speed.estimate import ALPHA
from harness.speed.replay import rates, shown
from tests.evaluation.replay import choices, peers, recorded, tables
from tests.evaluation.replay.tables import (
    POINTS,
    ROUNDS_AT_MOST,
    SLOWDOWNS,
    TARGETS,
    Findings,
    Fixed,
    Power,
)

TRIES = 2000
SEED = 5


def main(words: Sequence[str]) -> int:
    """Run; return the exit status."""
    asked = _arguments(words)
    started = time.monotonic()
    found = measure(asked.tries)
    sections = {
        "REPLAY": tables.rule(found),
        "MATERIAL": tables.material(found),
        "PEERS": tables.peers(found),
        "CHOSEN": tables.chosen(found),
    }
    print("\n\n".join(sections.values()), end="\n\n")
    wrong = tables.faults(found.power)
    print(
        *(f"NOT CALIBRATED: {line}" for line in wrong),
        f"{time.monotonic() - started:.0f} s",
        sep="\n",
    )
    if asked.write_docs:
        tables.write(sections)
    return 1 if wrong else 0


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.replay")
    parser.add_argument(
        "--tries", type=int, default=TRIES, help="comparisons drawn for each figure (%(default)s)"
    )
    parser.add_argument(
        "--write-docs", action="store_true", help="write the tables into docs/speed.md"
    )
    return parser.parse_args(words)


def power(tries: int, points: Sequence[tuple[int, float]]) -> Power:
    """Return how runs of the rule as shipped end, on held-out rounds, by rounds at most and
    slow-down."""
    held_out = recorded.rounds().held_out
    slowdowns = sorted({slowdown for _, slowdown in points})
    logs = {slowdown: recorded.log_ratios(held_out, slowdown) for slowdown in slowdowns}
    return {
        (most, slowdown): rates(logs[slowdown], most, tries, SEED, shown)
        for most, slowdown in points
    }


def fixed(tries: int) -> Fixed:
    """Return how often other ways over rounds detect, after a number of rounds and no look
    before."""
    found = {}
    for most, slowdown in sorted({*TARGETS, *((most, 0.0) for most, _ in TARGETS)}):
        logs = choices.drawn(slowdown, most, tries, SEED)
        found[most, slowdown] = {
            name: float((test(logs) <= ALPHA).mean()) for name, test in choices.OVER_ROUNDS.items()
        }
    return found


def measure(tries: int) -> Findings:
    """Replay everything."""
    return Findings(
        power=power(tries, [(most, slowdown) for most in ROUNDS_AT_MOST for slowdown in SLOWDOWNS]),
        peers=[peers.replay(peer) for peer in (*peers.PEERS, peers.SHUFFLED)],
        spreads=choices.spreads(),
        fixed=fixed(tries),
        lookings=choices.compared(POINTS, tries, SEED),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
