"""Is anything lost when a command is killed? Real commands, killed at random moments and gone on
with, counted (`tox run -e kills`).

    python -m tests.evaluation.kills --count 500 --seed 0       500 strikes at all commands in turns
    python -m tests.evaluation.kills --only compare train-on    at these

`train`, `generate` and `convert` need the builds torch and tf2; `--python` names interpreters that
have them. Prints a table and what was found; exits with 1 unless all is zero.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.evaluation.kills import commands, trials


def main(words: Sequence[str] | None = None) -> int:
    """Strike and count."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.kills", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--count", type=int, default=500, help="strikes in all (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all moments (%(default)s)")
    parser.add_argument(
        "--most-strikes",
        type=int,
        default=trials.MOST_STRIKES,
        help="at one run of a command (%(default)s)",
    )
    parser.add_argument("--only", nargs="+", default=[], help="names of commands")
    parser.add_argument("--python", nargs="+", default=[], help="BUILD=PATH, as for harness")
    chosen = parser.parse_args(words)
    known = commands.commands(tuple(chosen.python))
    unknown = {*chosen.only} - {command.name for command in known}
    if unknown:
        names = ", ".join(command.name for command in known)
        parser.error(f"--only {' '.join(sorted(unknown))}: there are {names}")
    wanted = [command for command in known if command.name in chosen.only or not chosen.only]
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        bench = trials.Bench(Path(folder), environment(Path(folder)), chosen.most_strikes)
        tallies = strike(wanted, bench, chosen)
    print(trials.table(tallies))
    for name, tally in tallies.items():
        for fault, lines in tally.faults.items():
            for line in lines:
                print(f"{fault.upper()}: {name}: {line}")
    return 0 if all(tally.clean() for tally in tallies.values()) else 1


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of commands: this checkout, and a cache of their own."""
    root = str(Path(__file__).parents[3])
    return {**os.environ, "PYTHONPATH": root, "XDG_CACHE_HOME": str(folder / "cache")}


def strike(
    wanted: Sequence[commands.Command], bench: trials.Bench, chosen: argparse.Namespace
) -> dict[str, trials.Tally]:
    """Strike at the commands in turns until there have been as many strikes as were asked for."""
    rng = random.Random(chosen.seed)
    tallies = {command.name: trials.Tally() for command in wanted}
    usual = {}
    while sum(tally.strikes.total() for tally in tallies.values()) < chosen.count:
        command = min(wanted, key=lambda one: tallies[one.name].strikes.total())
        if command.name not in usual:
            usual[command.name] = bench.usual(command)
        bench.trial(command, usual[command.name], rng, tallies[command.name])
        tally = tallies[command.name]
        told = ", ".join(f"{len(lines)} {fault}" for fault, lines in tally.faults.items() if lines)
        line = f"{command.name}: {tally.strikes.total()} strikes, {told or 'nothing found'}"
        print(line, file=sys.stderr, flush=True)
        for fault in (text for lines in tally.faults.values() for text in lines):
            print(f"    {fault}", file=sys.stderr, flush=True)
    return tallies


if __name__ == "__main__":
    sys.exit(main())
