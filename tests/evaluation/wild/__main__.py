"""Pairs of code that nobody here wrote, compared as a user compares them.

    python -m tests.evaluation.wild                     every pair (`tox run -e wild`)
    python -m tests.evaluation.wild --only bert         the pairs of one file, or one by name
    python -m tests.evaluation.wild --beside-ports      the errors of plain objects beside those of
                                                        the ports of the same workloads
    python -m tests.evaluation.wild --write-docs        also write the tables of docs/wild.md
    python -m tests.evaluation.wild --before            the honest pairs on the release before of
                                                        each library: what is new since then

The builds that the pairs name are made on first use, in the cache folder: several GB. Exit status 1
if anything else is said of a pair than has to be, or a stage of it is not looked at.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.evaluation import pages
from tests.evaluation.wild import beside_ports, catalogue, tables
from tests.evaluation.wild.trying import Said, compared, keep, kept


def main(words: Sequence[str]) -> int:
    """Run what was asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.wild")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="pairs, or files")
    parser.add_argument(
        "--python", nargs="+", default=[], metavar="BUILD=PATH", help="as of harness compare"
    )
    parser.add_argument(
        "--write-docs", action="store_true", help=f"write the table into docs/{tables.PAGE.name}"
    )
    parser.add_argument(
        "--beside-ports",
        action="store_true",
        help=f"compare {', '.join(beside_ports.NAMES)}, and the ports of the same workloads",
    )
    parser.add_argument(
        "--results",
        type=Path,
        metavar="FILE",
        help="keep what is said here; pairs that stand there are not compared again",
    )
    parser.add_argument(
        "--before", action="store_true", help="on the release before of each library"
    )
    asked = parser.parse_args(words)
    if asked.only and asked.write_docs:
        parser.error("--only shows a part; --write-docs needs the whole")
    if asked.beside_ports:
        return _beside_ports(parser, asked)
    try:
        wanted = catalogue.chosen(asked.only)
    except ValueError as error:
        parser.error(str(error))
    if asked.before:
        wanted = [entry for entry in wanted if entry.has_releases_before and not entry.planted]
    every: list[Said] = []
    known = kept(asked.results)
    with tempfile.TemporaryDirectory(prefix="wild-") as scratch:
        for entry in wanted:
            said = known.get(entry.name) or compared(
                entry, Path(scratch), asked.python, asked.before
            )
            every.append(said)
            if asked.results and entry.name not in known:
                keep(asked.results, said)
            print(f"[{len(every)}/{len(wanted)}] {tables.plain(every[-1])}", flush=True)
    if asked.before:
        return _new(every, asked.write_docs)
    if asked.write_docs:
        tables.write(every)
    right = sum(said.right for said in every)
    print(f"\n{right} of {len(every)} pairs are judged as they have to be.")
    return 0 if right == len(every) else 1


def _new(every: Sequence[Said], write_docs: bool) -> int:
    """Say what the newest releases have brought. That is no failure: the page has to say it."""
    found = tables.kept()
    for said in every:
        print(f"{said.entry.name}: new: {tables.new_since(said, found[said.entry.name])}")
    if write_docs:
        pages.write(tables.PAGE, {"RELEASES": tables.releases(every, found)})
    return 0


def _beside_ports(parser: argparse.ArgumentParser, asked: argparse.Namespace) -> int:
    unknown = [name for name in asked.only if name not in beside_ports.NAMES]
    if unknown:
        parser.error(f"{unknown[0]!r} is none of {', '.join(beside_ports.NAMES)}")
    every: list[beside_ports.Beside] = []
    with tempfile.TemporaryDirectory(prefix="beside-") as scratch:
        for name in asked.only or beside_ports.NAMES:
            try:
                found = beside_ports.measured(name, Path(scratch), asked.python)
            except ValueError as error:
                print(f"{name}: {error}")
                return 1
            every += found
            print("\n".join(map(beside_ports.plain_line, found)), flush=True)
    if asked.write_docs:
        beside_ports.write(every)
    right = sum(item.right for item in every)
    print(f"\n{right} of {len(every)} stages are within a floor of the ports.")
    return 0 if right == len(every) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
