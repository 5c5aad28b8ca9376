"""Does a bad value of an option ever end in a traceback? Every option of every command with every
odd value, counted (`tox run -e options`).

    python -m tests.evaluation.options                  all of them; a few minutes
    python -m tests.evaluation.options --count 200      so many, spread over all of them
    python -m tests.evaluation.options --only compare   those of one command

Values: nothing, numbers beyond every bound, text that is no UTF-8 or moves a cursor, folders for
files and files for folders, a full disk, a FIFO that nobody writes to, a place without permission.
Nothing dear begins: no build can be had while the commands run. Counts tracebacks, hangs, raw
control characters and exit codes that mean nothing; exits with 1 if there is any. Whoever takes
more than a few GiB of memory gets a MemoryError, and ends in a traceback.
"""

from __future__ import annotations

import argparse
import collections
import resource
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.evaluation.options import cases, places, trying

#: Of this process: the most that a value may make a command take.
MEMORY_BYTES = 6 << 30
#: As much of a word, and as many lines of a traceback, as are shown.
WORD, LINES = 60, 4


def main(words: Sequence[str] | None = None) -> int:
    """Try and count."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.options", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--count", type=int, help="of cases; all, if not given")
    parser.add_argument("--only", help="of this command, e.g. compare or 'history add'")
    chosen = parser.parse_args(words)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, most))
    tried = [case for case in cases.every() if chosen.only in (None, " ".join(case.command))]
    if chosen.count:
        tried = tried[:: max(1, len(tried) // chosen.count)]
    counts: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as scratch:
        copied = places.template(Path(scratch) / "template")
        for case in tried:
            print(f"trying {' '.join(ascii(word[:WORD]) for word in case.words)}", file=sys.stderr)
            ended = trying.attempt(case.words, copied, Path(scratch) / "case")
            for kind in trying.faults(ended):
                counts[kind] += 1
                print(f"{kind}: {_told(case, ended)}", flush=True)
    print(f"{len(tried)} command lines of {len({case.command for case in tried})} commands")
    for kind in trying.KINDS:
        print(f"{counts[kind]:6d} {kind}")
    return 1 if counts.total() else 0


def _told(case: cases.Case, ended: trying.Ended) -> str:
    """Return a case that has a fault, and the end of what it said, as ASCII."""
    line = " ".join(ascii(word[:WORD]) for word in case.words)
    said = (ended.raised or ended.output).strip().splitlines()[-LINES:]
    more = "".join(f"\n    {text[:200]!a}" for text in said)
    return f"{case.odd}: harness {line}; exit code {ended.code}{more}"


if __name__ == "__main__":
    sys.exit(main())
