"""Are the distribution stage's verdicts calibrated? `python -m tests.evaluation.calibration` (`tox
run -e calibration`).

    python -m tests.evaluation.calibration                 train the pools that the cache lacks,
    judge, print the tables python -m tests.evaluation.calibration --write-docs    also write them
    into docs/distribution.md

Exit status 1 if a test's rejection rate with nothing to find leaves its interval, if equal sides
FAIL or show a difference more often than the level allows, or if false discoveries are more than
the rate that is controlled. Too little power against a fault is a finding, not an error: it is
printed, in bold.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.evaluation.calibration import pools, tables
from tests.evaluation.calibration.pools import FAULTS, HONEST, Pools
from tests.evaluation.calibration.rates import discoveries, rates, verdicts
from tests.evaluation.calibration.tables import STAND_IN, Findings
from tests.evaluation.calibration.trials import Outcome, Splits, StandIn, Trial, repeat
from tests.evaluation.zoo.mutant import ROOT

CACHE = ROOT / ".cache/calibration"
HONEST_SEEDS, FAULTY_SEEDS = 32, 12
EQUAL, PLANTED = 500, 100
#: 16 of its 45 quantities differ.
MIXTURE = StandIn(shifted=7, moved=2)


def main(words: Sequence[str]) -> int:
    """Run; return the exit status."""
    asked = _arguments(words)
    started = time.monotonic()
    found = measure(
        pools.train(asked.cache, asked.honest, asked.faulty, _say),
        asked.equal,
        asked.planted,
        asked.jobs,
    )
    sections = {
        "CALIBRATION": tables.summary(found),
        "LEVELS": tables.levels(found),
        "POWER": tables.verdicts(found),
    }
    print("\n" + "\n\n".join(sections.values()))
    wrong = tables.faults(found)
    print(
        *(f"NOT CALIBRATED: {line}" for line in wrong),
        f"{time.monotonic() - started:.0f} s",
        sep="\n",
    )
    if asked.write_docs:
        tables.write(sections)
    return 1 if wrong else 0


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.calibration")
    parser.add_argument(
        "--cache", type=Path, default=CACHE, help="where trained models are kept (%(default)s)"
    )
    parser.add_argument(
        "--honest", type=int, default=HONEST_SEEDS, help="models of the honest port (%(default)s)"
    )
    parser.add_argument(
        "--faulty", type=int, default=FAULTY_SEEDS, help="models of each faulty port (%(default)s)"
    )
    parser.add_argument(
        "--equal", type=int, default=EQUAL, help="comparisons of equal sides (%(default)s)"
    )
    parser.add_argument(
        "--planted",
        type=int,
        default=PLANTED,
        help="comparisons with each faulty port (%(default)s)",
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes that judge (%(default)s)")
    parser.add_argument(
        "--write-docs", action="store_true", help="write the tables into docs/distribution.md"
    )
    return parser.parse_args(words)


def measure(trained: Pools, equal: int, planted: int, jobs: int) -> Findings:
    """Judge equal sides, the stand-in's and those of the pool, the mixture, and every faulty
    port."""

    def outcomes(what: str, trial: Trial, count: int) -> list[Outcome]:
        started = time.monotonic()
        found = repeat(trial, count, jobs)
        _say(f"{what}: {count} comparisons in {time.monotonic() - started:.0f} s")
        return found

    honest = trained.draws[HONEST]
    exact = outcomes("stand-in", StandIn(), equal)
    split = outcomes("splits of the honest pool", Splits(honest, None, trained.channels), equal)
    said = {STAND_IN: verdicts(exact), HONEST: verdicts(split)}
    for fault in FAULTS:
        name = fault.mutant.name
        said[name] = verdicts(
            outcomes(name, Splits(honest, trained.draws[name], trained.channels), planted)
        )
    return Findings(
        exact=rates(exact),
        split=rates(split),
        verdicts=said,
        mixture=discoveries(outcomes("mixture", MIXTURE, equal), MIXTURE.different),
        furthest={
            fault.mutant.name: tables.furthest(trained, fault.mutant.name) for fault in FAULTS
        },
        sizes={name: len(draws) for name, draws in trained.draws.items()},
    )


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
