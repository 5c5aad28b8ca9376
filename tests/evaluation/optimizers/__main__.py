"""Optimizers as people use them, in every framework that has them: kind, decay, clipping, schedule.

    python -m tests.evaluation.optimizers                  all of it (`tox run -e optimizers`)
    python -m tests.evaluation.optimizers --only adam      one kind
    python -m tests.evaluation.optimizers --write-docs     write the tables of docs/optimizers.md

Each combination is a small net of its own, trained for 20 steps in float64. Then mistakes are
planted in the formulas. Exit status 1 if a combination departs, or a mistake is not named at its
stage.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.evaluation.optimizers import tables
from tests.evaluation.optimizers.catalogue import ENTRIES, PLANTS, Entry, Plant
from tests.evaluation.optimizers.pairs.recipes import combinations
from tests.evaluation.optimizers.trying import Finding, Said, compared, findings


def main(words: Sequence[str]) -> int:
    """Run what was asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.optimizers")
    parser.add_argument("--only", nargs="+", default=[], metavar="KIND", help="kinds of optimizers")
    parser.add_argument(
        "--python", nargs="+", default=[], metavar="BUILD=PATH", help="as of harness compare"
    )
    parser.add_argument(
        "--write-docs", action="store_true", help=f"write the tables of docs/{tables.PAGE.name}"
    )
    asked = parser.parse_args(words)
    unknown = [kind for kind in asked.only if kind not in combinations.KINDS]
    if unknown:
        parser.error(f"{unknown[0]!r} is none of {', '.join(combinations.KINDS)}")
    if asked.only and asked.write_docs:
        parser.error("--only shows a part; --write-docs needs the whole")
    kinds = asked.only or list(combinations.KINDS)
    every: list[Said] = []
    mistakes: list[Finding] = []
    with tempfile.TemporaryDirectory(prefix="optimizers-") as scratch:
        for entry in (item for item in ENTRIES if item.kind in kinds):
            every.append(compared(entry, Path(scratch), asked.python, ()))
            print(tables.plain(every[-1]), flush=True)
        for kind in kinds:
            mistakes += _planted(kind, Path(scratch), asked.python)
    if asked.write_docs:
        tables.write(every, mistakes)
    agree = sum(said.right for said in every)
    named = sum(item.right for item in mistakes)
    print(
        f"\n{sum(len(said.combined) for said in every)} combinations in {len(every)} comparisons,"
        f" of which {agree} agree in all; {named} of {len(mistakes)} mistakes are named."
    )
    return 0 if agree == len(every) and named == len(mistakes) else 1


def _planted(kind: str, scratch: Path, pythons: Sequence[str]) -> list[Finding]:
    """Plant the mistakes of a kind: those of a formula by themselves, the others together."""
    every: list[Finding] = []
    groups: dict[tuple[tuple[str, str], bool], list[Plant]] = {}
    for plant in (plant for plant in PLANTS if plant.kind == kind):
        groups.setdefault((plant.sides, not plant.spoilt), []).append(plant)
    for number, ((sides, _), plants) in enumerate(groups.items()):
        place = scratch / f"{kind}-{number}"
        place.mkdir()
        said = compared(Entry(kind, sides), place, pythons, plants)
        every += findings(plants, said)
        print("\n".join(map(tables.plain_finding, every[-len(plants) :])), flush=True)
    return every


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
