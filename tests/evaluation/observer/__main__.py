"""What does measuring cost what is measured? `python -m tests.evaluation.observer` (`tox run -e
observer`).

    python -m tests.evaluation.observer --build torch --workload linear --rounds 10

Takes about 20 seconds a round. A busy machine widens the interval and does not move it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.evaluation.observer.sides import conclude, job_of, run_context_of, watch


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 if the parent, or the worker's steps, are outside what is
    allowed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.observer", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--build", default="torch")
    parser.add_argument("--workload", default="linear")
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--rounds", type=int, default=10)
    chosen = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        run_context, job = (
            run_context_of(chosen.build, Path(folder)),
            job_of(chosen.build, chosen.workload, chosen.preset),
        )
        seen = [watch(run_context, job, number) for number in range(chosen.rounds)]
    found = conclude(seen)
    print(
        f"{chosen.build} {chosen.workload} {chosen.preset}, load {os.getloadavg()[0]:.1f} on"
        f" {os.cpu_count()} cores"
    )
    print("\n".join(found.lines))
    return int(not found.parent or found.steps is False)


if __name__ == "__main__":
    sys.exit(main())
