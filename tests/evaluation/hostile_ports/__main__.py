"""Does a hostile port get away with anything? Ports that do one nasty thing each, compared with the
honest one, counted (`tox run -e hostile-ports`).

    python -m tests.evaluation.hostile_ports                        all of them
    python -m tests.evaluation.hostile_ports --only loops forks     these

Prints a table; exits with 1 unless all is right: the run ends, with a typed status and a reason,
no agreement that is none, nothing left alive or written outside, no character that steers a
terminal.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.evaluation.hostile_ports import catalogue, trying
from tests.evaluation.kills.__main__ import environment


def main(words: Sequence[str] | None = None) -> int:
    """Compare and count."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.hostile_ports",
        description=(__doc__ or "").partition("\n")[0],
    )
    parser.add_argument("--only", nargs="+", default=[], help="names of ports")
    chosen = parser.parse_args(words)
    names = [port.name for port in catalogue.PORTS]
    unknown = {*chosen.only} - {*names}
    if unknown:
        parser.error(f"--only {' '.join(sorted(unknown))}: there are {', '.join(names)}")
    tried = []
    with tempfile.TemporaryDirectory(prefix="hostile-ports-") as folder:
        for port in catalogue.PORTS:
            if port.name in chosen.only or not chosen.only:
                scratch = Path(folder) / port.name
                scratch.mkdir()
                environ = environment(Path(folder))
                tried.append(trying.run(port, scratch, environ))
                print(trying.table(tried[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
    print(trying.table(tried))
    wrong = sum(1 for row in tried if row.faults)
    print(f"{len(tried)} ports, {wrong} not right")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
