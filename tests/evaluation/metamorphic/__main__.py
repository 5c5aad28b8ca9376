"""The metamorphic zoo: faults that the judge's own honest variations touch, and honest twins,
judged as `harness compare` would.

    python -m tests.evaluation.metamorphic                  every entry (`tox run -e metamorphic`)
    python -m tests.evaluation.metamorphic --only ties      the entries of a kind or of a workload,
    or one by name python -m tests.evaluation.metamorphic --write-docs     also write the tables of
    docs/metamorphic.md

Exit status 1 if a mutant passes, fewer than 90 % fail at the stage where the fault first shows, an
honest twin fails, or more than one of them stays undecided.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.evaluation.laboratory import opened
from tests.evaluation.metamorphic import catalogue, tables
from tests.evaluation.metamorphic.census import count, examine


def main(words: Sequence[str]) -> int:
    """Run what was asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.metamorphic")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="kinds, workloads or entries"
    )
    parser.add_argument(
        "--write-docs", action="store_true", help=f"write the tables into docs/{tables.PAGE.name}"
    )
    asked = parser.parse_args(words)
    if asked.only and asked.write_docs:
        parser.error("--only shows a part; --write-docs needs the whole")
    try:
        wanted = catalogue.chosen(asked.only)
    except ValueError as error:
        parser.error(str(error))
    started, findings = time.monotonic(), []
    with (
        tempfile.TemporaryDirectory(prefix="metamorphic-") as name,
        opened(Path(name) / "run") as laboratory,
    ):
        for one in examine(laboratory, wanted, Path(name) / "planted"):
            findings.append(one)
            print(f"[{len(findings)}/{len(wanted)}] {tables.plain(one)}", flush=True)
    counted = count(findings)
    if asked.write_docs:
        tables.write(findings, counted)
    print(f"\n{tables.summary(counted)} {time.monotonic() - started:.0f} s.")
    return 0 if counted.good(whole=not asked.only) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
