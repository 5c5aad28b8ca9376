"""Mutate the torch ports' numeric code and have every mutant judged: `python -m
tests.evaluation.mutation`.

The mutator is our own, because a mutant's test is a judged comparison in another interpreter that
takes well under a second, and its text has to be planted in a folder for a worker; cosmic-ray and
mutmut change files in place and start a shell command for each.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.evaluation.laboratory import opened
from tests.evaluation.mutation import census, table
from tests.evaluation.mutation.census import CIRCUMSTANCES, SURVIVED, Census, Finding, Subject
from tests.evaluation.mutation.operators import Mutation
from tests.evaluation.zoo.mutant import ROOT

CACHE = ROOT / ".cache/mutation"
DOCS = ROOT / "docs/mutation.md"
MARKERS = (
    "<!-- mutation: written by `tox run -e mutation -- --write-docs`, from here -->",
    "<!-- mutation: to here -->",
)
#: Of the mutants that run and are not equivalent, the share that has to be killed.
ENOUGH = 0.95


def main(argv: Sequence[str] | None = None) -> int:
    """Run and print; return 0 if enough are killed, every survivor is explained and no
    explanation is stale."""
    asked = _arguments(argv)
    started, findings, texts, faults = time.monotonic(), [], {}, []
    with (
        tempfile.TemporaryDirectory(prefix="mutation-") as name,
        opened(Path(name) / "laboratory") as laboratory,
    ):
        court = Census(laboratory, asked.cache, Path(name))
        for port in asked.workloads:
            subject = court.subject(port)
            found = _run(court, subject, _chosen(subject, asked.only))
            faults += census.stale(subject, found)
            findings += found
            texts.update({file: module.text for file, module in subject.modules.items()})
    print(*table.plain(findings), "", table.summary(findings), sep="\n")
    print(f"{time.monotonic() - started:.0f} s")
    unexplained = [
        finding.mutation.place
        for finding in findings
        if finding.kind == SURVIVED and not finding.reason
    ]
    for line in (
        *(f"stale explanation: {fault}" for fault in faults),
        *(f"survived, and nothing says why: {it}" for it in unexplained),
    ):
        print(line)
    if asked.write_docs:
        write_docs(DOCS, table.markdown(findings, texts))
    return (
        0 if table.Tally("all", tuple(findings)).share >= ENOUGH and not faults + unexplained else 1
    )


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.mutation", description=__doc__
    )
    parser.add_argument(
        "--workloads", nargs="+", choices=[*CIRCUMSTANCES], default=[*CIRCUMSTANCES]
    )
    parser.add_argument(
        "--only",
        action="append",
        metavar="FILE:LINE",
        default=[],
        help="mutations of this line alone; may be repeated",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=CACHE,
        help="where the records of the honest sides are kept (%(default)s)",
    )
    parser.add_argument(
        "--write-docs", action="store_true", help=f"write the table into {DOCS.relative_to(ROOT)}"
    )
    asked = parser.parse_args(argv)
    if asked.write_docs and (asked.only or asked.workloads != [*CIRCUMSTANCES]):
        parser.error("--write-docs writes the whole table: leave out --only and --workloads")
    return asked


def _chosen(subject: Subject, only: Sequence[str]) -> list[Mutation]:
    return [item for item in subject.mutations if not only or f"{item.file}:{item.line}" in only]


def _run(court: Census, subject: Subject, chosen: Sequence[Mutation]) -> list[Finding]:
    found = []
    for number, finding in enumerate(court.findings(subject, chosen), 1):
        found.append(finding)
        if finding.kind == SURVIVED:
            print(
                f"[{number}/{len(chosen)}] {finding.mutation.place} ({finding.mutation.operator})"
                f" survived: {table.why(finding)}"
            )
            print(
                *table.difference(finding.mutation, subject.modules[finding.mutation.file].text),
                sep="\n",
            )
        elif number % 50 == 0:
            print(f"[{number}/{len(chosen)}] {finding.mutation.place}")
        sys.stdout.flush()
    return found


def write_docs(page: Path, text: str) -> None:
    """Replace what stands between the markers of a page.

    Raises:
        ValueError: the page does not have both, once each.
    """
    before, middle = page.read_text(encoding="utf-8").split(MARKERS[0])
    _, after = middle.split(MARKERS[1])
    page.write_text(f"{before}{MARKERS[0]}\n\n{text}\n{MARKERS[1]}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
