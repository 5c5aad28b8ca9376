"""Hostile answers: lines that workers answer, altered in hundreds of ways, each in a command with
real workers (`tox run -e hostile-answers`).

    python -m tests.evaluation.hostile_answers                 240 altered answers
    python -m tests.evaluation.hostile_answers --count 20      fewer
    python -m tests.evaluation.hostile_answers --seed 7        others

Exit status 1 if anything ends in a traceback, a hang, a PASS, an exit code that is not the
report's, control characters, a job whose reason does not say which answer was wrong, or other jobs
that are not judged.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.evaluation.hostile import stock
from tests.evaluation.hostile_answers import answers, trying
from tests.evaluation.hostile_answers.trying import FAULTS, FAULTY, Case, Finding

#: So many characters of what was told are shown.
TOLD = 300
COLUMNS = ("cases", *FAULTS)


def main(words: Sequence[str] | None = None) -> int:
    """Alter, compare and count; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.hostile_answers")
    parser.add_argument("--count", type=int, default=240, help="how many altered answers")
    parser.add_argument("--seed", type=int, default=0, help="of all choices")
    chosen = parser.parse_args(words)
    started, findings = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="hostile-answers-") as name:
        for finding in examine(Path(name), chosen.count, chosen.seed):
            findings.append(finding)
            if finding.faults:
                print(told(finding), flush=True)
    print("\n".join(lines(findings)))
    met = collections.Counter(finding.case.verb for finding in findings)
    verbs = ", ".join(f"{verb} {count}" for verb, count in sorted(met.items()))
    bad = sum(bool(finding.faults) for finding in findings)
    print(f"\nanswers to: {verbs}")
    print(f"{len(findings)} altered answers, {bad} at fault; {time.monotonic() - started:.0f} s.")
    return 1 if bad or not findings else 0


def examine(root: Path, count: int, seed: int) -> Iterator[Finding]:
    """Yield what came of so many cases, the same for the same seed.

    Args:
        root: a folder for everything. count: of cases. seed: of all choices.

    Raises:
        RuntimeError: without any alteration the comparison does not end as it has to.
    """
    plant(root)
    met = {}
    for name, scenario in trying.SCENARIOS.items():
        ended, pipe = trying.run(scenario, root / name, None)
        if ended.code != scenario.code:
            raise RuntimeError(f"{name}, of which nothing is altered, ended with {ended}")
        met[name] = pipe.met
    # a line that a faster run no longer had is no case
    found = (trying.attempt(root / "reports", case) for case in cases(root / "line", met, seed))
    yield from itertools.islice((finding for finding in found if finding.altered), count)


def plant(root: Path) -> None:
    """Write the faulty port."""
    port = root / FAULTY / "numpy/linear.py"
    port.parent.mkdir(parents=True)
    honest = stock.PORT.read_text(encoding="utf-8")
    port.write_text(honest.replace(stock.BEFORE, stock.FAULT + stock.BEFORE), encoding="utf-8")


def cases(scratch: Path, met: Mapping[str, Mapping[str, int]], seed: int) -> Iterator[Case]:
    """Yield cases for ever: every mutation in turn, of any scenario's answer to any verb.

    Args:
        scratch: a file for mutations. met: by scenario and verb, how many lines there are.
        seed: of all choices.
    """
    chance = random.Random(seed)
    table = list(answers.all_of_them(scratch).items())
    chance.shuffle(table)
    weights = [trying.SCENARIOS[name].weight for name in met]
    for name, mutate in itertools.cycle(table):
        (scenario,) = chance.choices(list(met), weights)
        verb = chance.choice(sorted(met[scenario]))
        number = chance.randrange(met[scenario][verb])
        yield Case(scenario, verb, number, name, mutate, chance.randrange(1 << 30))


def lines(findings: Iterable[Finding]) -> list[str]:
    """Return a table: by the kind of alteration, how many there were and how often each fault was
    met."""
    table: dict[str, collections.Counter[str]] = {}
    for finding in findings:
        for kind in (finding.case.kind, "all"):
            row = table.setdefault(kind, collections.Counter())
            row.update(["cases", *finding.faults])
    order = sorted(table, key=lambda kind: (kind == "all", kind))
    head = _line("alteration", {name: name for name in COLUMNS})
    return [head, *(_line(kind, table[kind]) for kind in order)]


def _line(kind: str, cells: Mapping[str, object]) -> str:
    return f"{kind:<20}" + "".join(f"{cells[name]!s:>23}" for name in COLUMNS)


def told(finding: Finding) -> str:
    """Return a finding in a few lines."""
    case, ended = finding.case, finding.ended
    said = ascii((ended.raised or ended.stack or finding.reason)[-TOLD:])
    return (
        f"{', '.join(finding.faults)}: {case.name} (seed {case.seed}), answer {case.number} to"
        f" '{case.verb}' in {case.scenario}: {ended.code} {said}"
    )


if __name__ == "__main__":
    sys.exit(main())
