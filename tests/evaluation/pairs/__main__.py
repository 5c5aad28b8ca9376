"""Pairs of models as users have them, compared as they are and with a mistake in one side.

    python -m tests.evaluation.pairs                    all of it (`tox run -e pairs`)
    python -m tests.evaluation.pairs --only attention   one pair with its mistakes, or one by name
    python -m tests.evaluation.pairs --write-docs       also write docs/pairs-evaluation.md

Exit status 1 if an honest pair does not pass, a mistake does, or fewer than 95 % of them are named
at their stage and in their place.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.evaluation.pairs import catalogue, tables
from tests.evaluation.pairs.mutant import Mutant, bases
from tests.evaluation.pairs.trying import Bench, Finding, Said, environment, examine

#: Honest pairs that are compared in float32 too.
IN_FLOAT32 = ("dynamic", "gan_phases", "attention")


def main(words: Sequence[str]) -> int:
    """Run what was asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.pairs")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="pairs, or mistakes by name"
    )
    parser.add_argument(
        "--write-docs", action="store_true", help=f"write the tables into docs/{tables.PAGE.name}"
    )
    parser.add_argument(
        "--python", nargs="+", default=[], metavar="BUILD=PATH", help="as of `harness compare`"
    )
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="leave all runs in this folder")
    asked = parser.parse_args(words)
    if asked.only and asked.write_docs:
        parser.error("--only shows a part; --write-docs needs the whole")
    wanted = [item for item in catalogue.planted() if not asked.only or _named(item, asked.only)]
    if not wanted:
        parser.error(f"no such pair or mistake; pairs are {', '.join(bases())}")
    started = time.monotonic()
    honest: dict[tuple[str, str], Said] = {}
    findings: list[Finding] = []
    with _folder(asked.keep) as scratch:
        bench = Bench(scratch, environment(), tuple(asked.python), _say)
        for base in dict.fromkeys(item.base for item in wanted):
            for precision in (
                ("fp64", "fp32") if base in IN_FLOAT32 and not asked.only else ("fp64",)
            ):
                honest[base, precision] = bench.honest(base, precision)
                print(f"{base} {precision}: {honest[base, precision]}", flush=True)
            chosen = [item for item in wanted if item.base == base]
            for item in examine(bench, chosen, honest[base, "fp64"]):
                findings.append(item)
                print(f"[{len(findings)}/{len(wanted)}] {_line(item)}", flush=True)
    if asked.write_docs:
        tables.write(honest, findings)
    print(f"\n{tables.honest(honest)}\n\n{tables.mutants(findings)}")
    print(f"\n{tables.summary(findings)} {time.monotonic() - started:.0f} s.")
    return 0 if tables.good([*honest.values()], findings) else 1


@contextlib.contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="pairs-") as name:
        yield Path(name)


def _named(item: Mutant, only: Sequence[str]) -> bool:
    return item.base in only or item.name in only


def _line(item: Finding) -> str:
    mark = "ok" if item.named else "PASSED" if item.passed else "WRONG"
    said = item.said
    where = f"{said.verdict} {said.stage} {said.place} {said.step or ''}"
    return f"{mark} {item.mutant.base} {item.mutant.name}: {where} {said.lasted_s:.0f} s"


def _say(line: str) -> None:
    print(f"    {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
