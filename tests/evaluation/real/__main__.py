"""Verdicts on speed in real runs, on this machine (`tox run -e real`).

    python -m tests.evaluation.real identical --tries 20          comparisons of three processes of
    a build, one after another python -m tests.evaluation.real identical --tries 20 --hog    the
    same; in the midst of each another program takes a core python -m tests.evaluation.real injected
    --rounds 40 --write  rounds with slow-downs of known sizes, kept in tests/data

`identical` exits with 1 if identical builds were called different (with `--hog`) or materially
different; `injected`, if what is found of the slow-downs is less than what is promised.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

from tests.evaluation import pages
from tests.evaluation.real import identical, injected
from tests.evaluation.zoo.mutant import ROOT

PAGE = ROOT / "docs/speed.md"


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.real", description=(__doc__ or "").partition("\n")[0]
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    one = kinds.add_parser("identical")
    one.add_argument("--tries", type=int, default=20)
    one.add_argument(
        "--sides",
        type=int,
        default=3,
        help="processes of a round: 3 make three pairs (%(default)s)",
    )
    one.add_argument(
        "--hog",
        action="store_true",
        help="keep a core busy from somewhere in the middle of each comparison on",
    )
    one.add_argument(
        "--budget",
        type=float,
        default=1.0,
        help="seconds of rounds a comparison; at least five rounds run (%(default)s)",
    )
    other = kinds.add_parser("injected")
    other.add_argument("--rounds", type=int, default=40, help="of each slow-down (%(default)s)")
    other.add_argument(
        "--write",
        action="store_true",
        help="keep them in tests/data, and the table in docs/speed.md",
    )
    for each in (one, other):
        each.add_argument("--builds", nargs="+", default=["torch"])
        each.add_argument("--workloads", nargs="+", default=["linear", "cnn"])
    chosen = parser.parse_args(words)
    return _identical(chosen) if chosen.kind == "identical" else _injected(chosen)


def _say(line: str) -> None:
    print(line, flush=True)


def _identical(chosen: argparse.Namespace) -> int:
    verdicts: Counter[str] = Counter()
    material = 0
    for number in range(chosen.tries):
        found = identical.compare(
            chosen.builds[number // len(chosen.workloads) % len(chosen.builds)],
            chosen.workloads[number % len(chosen.workloads)],
            chosen.sides,
            chosen.budget,
            chosen.hog,
            number,
        )
        verdicts.update(row.verdict for row in found)
        material += sum(row.material for row in found)
        print(number + 1, *(identical.line(row) for row in found), sep="  ", flush=True)
    wrong = verdicts["SLOWER"] + verdicts["FASTER"]
    pairs = verdicts.total() // 2
    print(
        f"{chosen.tries} runs, {pairs} pairs, {verdicts.total()} verdicts: {dict(verdicts)},"
        f" {material} material"
    )
    return int(material > 0 or (chosen.hog and wrong > 0))


def _injected(chosen: argparse.Namespace) -> int:
    found = {
        name: injected.measure(chosen.builds[0], name, chosen.rounds, _say)
        for name in chosen.workloads
    }
    if chosen.write:
        injected.keep(found)
        pages.write(PAGE, {"INJECTED": injected.text(injected.recorded())})
    faults = injected.faults(found)
    print(injected.text(found), *(f"NOT HELD: {fault}" for fault in faults), sep="\n")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
