"""Hostile files: everything that the harness stores, altered in thousands of ways, and read.

    python -m tests.evaluation.hostile                 2,500 alterations (`tox run -e hostile`)
    python -m tests.evaluation.hostile --count 300     fewer
    python -m tests.evaluation.hostile --seed 7        others
    python -m tests.evaluation.hostile --only history  of one part of what is stored

Exit status 1 if anything ends in a traceback, a hang, a false PASS, an exit code that means
something else, a message that names no file, or control characters on the terminal; if anything
outside a run's folder is touched through what lies in it; or if a name with line breaks in it
begins a line of the output.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.evaluation.hostile import census, folders, names, stock
from tests.evaluation.hostile.cases import cases, groups

#: Whoever reads without an end gets a MemoryError, and takes nobody else's memory.
MEMORY_BYTES = 6 << 30
#: So many characters of what was printed are shown.
TOLD = 600
#: So many alterations, unless told otherwise.
COUNT = 2_500


def main(words: Sequence[str]) -> int:
    """Run what was asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.hostile")
    parser.add_argument("--count", type=int, default=COUNT, help="how many alterations")
    parser.add_argument("--seed", type=int, default=0, help="of all choices")
    parts = sorted({group.part for group in groups()})
    parser.add_argument("--only", choices=parts, default="", help="alter this part alone")
    asked = parser.parse_args(words)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    started, findings = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        made = stock.make(Path(name) / "stock")
        for found in census.examine(
            made,
            cases(made, asked.count, asked.seed, only=asked.only),
            Path(name) / "cases",
        ):
            findings.append(found)
            if found.faults:
                print(told(found), flush=True)
        touched = [] if asked.only else list(folders.examine(made, Path(name) / "folders"))
        named = [] if asked.only else list(names.examine(made, Path(name) / "names", names.BREAKS))
    for item in [*touched, *named]:
        if item.faults:
            print(f"{item.name}: {', '.join(item.faults)}")
    print("\n".join(census.lines(census.counted(findings))))
    bad = sum(bool(item.faults) for item in [*touched, *named])
    print(f"\n{len(touched)} foreign folders, {len(named)} forged names, {bad} at fault;", end=" ")
    print(f"{len(findings)} alterations, {time.monotonic() - started:.0f} s.")
    return 1 if bad or any(found.faults for found in findings) else 0


def told(found: census.Finding) -> str:
    """Return a finding in a few lines."""
    case, ended = found.case, found.ended
    said = ascii((ended.raised or ended.err or ended.out or ended.stack)[-TOLD:])
    where = f"{case.part}/{case.file}"
    return (
        f"{', '.join(found.faults)}: {where}, {case.mutation} (seed {case.seed}), read by"
        f" {case.reader.name}: {ended.code} {said}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
