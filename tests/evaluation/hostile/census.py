"""Goes through hostile cases and counts what must not happen."""

from __future__ import annotations

import collections
import dataclasses
import json
import random
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.evaluation.hostile.calls import Ended
from tests.evaluation.hostile.cases import Case, same
from tests.evaluation.hostile.stock import Stock, parsed

#: What is counted, none of which may be.
FAULTS = ("traceback", "hang", "false PASS", "exit code", "no file named", "control characters")
COLUMNS = ("cases", *FAULTS)
#: Parts that a part's readers need beside it.
BESIDE = {"fail": ("pass",), "history": ("timed",)}


@dataclasses.dataclass(frozen=True)
class Finding:
    """What came of a case: the faults, empty where all is well, and what was printed."""

    case: Case
    faults: tuple[str, ...]
    ended: Ended


def examine(stock: Stock, cases: Iterable[Case], scratch: Path) -> Iterator[Finding]:
    """Yield what came of each case; each has a copy of its own."""
    for number, case in enumerate(cases):
        copy = dataclasses.replace(stock, root=scratch / str(number), original=stock.faulty)
        for part in (case.part, *BESIDE.get(case.part, ())):
            shutil.copytree(stock.root / part, copy.root / part)
        path = copy.root / case.part / case.file
        before = parsed(path)
        case.mutate(path, random.Random(case.seed))
        unchanged = same(before, path)
        ended = case.reader.read(copy, path)
        yield Finding(case, tuple(_faults(case, ended, path, unchanged=unchanged)), ended)
        shutil.rmtree(copy.root)


def _faults(case: Case, ended: Ended, path: Path, *, unchanged: bool) -> Iterator[str]:
    reader = case.reader
    if ended.hung:
        yield "hang"
    if ended.crashed:
        yield "traceback"
    if ended.controls:
        yield "control characters"
    if ended.code is None or ended.crashed:
        return
    begun = reader.new and not path.exists()
    sealed = case.mutation.startswith("seal")
    unnoticed = ended.code in reader.unread and not (unchanged or sealed or begun)
    if ended.code in reader.passing or unnoticed or _passes(ended):
        yield "false PASS"
    elif ended.code not in reader.codes:
        yield "exit code"
    failed = "error:" in ended.out + ended.err or (
        reader.name == "reference verify" and ended.code == 1
    )
    # what was sealed again may be a file like any other, of something that does not exist here
    if failed and not (begun or sealed or unchanged or ended.names(path)):
        yield "no file named"


def _passes(ended: Ended) -> bool:
    """Whether a report was shown that passes: none of those that are altered does."""
    if ended.out.startswith("{"):
        return bool(json.loads(ended.out)["summary"]["fidelity"] == "PASS")
    return ended.out.startswith("✓ PASS") or "\n**PASS.**" in ended.out


def counted(findings: Iterable[Finding]) -> dict[str, collections.Counter[str]]:
    """Return, by the kind of alteration, how many there were (`cases`) and how often each fault
    was met."""
    table: dict[str, collections.Counter[str]] = {}
    for finding in findings:
        row = table.setdefault(finding.case.kind, collections.Counter())
        row["cases"] += 1
        row.update(finding.faults)
    return table


def lines(table: dict[str, collections.Counter[str]]) -> list[str]:
    """Return the table as text, with a line of sums."""
    whole: collections.Counter[str] = sum(table.values(), collections.Counter())
    rows = [*sorted(table.items()), ("all", whole)]
    head = _line("alteration", {name: name for name in COLUMNS})
    return [head, *(_line(kind, row) for kind, row in rows)]


def _line(kind: str, cells: Mapping[str, object]) -> str:
    return f"{kind:<22}" + "".join(f"{cells[name]!s:>20}" for name in COLUMNS)
